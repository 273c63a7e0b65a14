// The values of a case, and where else each was seen.
import { ActionIcon, Anchor, Button, Loader, Stack, Textarea, TextInput } from "@mantine/core";
import { IconChevronDown, IconChevronRight, IconTrash } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Fragment, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { client, must } from "../../api/client";
import type { CaseDetail, Observable } from "../../api/types";
import { count } from "../../ui/format";
import { notify, notifyFailure } from "../../ui/notify";
import { Panel } from "../../ui/Page";
import { SeverityBadge } from "../../ui/Severity";
import { Empty, Partial } from "../../ui/States";
import { Time } from "../../ui/Time";
import { Value } from "../../ui/Value";
import { useCaseAction } from "./queries";
import styles from "./Case.module.css";

/** The field whose menu a value gets. */
const FIELDS: Readonly<Record<string, string>> = { ip: "ip", domain: "dns.question.name", url: "url.original", email: "email.from.address", sha256: "file.hash.sha256", sha1: "file.hash.sha1", md5: "file.hash.md5" };

export function Observables({ detail, editable }: { detail: CaseDetail; editable: boolean }) {
  const { t } = useTranslation();
  const [opened, setOpened] = useState<string | null>(null);
  const remove = useCaseAction(detail.id, (observable: string) => must(client.DELETE("/api/v1/cases/{id}/observables/{observable}", { params: { path: { id: detail.id, observable } } })));
  return (
    <>
      {editable && <Add detail={detail} />}
      <Panel title={`${t("cases.observables")} (${count(detail.observables.length)})`} flush>
        {detail.observables.length === 0 ? (
          <Empty title={t("cases.observables_empty")}>{t("cases.observables_empty_hint")}</Empty>
        ) : (
          <ul className={styles.observables}>
            {detail.observables.map((one) => (
              <Fragment key={one.id}>
                <li>
                  <button type="button" className={styles.expand} aria-expanded={opened === one.id} aria-label={t("cases.sightings_of", { value: one.value })} onClick={() => setOpened(opened === one.id ? null : one.id)}>
                    {opened === one.id ? <IconChevronDown size={15} /> : <IconChevronRight size={15} />}
                  </button>
                  <span className={styles.kind}>{one.kind}</span>
                  <span className={styles.grow}>
                    <Value field={FIELDS[one.kind] ?? one.kind} value={one.value} />
                    {one.note && <span className="dim"> · {one.note}</span>}
                  </span>
                  {one.other_cases > 0 && <span className={styles.chip}>{t("cases.other_cases", { number: count(one.other_cases) })}</span>}
                  <span className={`${styles.origin} dim`}>{t(one.origin === "alert" ? "cases.from_alert" : "cases.by_hand")}</span>
                  {editable && (
                    <ActionIcon variant="subtle" color="gray" className="no-print" aria-label={`${t("ui.remove")}: ${one.value}`} onClick={() => remove.mutate(one.id)}>
                      <IconTrash size={15} />
                    </ActionIcon>
                  )}
                </li>
                {opened === one.id && (
                  <li className={styles.sightings}>
                    <Seen detail={detail} observable={one} />
                  </li>
                )}
              </Fragment>
            ))}
          </ul>
        )}
      </Panel>
    </>
  );
}

function Seen({ detail, observable }: { detail: CaseDetail; observable: Observable }) {
  const { t } = useTranslation();
  const seen = useQuery({
    queryKey: ["sightings", observable.id],
    queryFn: () => must(client.GET("/api/v1/cases/{id}/observables/{observable}/sightings", { params: { path: { id: detail.id, observable: observable.id } } })),
  });
  if (seen.isPending) return <Loader size="xs" />;
  if (seen.isError) return <span>{seen.error.message}</span>;
  const { alerts, agencies, cases, events, query, partial } = seen.data;
  return (
    <div className={styles.seen}>
      <div>
        <b>{count(alerts)}</b> {t("cases.seen_alerts")}
        <ul>
          {agencies.map((agency) => (
            <li key={agency.name}>
              {agency.name || t("cases.no_agency")}: <b>{count(agency.alerts)}</b>{" "}
              <span className="dim">
                <Time at={agency.first_at} style="full" /> – <Time at={agency.last_at} style="full" />
              </span>
            </li>
          ))}
        </ul>
      </div>
      <div>
        <Anchor component={Link} size="sm" to={`/hunt?${new URLSearchParams({ q: query, range: "all" }).toString()}`}>
          {events === undefined || events === null ? t("cases.seen_unknown") : t("cases.seen_events", { number: count(events) })}
        </Anchor>
        <Partial reasons={partial} />
      </div>
      {cases.length > 0 && (
        <ul>
          {cases.map((one) => (
            <li key={one.id}>
              <SeverityBadge level={one.severity} compact />{" "}
              <Anchor component={Link} size="sm" to={`/cases/${encodeURIComponent(one.id)}`}>
                #{one.number} {one.title}
              </Anchor>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function Add({ detail }: { detail: CaseDetail }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [text, setText] = useState("");
  const [note, setNote] = useState("");
  const add = useMutation({
    mutationFn: (from_alerts: boolean) => must(client.POST("/api/v1/cases/{id}/observables", { params: { path: { id: detail.id } }, body: from_alerts ? { text: "", from_alerts } : { text, note, from_alerts } })),
    onSuccess: ({ added, known, not_understood }, from_alerts) => {
      notify(t("cases.observables_added", { added: count(added), known: count(known) }));
      // What was not recognised stays, so that it can be looked at.
      if (!from_alerts) {
        setText(not_understood.join("\n"));
        setNote("");
      }
      void queries.invalidateQueries({ queryKey: ["case", detail.id] });
    },
    onError: (error) => notifyFailure(t("ui.not_done"), error.message || t("ui.unreachable")),
  });
  return (
    <Stack gap={8} className={`${styles.paste} no-print`}>
      <div className={styles.pasteLine}>
        <Textarea size="xs" label={t("cases.paste")} description={t("cases.paste_hint")} autosize minRows={2} maxRows={10} maxLength={20000} className={styles.grow} value={text} onChange={(event) => setText(event.currentTarget.value)} />
        <TextInput size="xs" label={t("cases.observable_note")} value={note} maxLength={500} onChange={(event) => setNote(event.currentTarget.value)} />
      </div>
      <div className={styles.formActions}>
        <Button size="xs" variant="default" disabled={detail.alert_count === 0} loading={add.isPending && add.variables} onClick={() => add.mutate(true)}>
          {t("cases.take_from_alerts")}
        </Button>
        <Button size="xs" disabled={text.trim() === ""} loading={add.isPending && !add.variables} onClick={() => add.mutate(false)}>
          {t("cases.observables_add")}
        </Button>
      </div>
    </Stack>
  );
}
