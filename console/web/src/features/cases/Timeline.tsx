// What happened, newest first: evidence, what people did, and what was put in by hand, each at its own time.
import { Button, Chip, Group, Textarea } from "@mantine/core";
import { DateTimePicker } from "@mantine/dates";
import { IconAlertTriangle, IconBuilding, IconFlag, IconMessage, IconPencil, IconProgress, IconShieldLock } from "@tabler/icons-react";
import { useState, type FormEvent, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { client, must } from "../../api/client";
import { useRuleNames } from "../../api/shared";
import type { CaseDetail } from "../../api/types";
import { RecordDetail, useRecordWords } from "../../ui/Record";
import { fullTime } from "../../ui/format";
import { Panel } from "../../ui/Page";
import { SeverityBadge } from "../../ui/Severity";
import { Empty } from "../../ui/States";
import { fromPicker } from "../../ui/moments";
import { useCaseAction, useCaseData } from "./queries";
import styles from "./Case.module.css";

const KINDS = ["hand", "alert", "phase", "note", "evidence", "agency", "act"] as const;
type Kind = (typeof KINDS)[number];

interface Moment {
  key: string;
  at: string;
  kind: Kind;
  icon: ReactNode;
  title: ReactNode;
  more?: ReactNode;
  by?: string;
}

/** Kinds of acts that stand in the timeline as something else already. */
const SHOWN_OTHERWISE: readonly string[] = ["noted", "phase", "event_added", "linked", "evidence_sealed", "agency_confirmed", "agency_answered", "agency_remediated", "agency_message", "agency_reminded", "agency_late"];
/** Acts that belong to what was said with agencies. */
const WITH_AGENCIES = /^agency_/;

function useMoments(detail: CaseDetail): Moment[] {
  const { t, i18n } = useTranslation();
  const words = useRecordWords();
  const ruleName = useRuleNames();
  const { name } = useCaseData();
  const moments: Moment[] = [
    ...detail.events.map((event) => ({ key: event.id, at: event.at, kind: "hand" as const, icon: <IconPencil size={14} />, title: event.text, by: event.by?.display_name })),
    ...detail.alerts.map((alert) => ({
      key: alert.id,
      at: alert.time,
      kind: "alert" as const,
      icon: <IconAlertTriangle size={14} />,
      title: (
        <Link to={`/alerts/${encodeURIComponent(alert.id)}`} className={styles.title}>
          {i18n.language === "vi" ? (alert.rule_name_vi ?? alert.rule_name) : alert.rule_name}
        </Link>
      ),
      more: (
        <>
          <SeverityBadge level={alert.severity} compact /> <span className="mono dim">{`${alert.source?.ip ?? "—"} → ${alert.destination?.ip ?? "—"}`}</span>
        </>
      ),
    })),
    ...detail.phases.map((phase, at) => ({ key: `phase-${at}`, at: phase.at, kind: "phase" as const, icon: <IconProgress size={14} />, title: <b>{name(phase.phase)}</b>, more: phase.note, by: phase.by?.display_name })),
    ...detail.notes.map((note) => ({ key: note.id, at: note.at, kind: "note" as const, icon: <IconMessage size={14} />, title: <span className={styles.prose}>{note.text}</span>, by: note.by?.display_name })),
    ...detail.evidence.flatMap((item) =>
      item.custody.map((line, at) => ({
        key: `${item.id}-${at}`,
        at: line.at,
        kind: "evidence" as const,
        icon: <IconShieldLock size={14} />,
        title: words.action(`evidence.${line.action}`),
        more: (
          <>
            {line.reason} <span className="mono dim">{item.digest.slice(0, 16)}…</span>
          </>
        ),
        by: line.by?.display_name,
      })),
    ),
    ...detail.agency_notices.flatMap((notice) =>
      notice.entries.map((entry) => ({
        key: entry.id,
        at: entry.at,
        kind: "agency" as const,
        icon: <IconBuilding size={14} />,
        title: `${notice.agency.name} (${notice.reference}): ${t(`agency_notice.entry.${entry.kind}`)}`,
        more: entry.text && <span className={styles.prose}>{entry.text}</span>,
        by: entry.by?.display_name,
      })),
    ),
    ...detail.history
      .filter((entry) => !SHOWN_OTHERWISE.includes(entry.action))
      .map((entry, at) => ({
        key: `act-${at}`,
        at: entry.at,
        kind: WITH_AGENCIES.test(entry.action) ? ("agency" as const) : ("act" as const),
        icon: WITH_AGENCIES.test(entry.action) ? <IconBuilding size={14} /> : <IconFlag size={14} />,
        title: words.action(`case.${entry.action}`),
        more: <RecordDetail detail={entry.detail} say={(field, text) => (field === "rule" ? ruleName(text) : text.split(" → ").map((part) => name(part) || "—").join(" → ") === text ? undefined : text.split(" → ").map((part) => name(part) || t("ui.none")).join(" → "))} inline />,
        by: entry.by?.display_name ?? t("ui.nobody"),
      })),
  ];
  return moments.sort((a, b) => Date.parse(b.at) - Date.parse(a.at));
}

export function Timeline({ detail, editable }: { detail: CaseDetail; editable: boolean }) {
  const { t } = useTranslation();
  const moments = useMoments(detail);
  const [shown, setShown] = useState<string[]>([...KINDS]);
  const visible = moments.filter((moment) => shown.includes(moment.kind));
  return (
    <>
      {editable && <AddEvent detail={detail} />}
      <Panel
        title={t("cases.timeline")}
        aside={
          <Chip.Group multiple value={shown} onChange={setShown}>
            <Group gap={4} className="no-print">
              {KINDS.map((kind) => (
                <Chip key={kind} value={kind} size="xs" variant="light" color="bamboo">
                  {t(`cases.moment.${kind}`)}
                </Chip>
              ))}
            </Group>
          </Chip.Group>
        }
      >
        {visible.length === 0 ? (
          <Empty title={t("cases.timeline_empty")} />
        ) : (
          <ol className={styles.timeline}>
            {visible.map((moment) => (
              <li key={moment.key} data-kind={moment.kind}>
                <time className="mono dim" dateTime={moment.at}>
                  {fullTime(moment.at)}
                </time>
                <span className={styles.momentIcon} aria-hidden>
                  {moment.icon}
                </span>
                <div className={styles.grow}>
                  <div>
                    <span className="visually-hidden">{t(`cases.moment.${moment.kind}`)}: </span>
                    {moment.title}
                    {moment.by && <span className="dim"> · {moment.by}</span>}
                  </div>
                  {moment.more && <div className={styles.momentMore}>{moment.more}</div>}
                </div>
              </li>
            ))}
          </ol>
        )}
      </Panel>
    </>
  );
}

function AddEvent({ detail }: { detail: CaseDetail }) {
  const { t } = useTranslation();
  const [at, setAt] = useState<string | null>(null);
  const [text, setText] = useState("");
  const add = useCaseAction(detail.id, () => must(client.POST("/api/v1/cases/{id}/events", { params: { path: { id: detail.id } }, body: { at: fromPicker(at ?? ""), text: text.trim() } })));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    add.mutate(undefined, { onSuccess: () => setText("") });
  };
  return (
    <form onSubmit={submit} className={`${styles.eventForm} no-print`}>
      <DateTimePicker size="xs" w={180} label={t("cases.event_at")} valueFormat="DD/MM/YYYY HH:mm" value={at} onChange={setAt} />
      <Textarea size="xs" label={t("cases.event_text")} autosize minRows={1} maxRows={6} maxLength={2000} className={styles.grow} value={text} onChange={(event) => setText(event.currentTarget.value)} />
      <Button size="xs" type="submit" loading={add.isPending} disabled={at === null || text.trim() === ""}>
        {t("cases.event_add")}
      </Button>
    </form>
  );
}
