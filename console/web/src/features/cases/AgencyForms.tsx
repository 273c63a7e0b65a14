// Writing to an agency: a notice with its documents, something that is added, and the end of one.
import { Button, Checkbox, FileButton, Group, Progress, Select, Stack, Textarea, TextInput } from "@mantine/core";
import { IconPaperclip } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { client, must } from "../../api/client";
import { useAgencies } from "../../api/shared";
import type { Ask, CaseAgencyNotice, CaseDetail, Tlp } from "../../api/types";
import { sendInPieces } from "../../api/uploads";
import { bytes, percent } from "../../ui/format";
import { fromPicker, nowLocal } from "../../ui/moments";
import { notify, notifyFailure } from "../../ui/notify";
import { useCaseAction } from "./queries";
import styles from "./Agencies.module.css";

const ASKS: readonly Ask[] = ["confirm", "answer", "logs", "remediation"];
const TLPS: readonly Tlp[] = ["red", "amber_strict", "amber", "green", "clear"];
const MAX_WORDS = 10_000;
/** As the server has it: a document, and a piece of one. */
const MAX_DOCUMENT_BYTES = 10 * 1024 * 1024;
const PIECE_BYTES = 512 * 1024;

export function NoticeForm({ detail, onDone }: { detail: CaseDetail; onDone: () => void }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const agencies = useAgencies();
  const [agency, setAgency] = useState<string | null>(detail.agency?.id ?? null);
  const [subject, setSubject] = useState("");
  const [text, setText] = useState("");
  const [tlp, setTlp] = useState<Tlp>(detail.tlp);
  const [asks, setAsks] = useState<Ask[]>(["confirm", "answer"]);
  const [due, setDue] = useState("");
  const [files, setFiles] = useState<File[]>([]);
  const [share, setShare] = useState<number | null>(null);
  const known = (agencies.data ?? []).some((each) => each.id === agency);
  const send = useMutation({
    mutationFn: async () => {
      const path = { id: detail.id };
      const body = { agency_id: agency ?? "", subject: subject.trim(), text: text.trim(), tlp, asks, ...(due !== "" ? { due_at: fromPicker(due) } : {}) };
      const notice = await must(client.POST("/api/v1/cases/{id}/agency-notices", { params: { path }, body }));
      const of = { ...path, notice: notice.id };
      for (const content of files) {
        await sendInPieces(content, PIECE_BYTES, {
          begin: () => must(client.POST("/api/v1/cases/{id}/agency-notices/{notice}/files", { params: { path: of }, body: { name: content.name, bytes: content.size } })),
          put: (file, at, piece) =>
            must(
              client.PUT("/api/v1/cases/{id}/agency-notices/{notice}/files/{file}", {
                params: { path: { ...of, file }, query: { at } },
                body: piece as unknown as number[],
                bodySerializer: (sent) => sent as unknown as BodyInit,
                headers: { "content-type": "application/octet-stream" },
              }),
            ),
          look: async (file) => {
            const now = await must(client.GET("/api/v1/cases/{id}", { params: { path } }));
            return now.agency_notices.find((each) => each.id === notice.id)?.files.find((each) => each.id === file);
          },
          progress: setShare,
        });
      }
      return must(client.POST("/api/v1/cases/{id}/agency-notices/{notice}/send", { params: { path: of } }));
    },
    onSuccess: (now) => {
      queries.setQueryData(["case", detail.id], now);
      const sent = now.agency_notices.at(-1);
      notify(t("cases.to_agency.sent", { agency: sent?.agency.name ?? "" }));
      onDone();
    },
    onError: (error) => {
      // What was prepared stands in the case as a draft.
      void queries.invalidateQueries({ queryKey: ["case", detail.id] });
      notifyFailure(t("ui.not_done"), error.message || t("ui.unreachable"));
    },
    onSettled: () => setShare(null),
  });
  const choose = (chosen: File[]) => {
    for (const file of chosen.filter((each) => each.size > MAX_DOCUMENT_BYTES)) notifyFailure(t("ui.not_done"), t("work.upload_too_large", { name: file.name, size: bytes(MAX_DOCUMENT_BYTES) }));
    setFiles([...files, ...chosen.filter((each) => each.size > 0 && each.size <= MAX_DOCUMENT_BYTES)]);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    send.mutate();
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        <Select label={t("cases.to_agency.to")} searchable data-autofocus value={known ? agency : null} onChange={setAgency} data={(agencies.data ?? []).map((each) => ({ value: each.id, label: each.name }))} limit={100} />
        <TextInput label={t("cases.to_agency.subject")} maxLength={200} value={subject} onChange={(event) => setSubject(event.currentTarget.value)} />
        <Textarea label={t("cases.to_agency.text")} description={t("cases.to_agency.text_hint")} autosize minRows={4} maxRows={14} maxLength={MAX_WORDS} value={text} onChange={(event) => setText(event.currentTarget.value)} />
        <Checkbox.Group label={t("cases.to_agency.asks")} value={asks} onChange={(chosen) => setAsks(ASKS.filter((ask) => chosen.includes(ask)))}>
          <Group gap="md" mt={6}>
            {ASKS.map((ask) => (
              <Checkbox key={ask} value={ask} label={t(`agency_notice.ask.${ask}`)} />
            ))}
          </Group>
        </Checkbox.Group>
        <Group grow align="start">
          <TextInput type="datetime-local" label={t("agency_notice.due")} min={nowLocal()} value={due} onChange={(event) => setDue(event.currentTarget.value)} />
          <Select label="TLP" description={t(`cases.tlp_hint.${tlp}`)} inputWrapperOrder={["label", "input", "description"]} allowDeselect={false} value={tlp} onChange={(chosen) => setTlp(TLPS.find((each) => each === chosen) ?? tlp)} data={TLPS.map((each) => ({ value: each, label: `TLP:${each.toUpperCase().replace("_", "+")}` }))} />
        </Group>
        <div>
          <FileButton multiple onChange={choose} inputProps={{ "aria-label": t("cases.to_agency.attach") }}>
            {(props) => (
              <Button {...props} size="compact-sm" variant="default" leftSection={<IconPaperclip size={14} />}>
                {t("cases.to_agency.attach")}
              </Button>
            )}
          </FileButton>
          {files.length > 0 && (
            <ul className={styles.chosen}>
              {files.map((file, at) => (
                <li key={`${file.name}-${at}`}>
                  {file.name} <span className="dim">{bytes(file.size)}</span>
                  <Button size="compact-xs" variant="subtle" color="gray" aria-label={t("cases.to_agency.detach", { name: file.name })} onClick={() => setFiles(files.filter((_, place) => place !== at))}>
                    {t("cases.to_agency.remove")}
                  </Button>
                </li>
              ))}
            </ul>
          )}
        </div>
        {share !== null && <Progress value={share * 100} aria-label={percent(share)} />}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onDone}>
            {t("ui.cancel")}
          </Button>
          <Button type="submit" disabled={!known || subject.trim() === "" || text.trim() === ""} loading={send.isPending}>
            {t("cases.to_agency.send")}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

export function MessageForm({ detail, notice, onDone }: { detail: CaseDetail; notice: CaseAgencyNotice; onDone: () => void }) {
  const { t } = useTranslation();
  const [text, setText] = useState("");
  const say = useCaseAction(detail.id, () => must(client.POST("/api/v1/cases/{id}/agency-notices/{notice}/messages", { params: { path: { id: detail.id, notice: notice.id } }, body: { text: text.trim() } })));
  return (
    <Stack gap="sm">
      <Textarea label={t("cases.to_agency.text")} description={t("cases.to_agency.message_hint")} autosize minRows={3} maxRows={14} maxLength={MAX_WORDS} value={text} onChange={(event) => setText(event.currentTarget.value)} data-autofocus />
      <Group justify="flex-end" gap="xs">
        <Button variant="default" onClick={onDone}>
          {t("ui.cancel")}
        </Button>
        <Button disabled={text.trim() === ""} loading={say.isPending} onClick={() => say.mutate(undefined, { onSuccess: onDone })}>
          {t("cases.to_agency.send")}
        </Button>
      </Group>
    </Stack>
  );
}

export function EndForm({ detail, notice, onDone }: { detail: CaseDetail; notice: CaseAgencyNotice; onDone: () => void }) {
  const { t } = useTranslation();
  const [reason, setReason] = useState("");
  const end = useCaseAction(detail.id, () => must(client.POST("/api/v1/cases/{id}/agency-notices/{notice}/end", { params: { path: { id: detail.id, notice: notice.id } }, body: { reason: reason.trim() } })));
  return (
    <Stack gap="sm">
      <Textarea label={t("cases.why")} description={t("cases.to_agency.end_hint")} autosize minRows={2} maxLength={500} value={reason} onChange={(event) => setReason(event.currentTarget.value)} data-autofocus />
      <Group justify="flex-end" gap="xs">
        <Button variant="default" onClick={onDone}>
          {t("ui.cancel")}
        </Button>
        <Button disabled={reason.trim() === ""} loading={end.isPending} onClick={() => end.mutate(undefined, { onSuccess: onDone })}>
          {t("cases.to_agency.end")}
        </Button>
      </Group>
    </Stack>
  );
}
