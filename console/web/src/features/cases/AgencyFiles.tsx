// Files of a notice to an agency: documents that went with it, and what the agency uploaded, which leaves behind a password.
import { Button, Group, Modal, Stack, Text, Textarea } from "@mantine/core";
import { IconDownload, IconShieldCheck, IconShieldQuestion, IconShieldX } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { ApiFailure, client, must } from "../../api/client";
import { usePermissions } from "../../api/session";
import type { AgencyFile, CaseAgencyNotice, CaseDetail } from "../../api/types";
import { Copyable } from "../../ui/Copyable";
import { bytes, fullTime, percent } from "../../ui/format";
import { notifyFailure } from "../../ui/notify";
import { save } from "../../ui/save";
import { useCaseAction } from "./queries";
import styles from "./Agencies.module.css";

interface Parts {
  detail: CaseDetail;
  notice: CaseAgencyNotice;
  editable: boolean;
}

async function blobOf(call: Promise<{ data?: unknown; error?: unknown; response: Response }>): Promise<{ blob: Blob; response: Response }> {
  const { data, error, response } = await call;
  if (!response.ok || data === undefined) {
    const body = typeof error === "object" && error !== null && "code" in error ? (error as ApiFailure["body"]) : { code: `http_${response.status}`, message: response.statusText };
    throw new ApiFailure(response.status, body);
  }
  return { blob: data as Blob, response };
}

export function AgencyNoticeFiles({ detail, notice, editable }: Parts) {
  const { t } = useTranslation();
  const may = usePermissions();
  const [taking, setTaking] = useState<AgencyFile | null>(null);
  const documents = notice.files.filter((file) => !file.from_agency);
  const uploads = notice.files.filter((file) => file.from_agency);
  return (
    <>
      {documents.length > 0 && (
        <section className={styles.files} aria-label={t("agency_notice.documents")}>
          <h3>{t("agency_notice.documents")}</h3>
          <ul>
            {documents.map((file) => (
              <Document key={file.id} detail={detail} notice={notice} file={file} editable={editable} />
            ))}
          </ul>
        </section>
      )}
      {uploads.length > 0 && (
        <section className={styles.files} aria-label={t("agency_notice.uploads")}>
          <h3>{t("agency_notice.uploads")}</h3>
          <ul>
            {uploads.map((file) => (
              <Upload key={file.id} file={file} onTake={may.triage ? () => setTaking(file) : undefined} />
            ))}
          </ul>
        </section>
      )}
      <Modal opened={taking !== null} onClose={() => setTaking(null)} title={t("cases.to_agency.take")}>
        {taking && <Take detail={detail} notice={notice} file={taking} onDone={() => setTaking(null)} />}
      </Modal>
    </>
  );
}

function Document({ detail, notice, file, editable }: Parts & { file: AgencyFile }) {
  const { t } = useTranslation();
  const path = { id: detail.id, notice: notice.id, file: file.id };
  const drop = useCaseAction(detail.id, () => must(client.DELETE("/api/v1/cases/{id}/agency-notices/{notice}/files/{file}", { params: { path } })));
  const download = async () => {
    try {
      const { blob } = await blobOf(client.GET("/api/v1/cases/{id}/agency-notices/{notice}/files/{file}", { params: { path }, parseAs: "blob" }));
      save(blob, file.name);
    } catch (error) {
      notifyFailure(t("ui.not_done"), (error instanceof Error && error.message) || t("ui.unreachable"));
    }
  };
  return (
    <li>
      <span className={styles.fileName}>{file.name}</span>
      <span className="dim">{file.state === "receiving" ? t("agency_notice.file_state.receiving", { share: percent(file.received / file.bytes) }) : bytes(file.bytes)}</span>
      {file.state === "kept" && (
        <Button size="compact-xs" variant="default" className="no-print" leftSection={<IconDownload size={13} />} aria-label={t("work.download_of", { name: file.name })} onClick={() => void download()}>
          {t("work.download")}
        </Button>
      )}
      {editable && notice.state === "draft" && (
        <Button size="compact-xs" variant="subtle" color="gray" className="no-print" loading={drop.isPending} aria-label={t("cases.to_agency.detach", { name: file.name })} onClick={() => drop.mutate(undefined)}>
          {t("cases.to_agency.remove")}
        </Button>
      )}
    </li>
  );
}

function Upload({ file, onTake }: { file: AgencyFile; onTake?: () => void }) {
  const { t } = useTranslation();
  const scan = file.scan ?? "not_scanned";
  const Icon = scan === "clean" ? IconShieldCheck : scan === "matched" ? IconShieldX : IconShieldQuestion;
  return (
    <li>
      <span className={styles.fileName}>{file.name}</span>
      <span className="dim">
        {bytes(file.bytes)} · {file.kind || t("agency_notice.file_state.receiving", { share: percent(file.received / file.bytes) })} · {file.by?.display_name ?? t("ui.nobody")}, {fullTime(file.at).slice(0, 16)}
      </span>
      {file.state !== "receiving" && (
        <span className={styles.scan} data-scan={scan}>
          <Icon size={14} aria-hidden />
          {t(`cases.to_agency.scan.${scan}`)}
          {file.matches && file.matches.length > 0 && `: ${file.matches.join(", ")}`}
        </span>
      )}
      {file.state === "kept" && onTake && (
        <Button size="compact-xs" variant="default" className="no-print" leftSection={<IconDownload size={13} />} aria-label={`${t("cases.to_agency.take")}: ${file.name}`} onClick={onTake}>
          {t("cases.to_agency.take")}
        </Button>
      )}
      {file.state === "waiting" && (
        <span className="dim">
          {t("agency_notice.file_state.waiting")}
          {file.problem && ` (${file.problem})`}
        </span>
      )}
      {file.digest && (
        <span className={styles.digest}>
          SHA-256 <code>{file.digest}</code>
        </span>
      )}
    </li>
  );
}

function Take({ detail, notice, file, onDone }: { detail: CaseDetail; notice: CaseAgencyNotice; file: AgencyFile; onDone: () => void }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [reason, setReason] = useState("");
  const take = useMutation({
    mutationFn: async () => {
      const path = { id: detail.id, notice: notice.id, file: file.id };
      const { blob, response } = await blobOf(client.POST("/api/v1/cases/{id}/agency-notices/{notice}/files/{file}/read", { params: { path }, body: { reason: reason.trim() }, parseAs: "blob" }));
      save(blob, `${file.digest.slice(0, 16)}.zip`);
      return response.headers.get("x-luytre-password");
    },
    onSuccess: () => void queries.invalidateQueries({ queryKey: ["case", detail.id] }),
    onError: (error) => notifyFailure(t("ui.not_done"), error.message || t("ui.unreachable")),
  });
  if (take.isSuccess) {
    return (
      <Stack gap="sm">
        <Text size="sm">{t("cases.to_agency.password_hint")}</Text>
        {take.data && <Copyable value={take.data} label={t("cases.evidence_password")} />}
        <Group justify="flex-end">
          <Button onClick={onDone}>{t("ui.close")}</Button>
        </Group>
      </Stack>
    );
  }
  return (
    <Stack gap="sm">
      <Text size="sm" c="dimmed">
        {t("cases.to_agency.take_hint")}
      </Text>
      <Textarea label={t("cases.why")} autosize minRows={2} maxLength={500} value={reason} onChange={(event) => setReason(event.currentTarget.value)} data-autofocus />
      <Group justify="flex-end" gap="xs">
        <Button variant="default" onClick={onDone}>
          {t("ui.cancel")}
        </Button>
        <Button disabled={reason.trim() === ""} loading={take.isPending} onClick={() => take.mutate()}>
          {t("cases.to_agency.take")}
        </Button>
      </Group>
    </Stack>
  );
}
