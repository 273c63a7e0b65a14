// Small parts of both overviews: a figure that opens its list, severities side by side, tasks.
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { SEVERITIES, type TaskNow } from "../../api/types";
import { count } from "../../ui/format";
import { SeverityShape } from "../../ui/Severity";
import { Time } from "../../ui/Time";
import styles from "./Overview.module.css";

/** The address of a list with these conditions. */
export function listOf(page: string, conditions: Readonly<Record<string, string | undefined>>): string {
  const named = Object.entries(conditions).filter((pair): pair is [string, string] => pair[1] !== undefined && pair[1] !== "");
  return `${page}?${new URLSearchParams(named).toString()}`;
}

export function Card({ title, aside, children, area }: { title: ReactNode; aside?: ReactNode; children: ReactNode; area?: string }) {
  return (
    <section className={styles.card} data-area={area}>
      <div className={styles.cardHead}>
        <h2>{title}</h2>
        {aside}
      </div>
      {children}
    </section>
  );
}

/** A number that opens the list it was counted from. */
export function Figure({ value, label, to, tone }: { value: number | string; label: string; to: string; tone?: "bad" }) {
  return (
    <Link to={to} className={styles.figure} data-tone={tone}>
      <b>{typeof value === "number" ? count(value) : value}</b> <span>{label}</span>
    </Link>
  );
}

/** How many of each severity, each opening its list. */
export function BySeverity({ counts, to }: { counts: Readonly<Record<string, number>>; to: (severity: string) => string }) {
  const { t } = useTranslation();
  return (
    <ul className={styles.severities}>
      {SEVERITIES.map((level) => (
        <li key={level}>
          <Link to={to(level)} title={t(`severity.${level}`)} data-none={(counts[level] ?? 0) === 0}>
            <SeverityShape level={level} />
            <b>{count(counts[level] ?? 0)}</b>
            <span className={styles.word}>{t(`severity.${level}`)}</span>
          </Link>
        </li>
      ))}
    </ul>
  );
}

export function Tasks({ tasks }: { tasks: readonly TaskNow[] }) {
  return (
    <ul className={styles.list}>
      {tasks.map((task, at) => (
        <li key={at}>
          <Link to={`/cases/${encodeURIComponent(task.case_id)}?tab=tasks`}>
            #{task.case_number} {task.title}
          </Link>
          <span className="dim">
            {task.assignee && `${task.assignee.display_name} · `}
            <Time at={task.due} />
          </span>
        </li>
      ))}
    </ul>
  );
}
