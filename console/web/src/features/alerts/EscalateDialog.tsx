// One key, one dialog, Enter: a new case with the alert's own words, or an existing one; for one alert or for many.
import { Button, Group, Modal, SegmentedControl, Select, Stack, TextInput } from "@mantine/core";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { client, failedWith, must } from "../../api/client";
import { SEVERITIES, type AlertDetail, type Severity } from "../../api/types";
import { count } from "../../ui/format";
import { notifyFailure } from "../../ui/notify";
import type { ManyProps } from "./Bulk";
import { useActiveCases, useBulk, useEscalateAlert, type Escalation } from "./queries";
import { useRuleName } from "./ruleName";
import { meant, useOutcome } from "./targets";
import type { Undo } from "./undo";

interface EscalateProps {
  detail: AlertDetail;
  undo: Undo;
  opened: boolean;
  onClose: () => void;
  onDone: (rows: readonly string[]) => void;
}

/** For one alert, as it was seen. */
export function EscalateDialog({ detail, undo, opened, onClose, onDone }: EscalateProps) {
  const { t } = useTranslation();
  const { alert, triage } = detail;
  const title = useCaseTitle()(detail);
  const escalate = useEscalateAlert(alert.id);
  const submit = (target: Escalation) =>
    escalate.mutate(
      { ...target, version: triage.version },
      {
        onSuccess: async (made) => {
          onClose();
          onDone([alert.id]);
          const now = await must(client.GET("/api/v1/alerts/{id}", { params: { path: { id: alert.id } } })).catch(() => null);
          undo.offer(t("alerts.decide.escalated_notice", { number: made.number }), now?.triage.act_id);
        },
        onError: (error) => notifyFailure(t("ui.not_done"), failedWith(error, 409) ? t("alerts.decide.stale") : error.message),
      },
    );
  return (
    <Modal opened={opened} onClose={onClose} title={t("alerts.escalate.title")} size="md">
      <EscalateForm title={title} severity={alert.severity} busy={escalate.isPending} onClose={onClose} onSubmit={submit} />
    </Modal>
  );
}

/** For all members of a group, or everything that was marked. */
export function EscalateManyDialog({ targets, title, undo, opened, onClose, onDone }: ManyProps & { title: string; opened: boolean }) {
  const { t } = useTranslation();
  const bulk = useBulk();
  const outcome = useOutcome();
  const submit = (target: Escalation) =>
    bulk.mutate(
      { ...meant(targets), action: "escalate", ...target },
      {
        onSuccess: (answer) => {
          undo.offer(outcome("escalated", answer), answer.act_id);
          onClose();
          if (answer.failed === 0) onDone(targets.rows);
        },
        onError: (error) => notifyFailure(t("ui.not_done"), error.message || t("ui.unreachable")),
      },
    );
  return (
    <Modal opened={opened} onClose={onClose} title={t("alerts.escalate.title_many", { number: count(targets.size) })} size="md">
      <EscalateForm title={title} severity={targets.severity} busy={bulk.isPending} onClose={onClose} onSubmit={submit} />
    </Modal>
  );
}

/** What a case of this alert is called, unless somebody finds a better title. */
export function useCaseTitle() {
  const ruleName = useRuleName();
  return ({ alert }: AlertDetail) => `${ruleName(alert.rule)}${alert.destination ? ` (${alert.destination.ip})` : ""}`;
}

interface FormProps {
  title: string;
  severity: Severity;
  busy: boolean;
  onClose: () => void;
  onSubmit: (target: Escalation) => void;
}

function EscalateForm({ title: first, severity: worst, busy, onClose, onSubmit }: FormProps) {
  const { t } = useTranslation();
  const [how, setHow] = useState("new");
  const [title, setTitle] = useState(first);
  const [severity, setSeverity] = useState<Severity>(worst);
  const [caseId, setCaseId] = useState<string | null>(null);
  const cases = useActiveCases(true);
  const fresh = how === "new";
  const ready = fresh ? title.trim() !== "" : caseId !== null;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onSubmit(fresh ? { title: title.trim(), severity } : { case_id: caseId ?? "" });
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        <SegmentedControl
          value={how}
          onChange={setHow}
          data={[
            { value: "new", label: t("alerts.escalate.new") },
            { value: "existing", label: t("alerts.escalate.existing") },
          ]}
        />
        {fresh ? (
          <>
            <TextInput label={t("alerts.escalate.case_title")} value={title} onChange={(event) => setTitle(event.currentTarget.value)} maxLength={200} data-autofocus />
            <Select label={t("alerts.escalate.severity")} value={severity} onChange={(value) => setSeverity(SEVERITIES.find((each) => each === value) ?? worst)} data={SEVERITIES.map((value) => ({ value, label: t(`severity.${value}`) }))} />
          </>
        ) : (
          <Select label={t("alerts.escalate.case")} placeholder={t("alerts.escalate.choose")} searchable value={caseId} onChange={setCaseId} data={(cases.data ?? []).map((each) => ({ value: each.id, label: `#${each.number} ${each.title}` }))} />
        )}
        <Group justify="flex-end" gap="xs" mt="xs">
          <Button variant="default" onClick={onClose}>
            {t("ui.cancel")}
          </Button>
          <Button type="submit" disabled={!ready} loading={busy}>
            {fresh ? t("alerts.escalate.submit") : t("alerts.escalate.add")}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
