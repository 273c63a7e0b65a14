// What a decision is about: one alert, a group, or everything that was marked; and what came of it, in words.
import { useTranslation } from "react-i18next";
import { phrase } from "../../api/phrases";
import type { AlertGroup, AlertQuery, BulkAnswer, BulkRequest, Severity } from "../../api/types";
import { SEVERITIES } from "../../api/types";
import { count } from "../../ui/format";
import { notifyFailure } from "../../ui/notify";
import { alertOf, sizeOf, type Row } from "./rows";

export interface Targets {
  /** The rows, so that they can leave. */
  rows: readonly string[];
  ids: string[];
  groups: string[];
  filter?: AlertQuery;
  /** How many alerts. */
  size: number;
  severity: Severity;
}

export function targetsOf(rows: readonly Row[], filter: AlertQuery | undefined): Targets {
  const wanted = rows.filter((row) => row.kind !== "rest");
  // A member whose whole group is meant is meant once.
  const groups = wanted.flatMap((row) => (row.kind === "group" ? [row.group.key] : []));
  const worst = SEVERITIES.find((level) => wanted.some((row) => (row.kind === "group" ? row.group.severity : alertOf(row).severity) === level));
  return {
    rows: wanted.map((row) => row.id),
    ids: wanted.flatMap((row) => (row.kind === "alert" ? [row.alert.id] : [])),
    groups,
    ...(groups.length > 0 && filter !== undefined ? { filter } : {}),
    size: wanted.reduce((sum, row) => sum + sizeOf(row), 0),
    severity: worst ?? "medium",
  };
}

export function ofGroup(group: AlertGroup, filter: AlertQuery): Targets {
  return { rows: [group.key], ids: [], groups: [group.key], filter, size: group.alerts, severity: group.severity };
}

/** The part of a request that says which alerts are meant. */
export function meant({ ids, groups, filter }: Targets): Pick<BulkRequest, "ids" | "groups" | "filter"> {
  return { ids, groups, ...(filter === undefined ? {} : { filter }) };
}

/** Says what came of a decision on many: exact counts, and the first failure where there is one. */
export function useOutcome() {
  const { t, i18n } = useTranslation();
  return (what: "done" | "escalated" | "assigned", answer: BulkAnswer): string => {
    const { changed, unchanged, failed, failures, case_number } = answer;
    const text = t(`alerts.bulk.${what}`, { changed: count(changed), unchanged: count(unchanged), failed: count(failed), number: case_number ?? "" });
    const first = failures[0];
    if (first) notifyFailure(t("ui.not_done"), phrase(i18n.language, first.message));
    return changed === 0 && failed === 0 && unchanged === 0 ? t("alerts.bulk.nothing") : text;
  };
}
