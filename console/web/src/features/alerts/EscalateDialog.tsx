// One key, one dialog, Enter: a new case with the alert's own words, or an existing one.
import { Button, Group, Modal, SegmentedControl, Select, Stack, TextInput } from "@mantine/core";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { failedWith } from "../../api/client";
import { SEVERITIES, type AlertDetail, type Severity } from "../../api/types";
import { notify, notifyFailure } from "../../ui/notify";
import { useActiveCases, useEscalateAlert } from "./queries";
import { useRuleName } from "./ruleName";

interface EscalateProps {
  detail: AlertDetail;
  opened: boolean;
  onClose: () => void;
  onDone: (id: string) => void;
}

export function EscalateDialog(props: EscalateProps) {
  const { t } = useTranslation();
  return (
    <Modal opened={props.opened} onClose={props.onClose} title={t("alerts.escalate.title")} size="md">
      <EscalateForm {...props} />
    </Modal>
  );
}

function EscalateForm({ detail, opened, onClose, onDone }: EscalateProps) {
  const { t } = useTranslation();
  const { alert, triage } = detail;
  const ruleName = useRuleName();
  const [how, setHow] = useState("new");
  const [title, setTitle] = useState(() => `${ruleName(alert.rule)}${alert.destination ? ` (${alert.destination.ip})` : ""}`);
  const [severity, setSeverity] = useState<Severity>(alert.severity);
  const [caseId, setCaseId] = useState<string | null>(null);
  const cases = useActiveCases(opened);
  const escalate = useEscalateAlert(alert.id);
  const fresh = how === "new";
  const ready = fresh ? title.trim() !== "" : caseId !== null;

  const submit = (event: FormEvent) => {
    event.preventDefault();
    const target = fresh ? { title: title.trim(), severity } : { case_id: caseId ?? "" };
    escalate.mutate(
      { ...target, version: triage.version },
      {
        onSuccess: (made) => {
          notify(t("alerts.decide.escalated_notice", { number: made.number }));
          onClose();
          onDone(alert.id);
        },
        onError: (error) => notifyFailure(t("ui.not_done"), failedWith(error, 409) ? t("alerts.decide.stale") : error.message),
      },
    );
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
            <Select label={t("alerts.escalate.severity")} value={severity} onChange={(value) => setSeverity(SEVERITIES.find((each) => each === value) ?? alert.severity)} data={SEVERITIES.map((value) => ({ value, label: t(`severity.${value}`) }))} />
          </>
        ) : (
          <Select label={t("alerts.escalate.case")} placeholder={t("alerts.escalate.choose")} searchable value={caseId} onChange={setCaseId} data={(cases.data ?? []).map((each) => ({ value: each.id, label: `#${each.number} ${each.title}` }))} />
        )}
        <Group justify="flex-end" gap="xs" mt="xs">
          <Button variant="default" onClick={onClose}>
            {t("ui.cancel")}
          </Button>
          <Button type="submit" disabled={!ready} loading={escalate.isPending}>
            {fresh ? t("alerts.escalate.submit") : t("alerts.escalate.add")}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
