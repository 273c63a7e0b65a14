// The head of a case: number, title, marks, and the clocks that run.
import { ActionIcon, Anchor, Button, TextInput, Tooltip } from "@mantine/core";
import { IconAlarm, IconArrowLeft, IconArrowMerge, IconClock, IconLock, IconPencil, IconPrinter, IconProgress } from "@tabler/icons-react";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { CaseDetail } from "../../api/types";
import { count } from "../../ui/format";
import { useNow } from "../../ui/clock";
import { SeverityBadge } from "../../ui/Severity";
import { Time } from "../../ui/Time";
import { TlpMark } from "./marks";
import { useCaseData, useChangeCase } from "./queries";
import { StatusBadge } from "./StatusBadge";
import styles from "./Case.module.css";

export function CaseHeader({ detail, editable }: { detail: CaseDetail; editable: boolean }) {
  const { t } = useTranslation();
  const into = detail.facts.merged_into;
  return (
    <div className={styles.heading}>
      <div className={styles.crumbs}>
        <Link to="/cases" className={`${styles.back} no-print`}>
          <IconArrowLeft size={14} aria-hidden />
          {t("cases.title")}
        </Link>
        <span className="dim">{t("cases.case_number", { number: detail.number })}</span>
        <SeverityBadge level={detail.severity} compact />
        <StatusBadge status={detail.status} />
        {detail.priority && <span className={styles.chip}>{t(`cases.priority_name.${detail.priority}`)}</span>}
        <TlpMark tlp={detail.tlp} />
        {detail.restricted && (
          <Tooltip label={detail.members.map((person) => person.display_name).join(", ")}>
            <span className={styles.chip} data-kind="restricted">
              <IconLock size={12} aria-hidden />
              {t("cases.restricted")}
            </span>
          </Tooltip>
        )}
      </div>
      <Title detail={detail} editable={editable} />
      {into && (
        <div className={styles.merged} role="note">
          <IconArrowMerge size={15} aria-hidden />
          {t("cases.merged_into")}{" "}
          <Anchor component={Link} to={`/cases/${encodeURIComponent(into.id)}`} size="sm">
            #{into.number} {into.title}
          </Anchor>
        </div>
      )}
      <Clocks detail={detail} />
    </div>
  );
}

function Title({ detail, editable }: { detail: CaseDetail; editable: boolean }) {
  const { t } = useTranslation();
  const change = useChangeCase(detail);
  const [title, setTitle] = useState<string | null>(null);
  if (title === null) {
    return (
      <div className={styles.headingLine}>
        <h1 className={styles.caseTitle}>{detail.title}</h1>
        {editable && (
          <ActionIcon className="no-print" variant="subtle" color="gray" onClick={() => setTitle(detail.title)} aria-label={`${t("cases.edit")}: ${t("cases.name")}`}>
            <IconPencil size={16} />
          </ActionIcon>
        )}
        <Tooltip label={t("cases.print")}>
          <ActionIcon className="no-print" variant="subtle" color="gray" onClick={() => window.print()} aria-label={t("cases.print")}>
            <IconPrinter size={17} />
          </ActionIcon>
        </Tooltip>
      </div>
    );
  }
  return (
    <form
      className={styles.headingLine}
      onSubmit={(event) => {
        event.preventDefault();
        change.mutate({ title: title.trim() }, { onSuccess: () => setTitle(null) });
      }}
    >
      <TextInput aria-label={t("cases.name")} value={title} onChange={(event) => setTitle(event.currentTarget.value)} maxLength={200} autoFocus style={{ flex: 1 }} />
      <Button type="submit" loading={change.isPending} disabled={title.trim() === ""}>
        {t("ui.save")}
      </Button>
      <Button variant="default" onClick={() => setTitle(null)}>
        {t("ui.cancel")}
      </Button>
    </form>
  );
}

function Clocks({ detail }: { detail: CaseDetail }) {
  const { t } = useTranslation();
  const { name } = useCaseData();
  const now = useNow();
  const since = (at: string) => {
    const minutes = Math.max(0, Math.floor((now - Date.parse(at)) / 60_000));
    const [days, hours] = [Math.floor(minutes / 1440), Math.floor(minutes / 60) % 24];
    if (days > 0) return t("cases.elapsed.days", { days: count(days), hours });
    return hours > 0 ? t("cases.elapsed.hours", { hours, minutes: minutes % 60 }) : t("cases.elapsed.minutes", { minutes });
  };
  const running = detail.status !== "closed";
  const { detected_at } = detail.facts;
  return (
    <div className={styles.clocks}>
      {detected_at && (
        <Clock icon={<IconClock size={15} aria-hidden />} label={t("cases.detected")} note={<Time at={detected_at} style="full" />}>
          {running ? since(detected_at) : <Time at={detected_at} style="short" />}
        </Clock>
      )}
      <Clock icon={<IconProgress size={15} aria-hidden />} label={t("cases.phase")} note={detail.phase_since ? <Time at={detail.phase_since} style="full" /> : t("cases.phase_none_hint")}>
        {detail.phase ? name(detail.phase) : t("cases.phase_none")}
      </Clock>
      <Clock
        icon={<IconAlarm size={15} aria-hidden />}
        bad={running && detail.overdue_tasks > 0}
        label={detail.overdue_tasks > 0 ? t("cases.overdue") : t("cases.next_due")}
        note={detail.next_due ? <Time at={detail.next_due} style="full" /> : t("cases.no_due")}
      >
        {detail.overdue_tasks > 0 ? t("cases.overdue_count", { number: count(detail.overdue_tasks) }) : detail.next_due ? <Time at={detail.next_due} /> : "—"}
      </Clock>
    </div>
  );
}

function Clock({ icon, label, note, bad = false, children }: { icon: ReactNode; label: string; note: ReactNode; bad?: boolean; children: ReactNode }) {
  return (
    <div className={styles.clock} data-bad={bad || undefined}>
      <span className={styles.clockLabel}>
        {icon}
        {label}
      </span>
      <b>{children}</b>
      <span className={styles.clockNote}>{note}</span>
    </div>
  );
}
