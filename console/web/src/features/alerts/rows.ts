// The rows of the queue: alerts one by one, or groups that open to their members. A row keeps its place until somebody
// asks for the list anew; rows that were decided here leave.
import { useMemo, useState } from "react";
import type { AlertGroup, AlertRow } from "../../api/types";
import type { AlertFilters } from "./filters";
import { toQuery } from "./filters";
import { MEMBERS, useGroups, useMembers, useQueue } from "./queries";

export type Row =
  | { kind: "alert"; id: string; alert: AlertRow; member: boolean }
  | { kind: "group"; id: string; group: AlertGroup; open: boolean }
  | { kind: "rest"; id: string; group: AlertGroup };

const LEAVING_MS = 140;

/** The alert that a row shows the evidence of. */
export function alertOf(row: Row): AlertRow {
  return row.kind === "alert" ? row.alert : row.group.lead;
}

/** How many alerts a row stands for. */
export function sizeOf(row: Row): number {
  return row.kind === "group" ? row.group.alerts : 1;
}

/** Groups of one are alerts; opened groups are followed by their members. */
export function rowsOf(groups: readonly AlertGroup[], opened: readonly string[], members: ReadonlyMap<string, readonly AlertRow[] | undefined>): Row[] {
  return groups.flatMap((group): Row[] => {
    if (group.alerts === 1 && !opened.includes(group.key)) return [{ kind: "alert", id: group.lead.id, alert: group.lead, member: false }];
    const open = opened.includes(group.key);
    const row: Row = { kind: "group", id: group.key, group, open };
    if (!open) return [row];
    const inside = (members.get(group.key) ?? []).map((alert): Row => ({ kind: "alert", id: alert.id, alert, member: true }));
    const rest: Row[] = group.alerts > MEMBERS && inside.length >= MEMBERS ? [{ kind: "rest", id: `rest-${group.key}`, group }] : [];
    return [row, ...inside, ...rest];
  });
}

export function useRows(filters: AlertFilters, opened: readonly string[]) {
  const grouped = filters.by !== "none";
  const queue = useQueue(filters);
  const groups = useGroups(filters);
  const key = JSON.stringify([filters.by, toQuery(filters)]);
  const first = groups.data?.pages[0];
  const members = useMembers(filters, opened, first?.until);
  const [gone, setGone] = useState<{ key: string; ids: ReadonlySet<string> }>({ key, ids: new Set() });
  const [leaving, setLeaving] = useState<ReadonlySet<string>>(new Set());
  const ids = gone.key === key ? gone.ids : null;

  const all = useMemo((): Row[] => {
    if (!grouped) return (queue.data?.pages ?? []).flatMap((page) => page.items.map((alert): Row => ({ kind: "alert", id: alert.id, alert, member: false })));
    // A group may have moved to a later page while the pages were asked for.
    const seen = new Map((groups.data?.pages ?? []).flatMap((page) => page.items.map((group) => [group.key, group] as const)));
    return rowsOf([...seen.values()], opened, members);
    // The members are those of the opened groups, whose answers change the map itself.
  }, [grouped, queue.data, groups.data, opened, members]);
  const rows = ids === null || ids.size === 0 ? all : all.filter((row) => !ids.has(row.id));

  const leave = (left: readonly string[]) => {
    setLeaving((old) => new Set([...old, ...left]));
    setTimeout(() => {
      setGone((old) => ({ key, ids: new Set([...(old.key === key ? old.ids : []), ...left]) }));
      setLeaving((old) => new Set([...old].filter((each) => !left.includes(each))));
    }, LEAVING_MS);
  };
  const stay = () => setGone({ key, ids: new Set() });
  const source = grouped ? groups : queue;
  return {
    rows,
    key,
    leaving,
    leave,
    stay,
    grouped,
    until: first?.until,
    newestOnly: first?.newest_only ?? undefined,
    total: grouped ? (first?.total ?? 0) : (queue.data?.pages[0]?.total ?? 0),
    alerts: grouped ? (first?.alerts ?? 0) : (queue.data?.pages[0]?.total ?? 0),
    left: all.length - rows.length,
    source,
  };
}
