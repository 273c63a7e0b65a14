// Suppress from an alert: first what it would have hidden lately, per agency and with the cases among it; then reason,
// owner and expiry. What is hidden is kept and counted.
import { Alert as Notice, Anchor, Button, Checkbox, Group, Modal, SegmentedControl, Select, Stack, Text, Textarea } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { client, must } from "../../api/client";
import { useCaller } from "../../api/session";
import { useColleagues } from "../../api/shared";
import type { AlertDetail, Scope, SuppressionPreview } from "../../api/types";
import { count } from "../../ui/format";
import { notifyFailure } from "../../ui/notify";
import { Failed, SkeletonRows } from "../../ui/States";
import { useRuleName } from "./ruleName";
import type { Undo } from "./undo";
import styles from "./Suppress.module.css";

interface SuppressProps {
  detail: AlertDetail;
  undo: Undo;
  opened: boolean;
  onClose: () => void;
  onDone: () => void;
}

export function SuppressDialog(props: SuppressProps) {
  const { t } = useTranslation();
  return (
    <Modal opened={props.opened} onClose={props.onClose} title={t("alerts.suppress.title")} size="lg">
      <SuppressForm {...props} />
    </Modal>
  );
}

const DAYS = ["1", "7", "30", "90"] as const;
type Days = (typeof DAYS)[number];
const DAY_MS = 86_400_000;
/** So that the longest choice is not past the server's limit when the clocks differ a little. */
const SLACK_MS = 60_000;

/** A scope as the form makes it: what is not narrowed by is left out. */
type Narrowed = { rule_id: string } & Partial<Record<Exclude<keyof Scope, "rule_id">, string>>;

function usePreview(scope: Narrowed) {
  return useQuery({
    queryKey: ["suppressions", "preview", scope],
    queryFn: ({ signal }) => must(client.GET("/api/v1/suppressions/preview", { params: { query: scope }, signal })),
    placeholderData: (old) => old,
    staleTime: 0,
  });
}

function SuppressForm({ detail, undo, onClose, onDone }: SuppressProps) {
  const { t } = useTranslation();
  const { alert } = detail;
  const caller = useCaller();
  const people = useColleagues();
  const queries = useQueryClient();
  const ruleName = useRuleName();
  const [bySource, setBySource] = useState(alert.source !== undefined && alert.source !== null);
  const [byDestination, setByDestination] = useState(false);
  const [byAgency, setByAgency] = useState(false);
  const [reason, setReason] = useState("");
  const [owner, setOwner] = useState<string | null>(caller.id);
  const [days, setDays] = useState<Days>("7");
  const [hideOpen, setHideOpen] = useState(true);
  const scope: Narrowed = {
    rule_id: alert.rule.id,
    ...(bySource && alert.source ? { source_ip: alert.source.ip } : {}),
    ...(byDestination && alert.destination ? { destination_ip: alert.destination.ip } : {}),
    ...(byAgency && alert.agency ? { agency_id: alert.agency.id } : {}),
  };
  const preview = usePreview(scope);
  const make = useMutation({
    mutationFn: () => must(client.POST("/api/v1/suppressions", { body: { scope, reason: reason.trim(), owner_id: owner ?? "", expires_at: new Date(Date.now() + Number(days) * DAY_MS - SLACK_MS).toISOString(), hide_open: hideOpen } })),
    onSuccess: ({ hidden_now, act_id }) => {
      undo.offer(t("alerts.suppress.done", { number: count(hidden_now) }), act_id);
      void queries.invalidateQueries({ queryKey: ["suppressions"] });
      void queries.invalidateQueries({ queryKey: ["alert"] });
      void queries.invalidateQueries({ queryKey: ["alerts"] });
      onClose();
      onDone();
    },
    onError: (error) => notifyFailure(t("ui.not_done"), error.message || t("ui.unreachable")),
  });
  const ready = reason.trim() !== "" && owner !== null && preview.isSuccess && !preview.isPlaceholderData;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (ready) make.mutate();
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        <Text fw={600}>{ruleName(alert.rule)}</Text>
        <Group gap="lg">
          {alert.source && <Checkbox size="sm" checked={bySource} onChange={(event) => setBySource(event.currentTarget.checked)} label={`${t("alerts.suppress.source")} ${alert.source.ip}`} />}
          {alert.destination && <Checkbox size="sm" checked={byDestination} onChange={(event) => setByDestination(event.currentTarget.checked)} label={`${t("alerts.suppress.destination")} ${alert.destination.ip}`} />}
          {alert.agency && <Checkbox size="sm" checked={byAgency} onChange={(event) => setByAgency(event.currentTarget.checked)} label={`${t("alerts.suppress.agency")} ${alert.agency.name}`} />}
        </Group>
        {preview.isPending ? <SkeletonRows rows={3} height={26} /> : preview.isError ? <Failed error={preview.error} retry={() => void preview.refetch()} /> : <Preview preview={preview.data} stale={preview.isPlaceholderData} />}
        <Textarea label={t("alerts.decide.reason")} placeholder={t("alerts.suppress.reason_placeholder")} autosize minRows={2} maxLength={2000} value={reason} onChange={(event) => setReason(event.currentTarget.value)} data-autofocus />
        <Group grow align="flex-start">
          <Select label={t("alerts.suppress.owner")} searchable value={owner} onChange={setOwner} data={(people.data ?? []).map(({ id, display_name }) => ({ value: id, label: display_name }))} />
          <div>
            <Text size="sm" fw={500} mb={4} id="suppress-days">
              {t("alerts.suppress.days")}
            </Text>
            <SegmentedControl fullWidth aria-labelledby="suppress-days" value={days} onChange={(value) => setDays(DAYS.find((each) => each === value) ?? "7")} data={DAYS.map((value) => ({ value, label: t(`alerts.suppress.day_choice.${value}`) }))} />
          </div>
        </Group>
        <Checkbox checked={hideOpen} onChange={(event) => setHideOpen(event.currentTarget.checked)} label={t("alerts.suppress.hide_open", { number: count(preview.data?.open ?? 0) })} />
        <Group justify="space-between" gap="xs">
          <Text size="xs" c="dimmed">
            {t("alerts.suppress.kept")}
          </Text>
          <Group gap="xs" ml="auto">
            <Button variant="default" onClick={onClose}>
              {t("ui.cancel")}
            </Button>
            <Button type="submit" disabled={!ready} loading={make.isPending}>
              {t("alerts.suppress.submit")}
            </Button>
          </Group>
        </Group>
      </Stack>
    </form>
  );
}

function Preview({ preview, stale }: { preview: SuppressionPreview; stale: boolean }) {
  const { t } = useTranslation();
  const { days, alerts, open, in_cases, true_positives, agencies, cases } = preview;
  if (alerts === 0) return <p className="dim">{t("alerts.suppress.nothing", { days })}</p>;
  const parts = [
    open > 0 ? t("alerts.suppress.preview_open", { number: count(open) }) : "",
    in_cases > 0 ? t("alerts.suppress.in_cases", { number: count(in_cases) }) : "",
    true_positives > 0 ? t("alerts.suppress.attacks", { number: count(true_positives) }) : "",
  ].filter((part) => part !== "");
  return (
    <section className={styles.preview} aria-live="polite" data-stale={stale || undefined}>
      <p>
        <b>{t("alerts.suppress.preview", { days, number: count(alerts) })}</b>
        {parts.length > 0 && `: ${parts.join(", ")}`}
      </p>
      <table aria-label={t("alerts.suppress.per_agency")}>
        <tbody>
          {agencies.map((share) => (
            <tr key={share.agency?.id ?? "-"}>
              <th scope="row">{share.agency?.name ?? t("alerts.suppress.no_agency")}</th>
              <td>{t("alerts.group.alerts", { number: count(share.alerts) })}</td>
              <td>{share.in_cases > 0 && t("alerts.suppress.in_cases", { number: count(share.in_cases) })}</td>
              <td>{share.true_positives > 0 && t("alerts.suppress.attacks", { number: count(share.true_positives) })}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {cases.length > 0 && (
        <p>
          {cases.map((each) => (
            <Anchor key={each.id} component={Link} to={`/cases/${encodeURIComponent(each.id)}`} size="sm" mr="md">
              #{each.number} {each.title} ({count(each.alerts)})
            </Anchor>
          ))}
        </p>
      )}
      {(in_cases > 0 || true_positives > 0) && (
        <Notice p="xs" color="yellow" variant="light" role="alert">
          {t("alerts.suppress.danger")}
        </Notice>
      )}
    </section>
  );
}
