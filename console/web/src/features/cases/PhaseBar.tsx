// The phases of a case in their order, with the times they began; a click begins one.
import { Button, Group, Popover, Stack, Text, Textarea, Tooltip } from "@mantine/core";
import { IconCheck } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { client, must } from "../../api/client";
import type { CaseDetail, CaseEntry } from "../../api/types";
import { notify } from "../../ui/notify";
import { Time } from "../../ui/Time";
import { useCaseAction, useCaseData } from "./queries";
import styles from "./Case.module.css";

export function PhaseBar({ detail, editable }: { detail: CaseDetail; editable: boolean }) {
  const { t } = useTranslation();
  const { data } = useCaseData();
  const now = data.phases.entry.findIndex((entry) => entry.id === detail.phase);
  return (
    <section aria-label={t("cases.phases")} className={styles.phases}>
      <ol>
        {data.phases.entry.map((entry, at) => (
          <PhaseStep key={entry.id} detail={detail} entry={entry} number={at + 1} state={at === now ? "now" : at < now ? "past" : "ahead"} editable={editable} />
        ))}
      </ol>
      <div className={styles.citation}>{t("cases.cited", { citation: data.phases.citation, status: t(`cases.citation.${data.phases.status === "verified" ? "verified" : data.phases.status === "secondary" ? "secondary" : "memory"}`) })}</div>
    </section>
  );
}

interface StepProps {
  detail: CaseDetail;
  entry: CaseEntry;
  number: number;
  state: "past" | "now" | "ahead";
  editable: boolean;
}

function PhaseStep({ detail, entry, number, state, editable }: StepProps) {
  const { t } = useTranslation();
  const { named } = useCaseData();
  const [open, setOpen] = useState(false);
  const times = detail.phases.filter((one) => one.phase === entry.id);
  const last = times.at(-1);
  const entered = times.length > 0;
  const face = (
    <>
      <span className={styles.phaseMark} aria-hidden>
        {state === "past" && entered ? <IconCheck size={12} /> : number}
      </span>
      <span className={styles.phaseName}>{named(entry)}</span>
    </>
  );
  const hint = last ? (
    <>
      {named(entry)} · <Time at={last.at} style="full" /> {last.by?.display_name}
      {last.note && <div>{last.note}</div>}
    </>
  ) : (
    named(entry)
  );
  return (
    <li data-state={state} data-entered={entered || undefined} aria-current={state === "now" ? "step" : undefined}>
      {editable ? (
        <Popover opened={open} onChange={setOpen} position="bottom" withArrow trapFocus>
          <Popover.Target>
            <Tooltip label={hint} disabled={open}>
              <button type="button" onClick={() => setOpen(!open)} aria-expanded={open}>
                {face}
              </button>
            </Tooltip>
          </Popover.Target>
          <Popover.Dropdown>
            <Enter detail={detail} entry={entry} onDone={() => setOpen(false)} />
          </Popover.Dropdown>
        </Popover>
      ) : (
        <Tooltip label={hint}>
          <span>{face}</span>
        </Tooltip>
      )}
      <span className={styles.phaseTime}>{last ? <Time at={last.at} style="short" /> : <span className="visually-hidden">{t("cases.phase_not_begun")}</span>}</span>
    </li>
  );
}

function Enter({ detail, entry, onDone }: { detail: CaseDetail; entry: CaseEntry; onDone: () => void }) {
  const { t } = useTranslation();
  const { named } = useCaseData();
  const [note, setNote] = useState("");
  const enter = useCaseAction(detail.id, () =>
    must(client.POST("/api/v1/cases/{id}/phase", { params: { path: { id: detail.id } }, body: { phase: entry.id, note, version: detail.version } })),
  );
  const submit = () =>
    enter.mutate(undefined, {
      onSuccess: () => {
        notify(t("cases.phase_begun", { phase: named(entry) }));
        onDone();
      },
    });
  return (
    <Stack gap="xs" w={280}>
      <Text size="sm" fw={600}>
        {named(entry)}
      </Text>
      <Textarea size="xs" label={t("cases.phase_note")} autosize minRows={2} maxLength={2000} value={note} onChange={(event) => setNote(event.currentTarget.value)} data-autofocus />
      <Group justify="flex-end" gap="xs">
        <Button size="xs" variant="default" onClick={onDone}>
          {t("ui.cancel")}
        </Button>
        <Button size="xs" loading={enter.isPending} onClick={submit}>
          {t("cases.phase_begin")}
        </Button>
      </Group>
    </Stack>
  );
}
