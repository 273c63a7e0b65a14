// What the queue shows, kept in the address so that it can be shared, reloaded and gone back to.
import { useMemo } from "react";
import { useSearchParams } from "react-router";
import type { AlertRow, Grouping } from "../../api/types";

export type StatusFilter = "open" | "escalated" | "closed" | "suppressed" | "all";
export const STATUS_FILTERS: readonly StatusFilter[] = ["open", "escalated", "closed", "suppressed", "all"];

export type By = Grouping | "none";
export const GROUPINGS: readonly By[] = ["rule_host", "rule", "source", "agency", "none"];

/** What waits is grouped unless somebody chose otherwise; what is done is looked for one by one. */
export function usualBy(status: StatusFilter): By {
  return status === "open" ? "rule_host" : "none";
}

export interface AlertFilters {
  status: StatusFilter;
  severity: string[];
  rule: string | undefined;
  agency: string | undefined;
  sensor: string | undefined;
  assignee: string | undefined;
  ip: string | undefined;
  host: string | undefined;
  watcher: string | undefined;
  suppression: string | undefined;
  /** What is left out: `kind:value` each. */
  not: string[];
  /** Only the members of this group of `by`. */
  within: string | undefined;
  withinBy: Grouping | undefined;
  /** Only what happened from this moment on, and before that one. */
  from: string | undefined;
  to: string | undefined;
  text: string;
  sort: "time" | "severity";
  by: By;
}

function read(params: URLSearchParams): AlertFilters {
  const status = STATUS_FILTERS.find((each) => each === params.get("status")) ?? "open";
  const list = (name: string) => (params.get(name) ?? "").split(",").filter((each) => each !== "");
  const grouping = (name: string) => GROUPINGS.find((each) => each === params.get(name));
  const withinBy = grouping("within_by");
  return {
    status,
    severity: list("severity"),
    rule: params.get("rule") ?? undefined,
    agency: params.get("agency") ?? undefined,
    sensor: params.get("sensor") ?? undefined,
    assignee: params.get("assignee") ?? undefined,
    ip: params.get("ip") ?? undefined,
    host: params.get("host") ?? undefined,
    watcher: params.get("watcher") ?? undefined,
    suppression: params.get("suppression") ?? undefined,
    not: list("not"),
    within: params.get("within") ?? undefined,
    withinBy: withinBy === "none" ? undefined : withinBy,
    from: params.get("from") ?? undefined,
    to: params.get("to") ?? undefined,
    text: params.get("text") ?? "",
    sort: params.get("sort") === "severity" ? "severity" : "time",
    by: params.has("within") ? "none" : (grouping("by") ?? usualBy(status)),
  };
}

/** The filters as the interface wants them; empty ones left out. */
export function toQuery(filters: AlertFilters) {
  return {
    status: filters.status,
    severity: filters.severity.length > 0 ? filters.severity.join(",") : undefined,
    rule: filters.rule,
    agency: filters.agency,
    sensor: filters.sensor,
    assignee: filters.assignee,
    ip: filters.ip,
    host: filters.host,
    watcher: filters.watcher,
    suppression: filters.suppression,
    not: filters.not.length > 0 ? filters.not.join(",") : undefined,
    group: filters.within,
    by: filters.within === undefined ? undefined : filters.withinBy,
    from: filters.from,
    to: filters.to,
    text: filters.text === "" ? undefined : filters.text,
    sort: filters.sort,
  };
}

/** Whether anything narrows the queue beside its status. */
export function isNarrowed(filters: AlertFilters): boolean {
  const { severity, rule, agency, sensor, assignee, ip, host, watcher, suppression, not, within, from, to, text } = filters;
  return severity.length > 0 || not.length > 0 || text !== "" || [rule, agency, sensor, assignee, ip, host, watcher, suppression, within, from, to].some((each) => each !== undefined);
}

/** Whether a row that has just arrived belongs to what is shown (text is left to the server). */
export function admits(filters: AlertFilters, row: AlertRow): boolean {
  if (filters.status !== "all" && row.status !== filters.status) return false;
  if (filters.severity.length > 0 && !filters.severity.includes(row.severity)) return false;
  if (filters.rule !== undefined && row.rule_id !== filters.rule) return false;
  if (filters.agency !== undefined && row.agency?.id !== filters.agency) return false;
  if (filters.sensor !== undefined && row.sensor !== filters.sensor) return false;
  if (filters.ip !== undefined && row.source?.ip !== filters.ip && row.destination?.ip !== filters.ip) return false;
  if (filters.host !== undefined && row.host !== filters.host) return false;
  if (filters.from !== undefined && Date.parse(row.time) < Date.parse(filters.from)) return false;
  if (filters.to !== undefined && Date.parse(row.time) >= Date.parse(filters.to)) return false;
  if (filters.watcher !== undefined || filters.suppression !== undefined) return false;
  if (filters.not.some((each) => leftOut(each, row))) return false;
  return filters.assignee === undefined || row.assignee?.id === filters.assignee;
}

function leftOut(not: string, row: AlertRow): boolean {
  const at = not.indexOf(":");
  const value = not.slice(at + 1);
  switch (not.slice(0, at)) {
    case "rule":
      return row.rule_id === value;
    case "ip":
      return row.source?.ip === value || row.destination?.ip === value;
    case "agency":
      return row.agency?.id === value;
    default:
      return row.sensor === value;
  }
}

const KEYS = ["status", "severity", "rule", "agency", "sensor", "assignee", "ip", "host", "watcher", "suppression", "not", "within", "within_by", "from", "to", "text", "sort", "by", "alert", "group", "open", "tab"] as const;
type Changes = Partial<Record<(typeof KEYS)[number], string | undefined>>;

/** What a saved view keeps: filters, order and grouping, not what is selected. */
const OF_PLACE: readonly string[] = ["alert", "group", "open", "tab"];

export function viewOf(params: URLSearchParams): string {
  const kept = new URLSearchParams(params);
  for (const key of OF_PLACE) kept.delete(key);
  return kept.toString();
}

export function useFilters() {
  const [params, setParams] = useSearchParams();
  const filters = useMemo(() => read(params), [params]);
  const change = (changes: Changes, replace = true) =>
    setParams(
      (old) => {
        const next = new URLSearchParams(old);
        for (const [key, value] of Object.entries(changes)) {
          if (value === undefined || value === "") next.delete(key);
          else next.set(key, value);
        }
        return next;
      },
      { replace },
    );
  const clear = () => setParams((old) => new URLSearchParams(old.has("status") ? { status: old.get("status") ?? "open" } : {}));
  const use = (query: string) => setParams(new URLSearchParams(query));
  const opened = useMemo(() => (params.get("open") ?? "").split(",").filter((each) => each !== ""), [params]);
  return { filters, selected: params.get("alert"), group: params.get("group"), opened, tab: params.get("tab"), view: viewOf(params), change, clear, use };
}
