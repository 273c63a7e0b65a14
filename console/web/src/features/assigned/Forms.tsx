// The places where an agency answers: words, files, what was done.
import { ActionIcon, Button, FileButton, Progress, Stack, Textarea, TextInput } from "@mantine/core";
import { IconUpload, IconX } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { client, must } from "../../api/client";
import { useCaller } from "../../api/session";
import type { AgencyFile, AgencyNotice } from "../../api/types";
import { bytes, percent } from "../../ui/format";
import { fromPicker, nowLocal } from "../../ui/moments";
import { notify, notifyFailure } from "../../ui/notify";
import { upload, useSay, useWork } from "./queries";
import styles from "./Work.module.css";

const MAX_WORDS = 10_000;

export function AnswerForm({ id }: { id: string }) {
  const { t } = useTranslation();
  const [text, setText] = useState("");
  const answer = useSay(
    id,
    () => must(client.POST("/api/v1/agency-work/{id}/answers", { params: { path: { id } }, body: { text: text.trim() } })),
    () => {
      setText("");
      notify(t("work.answered"));
    },
  );
  const submit = (event: FormEvent) => {
    event.preventDefault();
    answer.mutate(undefined);
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="xs" align="stretch">
        <Textarea label={t("work.answer")} description={t("work.answer_hint")} autosize minRows={3} maxRows={16} maxLength={MAX_WORDS} value={text} onChange={(event) => setText(event.currentTarget.value)} />
        <div>
          <Button type="submit" disabled={text.trim() === ""} loading={answer.isPending}>
            {t("work.answer_send")}
          </Button>
        </div>
      </Stack>
    </form>
  );
}

export function RemediationForm({ id }: { id: string }) {
  const { t } = useTranslation();
  const caller = useCaller();
  const [text, setText] = useState("");
  const [at, setAt] = useState("");
  const [by, setBy] = useState(caller.display_name);
  const report = useSay(
    id,
    () => must(client.POST("/api/v1/agency-work/{id}/remediation", { params: { path: { id } }, body: { text: text.trim(), done_at: fromPicker(at), done_by: by.trim() } })),
    () => {
      setText("");
      setAt("");
      notify(t("work.remediated"));
    },
  );
  const submit = (event: FormEvent) => {
    event.preventDefault();
    report.mutate(undefined);
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="xs" align="stretch">
        <Textarea label={t("work.remediation")} description={t("work.remediation_hint")} autosize minRows={3} maxRows={16} maxLength={MAX_WORDS} value={text} onChange={(event) => setText(event.currentTarget.value)} />
        <div className={styles.pair}>
          <TextInput type="datetime-local" label={t("work.remediation_at")} max={nowLocal()} value={at} onChange={(event) => setAt(event.currentTarget.value)} />
          <TextInput label={t("work.remediation_by")} maxLength={200} value={by} onChange={(event) => setBy(event.currentTarget.value)} />
        </div>
        <div>
          <Button type="submit" disabled={text.trim() === "" || at === "" || by.trim() === ""} loading={report.isPending}>
            {t("work.remediation_send")}
          </Button>
        </div>
      </Stack>
    </form>
  );
}

interface Moving {
  name: string;
  share: number;
}

export function Uploads({ notice, open }: { notice: AgencyNotice; open: boolean }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const work = useWork();
  const [moving, setMoving] = useState<Moving | null>(null);
  const files = notice.files.filter((file) => file.from_agency);
  const most = work.data?.file_max_bytes ?? 0;
  const reload = () => queries.invalidateQueries({ queryKey: ["agency-work"] });
  const drop = useSay(notice.id, (file: string) => must(client.DELETE("/api/v1/agency-work/{id}/files/{file}", { params: { path: { id: notice.id, file } } })), () => undefined);
  const send = async (chosen: readonly File[]) => {
    if (!work.data) return;
    for (const content of chosen) {
      if (content.size > most) {
        notifyFailure(t("ui.not_done"), t("work.upload_too_large", { name: content.name, size: bytes(most) }));
        continue;
      }
      if (content.size === 0) {
        notifyFailure(t("ui.not_done"), t("work.upload_empty", { name: content.name }));
        continue;
      }
      setMoving({ name: content.name, share: 0 });
      try {
        await upload(notice, content, work.data.piece_max_bytes, (share) => setMoving({ name: content.name, share }));
        notify(t("work.uploaded", { name: content.name }));
      } catch (error) {
        notifyFailure(t("ui.not_done"), (error instanceof Error && error.message) || t("ui.unreachable"));
      }
      await reload();
    }
    setMoving(null);
  };
  return (
    <Stack gap="xs" align="stretch">
      {open && (
        <>
          <p className="dim">{t("work.upload_hint", { size: bytes(most) })}</p>
          <div>
            <FileButton multiple onChange={(chosen) => void send(chosen)} inputProps={{ "aria-label": t("work.upload") }}>
              {(props) => (
                <Button {...props} variant="default" leftSection={<IconUpload size={15} />} loading={moving !== null} disabled={!work.data}>
                  {t("work.upload")}
                </Button>
              )}
            </FileButton>
          </div>
          <div role="status">
            {moving && (
              <>
                <div>{t("work.uploading", { name: moving.name, share: percent(moving.share) })}</div>
                <Progress value={moving.share * 100} aria-label={t("work.uploading", { name: moving.name, share: "" })} mt={4} />
              </>
            )}
          </div>
        </>
      )}
      {files.length > 0 && (
        <ul className={styles.uploads} aria-label={t("agency_notice.uploads")}>
          {files.map((file) => (
            <Sent key={file.id} file={file} onDrop={open && moving === null ? () => drop.mutate(file.id) : undefined} />
          ))}
        </ul>
      )}
    </Stack>
  );
}

function Sent({ file, onDrop }: { file: AgencyFile; onDrop?: () => void }) {
  const { t } = useTranslation();
  const unfinished = file.state === "receiving";
  return (
    <li>
      <span className={styles.fileName}>{file.name}</span>
      <span className="dim">
        {bytes(file.bytes)} · {unfinished ? t("agency_notice.file_state.receiving", { share: percent(file.received / file.bytes) }) : t("agency_notice.received")}
      </span>
      {unfinished && onDrop && (
        <span className={styles.unfinished}>
          {t("work.upload_unfinished")}
          <ActionIcon size="sm" variant="subtle" color="gray" aria-label={t("work.upload_drop", { name: file.name })} onClick={onDrop}>
            <IconX size={14} />
          </ActionIcon>
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
