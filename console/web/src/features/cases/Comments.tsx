// What people say to each other about a case; a name after @ calls somebody.
import { Avatar, Button, Combobox, Stack, Textarea, useCombobox } from "@mantine/core";
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { client, must } from "../../api/client";
import { useColleagues } from "../../api/shared";
import type { CaseDetail, User } from "../../api/types";
import { Panel } from "../../ui/Page";
import { Time } from "../../ui/Time";
import { useCaseAction } from "./queries";
import styles from "./Case.module.css";

const NAME = /(^|[^\p{L}\p{N}@])@([a-z0-9._-]{1,64})/giu;
/** The beginning of a name under the cursor. */
const TYPING = /(?:^|[^\p{L}\p{N}])@([a-z0-9._-]{0,64})$/iu;
const OFFERED = 6;

/** A comment with the people it calls marked. */
function Said({ text }: { text: string }) {
  const parts: React.ReactNode[] = [];
  let last = 0;
  for (const match of text.matchAll(NAME)) {
    const start = (match.index ?? 0) + (match[1]?.length ?? 0);
    parts.push(text.slice(last, start), <b key={start} className={styles.mention}>{`@${match[2]}`}</b>);
    last = start + 1 + (match[2]?.length ?? 0);
  }
  parts.push(text.slice(last));
  return <div className={styles.prose}>{parts}</div>;
}

export function Comments({ detail, editable }: { detail: CaseDetail; editable: boolean }) {
  const { t } = useTranslation();
  return (
    <Panel title={t("cases.notes")}>
      {detail.notes.length === 0 && <p className={`${styles.none} dim`}>{t("cases.notes_empty")}</p>}
      {detail.notes.map((note) => (
        <article key={note.id} className={styles.note}>
          <Avatar size={26} radius="xl" name={note.by?.display_name ?? ""} classNames={{ placeholder: styles.initials }} aria-hidden />
          <div className={styles.grow}>
            <div className={styles.noteHead}>
              <b>{note.by?.display_name ?? t("ui.nobody")}</b>
              <span className="dim">
                <Time at={note.at} style="full" />
              </span>
            </div>
            <Said text={note.text} />
          </div>
        </article>
      ))}
      {editable && <Write detail={detail} />}
    </Panel>
  );
}

function Write({ detail }: { detail: CaseDetail }) {
  const { t } = useTranslation();
  const [text, setText] = useState("");
  const [typing, setTyping] = useState<string | null>(null);
  const area = useRef<HTMLTextAreaElement>(null);
  const people = useColleagues();
  const combobox = useCombobox();
  const add = useCaseAction(detail.id, () => must(client.POST("/api/v1/cases/{id}/notes", { params: { path: { id: detail.id } }, body: { text: text.trim() } })));
  const allowed = (user: User) => !detail.restricted || detail.members.some((member) => member.id === user.id);
  const wanted = (typing ?? "").toLowerCase();
  const offers = typing === null ? [] : (people.data ?? []).filter((user) => allowed(user) && (user.name.includes(wanted) || user.display_name.toLowerCase().includes(wanted))).slice(0, OFFERED);
  const look = (value: string, cursor: number) => {
    setText(value);
    const match = TYPING.exec(value.slice(0, cursor));
    setTyping(match ? (match[1] ?? "") : null);
    if (match) combobox.openDropdown();
    else combobox.closeDropdown();
  };
  const choose = (name: string) => {
    const cursor = area.current?.selectionStart ?? text.length;
    const before = text.slice(0, cursor).replace(/@[a-z0-9._-]*$/iu, `@${name} `);
    setText(before + text.slice(cursor));
    setTyping(null);
    combobox.closeDropdown();
    area.current?.focus();
  };
  return (
    <Stack gap="xs" className="no-print">
      <Combobox store={combobox} onOptionSubmit={choose} position="top-start">
        <Combobox.Target autoComplete="off">
          <Textarea ref={area} aria-label={t("cases.note")} placeholder={t("cases.note_hint")} autosize minRows={2} maxRows={14} maxLength={20000} value={text} onChange={(event) => look(event.currentTarget.value, event.currentTarget.selectionStart)} onBlur={() => combobox.closeDropdown()} />
        </Combobox.Target>
        <Combobox.Dropdown hidden={offers.length === 0}>
          <Combobox.Options aria-label={t("cases.people")}>
            {offers.map((user) => (
              <Combobox.Option key={user.id} value={user.name}>
                {user.display_name} <span className="mono dim">@{user.name}</span>
              </Combobox.Option>
            ))}
          </Combobox.Options>
        </Combobox.Dropdown>
      </Combobox>
      <div className={styles.formActions}>
        <Button size="xs" disabled={text.trim() === ""} loading={add.isPending} onClick={() => add.mutate(undefined, { onSuccess: () => setText("") })}>
          {t("cases.add_note")}
        </Button>
      </div>
    </Stack>
  );
}
