// What the queue shows, kept in the address so that it can be shared, reloaded and gone back to.
import { useMemo } from "react";
import { useSearchParams } from "react-router";
import type { AlertRow } from "../../api/types";

export type StatusFilter = "open" | "escalated" | "closed" | "all";
export const STATUS_FILTERS: readonly StatusFilter[] = ["open", "escalated", "closed", "all"];

export interface AlertFilters {
  status: StatusFilter;
  severity: string[];
  rule: string | undefined;
  agency: string | undefined;
  sensor: string | undefined;
  assignee: string | undefined;
  ip: string | undefined;
  text: string;
  sort: "time" | "severity";
}

function read(params: URLSearchParams): AlertFilters {
  const status = params.get("status");
  return {
    status: STATUS_FILTERS.find((each) => each === status) ?? "open",
    severity: (params.get("severity") ?? "").split(",").filter((each) => each !== ""),
    rule: params.get("rule") ?? undefined,
    agency: params.get("agency") ?? undefined,
    sensor: params.get("sensor") ?? undefined,
    assignee: params.get("assignee") ?? undefined,
    ip: params.get("ip") ?? undefined,
    text: params.get("text") ?? "",
    sort: params.get("sort") === "severity" ? "severity" : "time",
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
    text: filters.text === "" ? undefined : filters.text,
    sort: filters.sort,
  };
}

/** Whether anything narrows the queue beside its status. */
export function isNarrowed(filters: AlertFilters): boolean {
  const { severity, rule, agency, sensor, assignee, ip, text } = filters;
  return severity.length > 0 || text !== "" || [rule, agency, sensor, assignee, ip].some((each) => each !== undefined);
}

/** Whether a row that has just arrived belongs to what is shown (text is left to the server). */
export function admits(filters: AlertFilters, row: AlertRow): boolean {
  if (filters.status !== "all" && row.status !== filters.status) return false;
  if (filters.severity.length > 0 && !filters.severity.includes(row.severity)) return false;
  if (filters.rule !== undefined && row.rule_id !== filters.rule) return false;
  if (filters.agency !== undefined && row.agency?.id !== filters.agency) return false;
  if (filters.sensor !== undefined && row.sensor !== filters.sensor) return false;
  if (filters.ip !== undefined && row.source?.ip !== filters.ip && row.destination?.ip !== filters.ip) return false;
  return filters.assignee === undefined || row.assignee?.id === filters.assignee;
}

type Changes = Partial<Record<"status" | "severity" | "rule" | "agency" | "sensor" | "assignee" | "ip" | "text" | "sort" | "alert", string | undefined>>;

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
  return { filters, selected: params.get("alert"), change, clear };
}
