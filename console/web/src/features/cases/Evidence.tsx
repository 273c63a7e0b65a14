// Sealed bundles of a case and their chain of custody: who had them in hand, when and why.
import { Button, Group, Modal, Select, Stack, Text, Textarea } from "@mantine/core";
import { IconDownload, IconShieldLock } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { ApiFailure, client, must } from "../../api/client";
import type { CaseDetail, CaseEvidence } from "../../api/types";
import { Copyable } from "../../ui/Copyable";
import { bytes } from "../../ui/format";
import { notify, notifyFailure } from "../../ui/notify";
import { Panel } from "../../ui/Page";
import { useRecordWords } from "../../ui/Record";
import { save } from "../../ui/save";
import { Empty, Partial } from "../../ui/States";
import { Time } from "../../ui/Time";
import { useCaseAction } from "./queries";
import styles from "./Case.module.css";

type Step = { item: CaseEvidence; what: "read" | "release" };

export function Evidence({ detail, editable }: { detail: CaseDetail; editable: boolean }) {
  const { t } = useTranslation();
  const [sealing, setSealing] = useState(false);
  const [step, setStep] = useState<Step | null>(null);
  const seal = editable && (
    <Button size="compact-xs" variant="subtle" className="no-print" leftSection={<IconShieldLock size={13} />} disabled={detail.alerts.length === 0} onClick={() => setSealing(true)}>
      {t("cases.evidence_seal")}
    </Button>
  );
  return (
    <>
      <Panel title={t("cases.evidence")} aside={seal} flush>
        {detail.evidence.length === 0 ? (
          <Empty icon={<IconShieldLock size={28} className="dim" />} title={t("cases.evidence_empty")}>
            {t("cases.evidence_empty_hint")}
          </Empty>
        ) : (
          <ul className={styles.evidence}>
            {detail.evidence.map((item) => (
              <Item key={item.id} detail={detail} item={item} editable={editable} onStep={setStep} />
            ))}
          </ul>
        )}
      </Panel>
      <Modal opened={sealing} onClose={() => setSealing(false)} title={t("cases.evidence_seal")}>
        <Seal detail={detail} onDone={() => setSealing(false)} />
      </Modal>
      <Modal opened={step !== null} onClose={() => setStep(null)} title={step?.what === "release" ? t("cases.evidence_release") : t("cases.evidence_read")}>
        {step && <Reasoned detail={detail} step={step} onDone={() => setStep(null)} />}
      </Modal>
    </>
  );
}

function Item({ detail, item, editable, onStep }: { detail: CaseDetail; item: CaseEvidence; editable: boolean; onStep: (step: Step) => void }) {
  const { t, i18n } = useTranslation();
  const words = useRecordWords();
  const alert = detail.alerts.find((each) => each.id === item.alert_id);
  const rule = alert && (i18n.language === "vi" ? (alert.rule_name_vi ?? alert.rule_name) : alert.rule_name);
  return (
    <li>
      <div className={styles.evidenceHead}>
        <div className={styles.grow}>
          <b>{rule ?? item.name}</b>
          <div className="dim">
            {bytes(item.bytes)} · {item.contents}
            {item.released && ` · ${t("cases.evidence_released")}`}
          </div>
          <div className={styles.digest}>
            <span className="dim">SHA-256</span> <code>{item.digest}</code>
          </div>
        </div>
        {editable && (
          <Group gap={6} className="no-print">
            <Button size="compact-xs" variant="default" leftSection={<IconDownload size={13} />} onClick={() => onStep({ item, what: "read" })}>
              {t("cases.evidence_read")}
            </Button>
            {!item.released && (
              <Button size="compact-xs" variant="default" onClick={() => onStep({ item, what: "release" })}>
                {t("cases.evidence_release")}
              </Button>
            )}
          </Group>
        )}
      </div>
      <Partial reasons={item.missing} />
      <table className={styles.custody}>
        <caption>{t("cases.custody")}</caption>
        <thead>
          <tr>
            <th scope="col">{t("cases.time")}</th>
            <th scope="col">{t("cases.who")}</th>
            <th scope="col">{t("cases.did")}</th>
            <th scope="col">{t("cases.why")}</th>
          </tr>
        </thead>
        <tbody>
          {item.custody.map((line, at) => (
            <tr key={at}>
              <td>
                <Time at={line.at} style="full" />
              </td>
              <td>{line.by?.display_name ?? t("ui.nobody")}</td>
              <td>{words.action(`evidence.${line.action}`)}</td>
              <td>{line.reason}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </li>
  );
}

function Seal({ detail, onDone }: { detail: CaseDetail; onDone: () => void }) {
  const { t, i18n } = useTranslation();
  const [alert, setAlert] = useState<string | null>(detail.alerts[0]?.id ?? null);
  const [reason, setReason] = useState("");
  const seal = useCaseAction(detail.id, () => must(client.POST("/api/v1/cases/{id}/evidence", { params: { path: { id: detail.id } }, body: { alert_id: alert ?? "", reason: reason.trim() } })));
  return (
    <Stack gap="sm">
      <Text size="sm" c="dimmed">
        {t("cases.evidence_seal_hint")}
      </Text>
      <Select label={t("cases.evidence_alert")} value={alert} onChange={setAlert} data={detail.alerts.map((each) => ({ value: each.id, label: `${i18n.language === "vi" ? (each.rule_name_vi ?? each.rule_name) : each.rule_name} · ${each.source?.ip ?? ""}` }))} />
      <Textarea label={t("cases.why")} autosize minRows={2} maxLength={500} value={reason} onChange={(event) => setReason(event.currentTarget.value)} data-autofocus />
      <Group justify="flex-end" gap="xs">
        <Button variant="default" onClick={onDone}>
          {t("ui.cancel")}
        </Button>
        <Button
          disabled={alert === null || reason.trim() === ""}
          loading={seal.isPending}
          onClick={() =>
            seal.mutate(undefined, {
              onSuccess: () => {
                notify(t("cases.evidence_sealed"));
                onDone();
              },
            })
          }
        >
          {t("cases.evidence_seal")}
        </Button>
      </Group>
    </Stack>
  );
}

function Reasoned({ detail, step, onDone }: { detail: CaseDetail; step: Step; onDone: () => void }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [reason, setReason] = useState("");
  const path = { id: detail.id, evidence: step.item.id };
  const release = useCaseAction(detail.id, () => must(client.POST("/api/v1/cases/{id}/evidence/{evidence}/release", { params: { path }, body: { reason: reason.trim() } })));
  const read = useMutation({
    mutationFn: async () => {
      const { data, error, response } = await client.POST("/api/v1/cases/{id}/evidence/{evidence}/read", { params: { path }, body: { reason: reason.trim() }, parseAs: "blob" });
      if (!response.ok || data === undefined) throw new ApiFailure(response.status, error ?? { code: `http_${response.status}`, message: response.statusText });
      save(data as unknown as Blob, `evidence-${step.item.digest.slice(0, 16)}.zip`);
      return response.headers.get("x-luytre-password");
    },
    onSuccess: () => void queries.invalidateQueries({ queryKey: ["case", detail.id] }),
    onError: (error) => notifyFailure(t("ui.not_done"), error.message || t("ui.unreachable")),
  });
  if (read.isSuccess) {
    return (
      <Stack gap="sm">
        <Text size="sm">{t("cases.evidence_password_hint")}</Text>
        {read.data && <Copyable value={read.data} label={t("cases.evidence_password")} />}
        <Group justify="flex-end">
          <Button onClick={onDone}>{t("ui.close")}</Button>
        </Group>
      </Stack>
    );
  }
  const go = () => (step.what === "read" ? read.mutate() : release.mutate(undefined, { onSuccess: onDone }));
  return (
    <Stack gap="sm">
      <Text size="sm" c="dimmed">
        {t(step.what === "read" ? "cases.evidence_read_hint" : "cases.evidence_release_hint")}
      </Text>
      <Textarea label={t("cases.why")} autosize minRows={2} maxLength={500} value={reason} onChange={(event) => setReason(event.currentTarget.value)} data-autofocus />
      <Group justify="flex-end" gap="xs">
        <Button variant="default" onClick={onDone}>
          {t("ui.cancel")}
        </Button>
        <Button disabled={reason.trim() === ""} loading={read.isPending || release.isPending} onClick={go}>
          {t(step.what === "read" ? "cases.evidence_read" : "cases.evidence_release")}
        </Button>
      </Group>
    </Stack>
  );
}
