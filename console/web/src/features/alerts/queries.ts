// What triage asks and changes. The queue never moves by itself: live arrivals are counted and taken in by hand,
// changes of rows that are shown happen in place.
import { useInfiniteQuery, useMutation, useQueries, useQuery, useQueryClient, type InfiniteData, type QueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useRef, useState } from "react";
import { client, failedWith, must } from "../../api/client";
import { hear } from "../../api/live";
import type { AlertDetail, AlertGroup, AlertList, AlertQuery, AlertRow, BulkRequest, GroupList, Severity, Verdict } from "../../api/types";
import { admits, toQuery, type AlertFilters } from "./filters";

const PAGE = 100;

type Pages = InfiniteData<AlertList, string | undefined>;

export function useQueue(filters: AlertFilters) {
  return useInfiniteQuery({
    queryKey: ["alerts", "list", toQuery(filters)],
    queryFn: ({ pageParam, signal }) =>
      must(client.GET("/api/v1/alerts", { params: { query: { ...toQuery(filters), cursor: pageParam, limit: PAGE } }, signal })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    enabled: filters.by === "none",
    staleTime: Infinity,
    gcTime: 0,
  });
}

type GroupPages = InfiniteData<GroupList, GroupPlace>;

/** Where a page of groups begins: after a place, among what had come in when the first page was asked. */
interface GroupPlace {
  cursor?: string;
  until?: number;
}

function groupQuery(filters: AlertFilters) {
  return { ...toQuery(filters), by: filters.by === "none" ? undefined : filters.by };
}

/** The question that listed the groups, for a decision on them. */
export function groupFilter(filters: AlertFilters, until: number): AlertQuery {
  return { ...groupQuery(filters), until };
}

export function useGroups(filters: AlertFilters) {
  return useInfiniteQuery({
    queryKey: ["alerts", "groups", groupQuery(filters)],
    queryFn: ({ pageParam, signal }) => must(client.GET("/api/v1/alerts/groups", { params: { query: { ...groupQuery(filters), ...pageParam, limit: PAGE } }, signal })),
    initialPageParam: {} as GroupPlace,
    getNextPageParam: (last) => (last.next_cursor ? { cursor: last.next_cursor, until: last.until } : undefined),
    enabled: filters.by !== "none",
    staleTime: Infinity,
    gcTime: 0,
  });
}

/** How many members of an opened group are listed; the others have a list of their own. */
export const MEMBERS = 200;

/** The members of opened groups, by the groups' keys. */
export function useMembers(filters: AlertFilters, keys: readonly string[], until: number | undefined) {
  const answers = useQueries({
    queries: keys.map((key) => ({
      queryKey: ["alerts", "members", groupQuery(filters), key, until],
      queryFn: ({ signal }: { signal: AbortSignal }) => must(client.GET("/api/v1/alerts", { params: { query: { ...groupQuery(filters), group: key, until, limit: MEMBERS } }, signal })),
      enabled: until !== undefined && filters.by !== "none",
      staleTime: Infinity,
      gcTime: 0,
    })),
  });
  return new Map(keys.map((key, at) => [key, answers[at]?.data?.items]));
}

/** Numbers of groups that are shown are kept true where they stand: nothing moves, nothing new is taken in. */
async function refreshGroups(queries: QueryClient) {
  for (const [key, old] of queries.getQueriesData<GroupPages>({ queryKey: ["alerts", "groups"] })) {
    const query = key[2] as ReturnType<typeof groupQuery> | undefined;
    const until = old?.pages[0]?.until;
    if (query === undefined || old === undefined || until === undefined) continue;
    const fresh = await must(client.GET("/api/v1/alerts/groups", { params: { query: { ...query, until, limit: 200 } }, headers: { "x-luytre-background": "1" } })).catch(() => null);
    if (fresh === null) continue;
    const found = new Map(fresh.items.map((group) => [group.key, group]));
    const all = fresh.next_cursor === undefined || fresh.next_cursor === null;
    const now = (group: AlertGroup): AlertGroup => found.get(group.key) ?? (all ? { ...group, alerts: 0 } : group);
    queries.setQueryData<GroupPages>(key, (current) => current && { ...current, pages: current.pages.map((page) => ({ ...page, total: fresh.total, alerts: fresh.alerts, items: page.items.map(now) })) });
  }
}

const REFRESH_MS = 1200;

/** How many are open, by severity; follows the live stream. */
export function useCounts() {
  const queries = useQueryClient();
  useEffect(() => {
    let due: ReturnType<typeof setTimeout> | null = null;
    const soon = () => {
      due ??= setTimeout(() => {
        due = null;
        void queries.invalidateQueries({ queryKey: ["alerts", "counts"] });
      }, 1000);
    };
    const stop = [hear("alert", soon), hear("alert_changed", soon), hear("alerts_changed", soon), hear("resync", soon)];
    return () => {
      if (due !== null) clearTimeout(due);
      for (const each of stop) each();
    };
  }, [queries]);
  return useQuery({
    queryKey: ["alerts", "counts"],
    queryFn: async () => (await must(client.GET("/api/v1/alerts", { params: { query: { status: "open", limit: 1 } } }))).counts,
    refetchInterval: 60_000,
  });
}

export function useAlert(id: string | null) {
  return useQuery({
    queryKey: ["alert", id],
    queryFn: ({ signal }) => must(client.GET("/api/v1/alerts/{id}", { params: { path: { id: id ?? "" } }, signal })),
    enabled: id !== null,
  });
}

export function useRelated(id: string) {
  return useQuery({
    queryKey: ["alert", id, "related"],
    queryFn: ({ signal }) => must(client.GET("/api/v1/alerts/{id}/related", { params: { path: { id } }, signal })),
  });
}

function patchRow(queries: QueryClient, row: AlertRow) {
  const now = (each: AlertRow) => (each.id === row.id && each.version <= row.version ? row : each);
  queries.setQueriesData<Pages>({ queryKey: ["alerts", "list"] }, (old) => old && { ...old, pages: old.pages.map((page) => ({ ...page, items: page.items.map(now) })) });
  queries.setQueriesData<AlertList>({ queryKey: ["alerts", "members"] }, (old) => old && { ...old, items: old.items.map(now) });
  queries.setQueriesData<GroupPages>({ queryKey: ["alerts", "groups"] }, (old) => old && { ...old, pages: old.pages.map((page) => ({ ...page, items: page.items.map((group) => ({ ...group, lead: now(group.lead) })) })) });
}

/** Counts what arrived and is not shown yet, and keeps shown rows true. */
export function useLiveQueue(filters: AlertFilters) {
  const queries = useQueryClient();
  const [arrived, setArrived] = useState<ReadonlySet<string>>(new Set());
  const current = useRef(filters);
  current.current = filters;
  const key = JSON.stringify(toQuery(filters));

  useEffect(() => setArrived(new Set()), [key]);
  useEffect(() => {
    let due: ReturnType<typeof setTimeout> | null = null;
    const refresh = () => {
      due ??= setTimeout(() => {
        due = null;
        void refreshGroups(queries);
      }, REFRESH_MS);
    };
    const stopNew = hear("alert", (row) => {
      if (admits(current.current, row)) setArrived((old) => new Set(old).add(row.id));
    });
    const stopChanged = hear("alert_changed", (row) => {
      patchRow(queries, row);
      void queries.invalidateQueries({ queryKey: ["alert", row.id], exact: true });
      refresh();
    });
    const stopMany = hear("alerts_changed", ({ ids }) => {
      for (const id of ids) void queries.invalidateQueries({ queryKey: ["alert", id], exact: true });
      void queries.invalidateQueries({ queryKey: ["alerts", "members"] });
      refresh();
    });
    return () => {
      if (due !== null) clearTimeout(due);
      stopNew();
      stopChanged();
      stopMany();
    };
  }, [queries]);

  const take = useCallback(() => {
    setArrived(new Set());
    void queries.resetQueries({ queryKey: ["alerts", "list"] });
    void queries.resetQueries({ queryKey: ["alerts", "groups"] });
  }, [queries]);
  return { arrived: arrived.size, take };
}


function useSettled() {
  const queries = useQueryClient();
  return {
    took(detail: AlertDetail) {
      // The rows change by the live stream, which tells of this change like of any other.
      queries.setQueryData(["alert", detail.alert.id], detail);
      void queries.invalidateQueries({ queryKey: ["alerts", "counts"] });
    },
    /** Somebody else was faster: the new state is loaded. */
    failed(error: Error, id: string) {
      if (failedWith(error, 409)) void queries.invalidateQueries({ queryKey: ["alert", id] });
    },
  };
}

export function useCloseAlert(id: string) {
  const settled = useSettled();
  return useMutation({
    mutationFn: (body: { verdict: Verdict; reason: string; version: number }) =>
      must(client.POST("/api/v1/alerts/{id}/close", { params: { path: { id } }, body })),
    onSuccess: settled.took,
    onError: (error) => settled.failed(error, id),
  });
}

export function useReopenAlert(id: string) {
  const settled = useSettled();
  return useMutation({
    mutationFn: (body: { reason: string; version: number }) =>
      must(client.POST("/api/v1/alerts/{id}/reopen", { params: { path: { id } }, body })),
    onSuccess: settled.took,
    onError: (error) => settled.failed(error, id),
  });
}

export function useAssignAlert(id: string) {
  const settled = useSettled();
  return useMutation({
    mutationFn: (body: { user_id: string | null; version: number }) =>
      must(client.POST("/api/v1/alerts/{id}/assign", { params: { path: { id } }, body })),
    onSuccess: settled.took,
    onError: (error) => settled.failed(error, id),
  });
}

export function useNoteAlert(id: string) {
  const settled = useSettled();
  return useMutation({
    mutationFn: (text: string) => must(client.POST("/api/v1/alerts/{id}/notes", { params: { path: { id } }, body: { text } })),
    onSuccess: settled.took,
  });
}

export function useWatchAlert(id: string) {
  const queries = useQueryClient();
  const settled = useSettled();
  return useMutation({
    mutationFn: (on: boolean) => must(client.POST("/api/v1/alerts/{id}/watch", { params: { path: { id } }, body: { on } })),
    onSuccess: (detail) => {
      settled.took(detail);
      void queries.invalidateQueries({ queryKey: ["watched"] });
    },
  });
}

export interface Escalation {
  case_id?: string;
  title?: string;
  severity?: Severity;
}

export function useEscalateAlert(id: string) {
  const queries = useQueryClient();
  const settled = useSettled();
  return useMutation({
    mutationFn: (body: Escalation & { version: number }) => must(client.POST("/api/v1/alerts/{id}/escalate", { params: { path: { id } }, body })),
    onSuccess: async () => {
      void queries.invalidateQueries({ queryKey: ["cases"] });
      void queries.invalidateQueries({ queryKey: ["alerts", "counts"] });
      await queries.refetchQueries({ queryKey: ["alert", id], exact: true });
    },
    onError: (error) => settled.failed(error, id),
  });
}

/** One decision on many. */
export function useBulk() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: BulkRequest) => must(client.POST("/api/v1/alerts/bulk", { body })),
    onSuccess: ({ case_id }) => {
      // The rows themselves change by the live stream; loading a long queue again would move it.
      void queries.invalidateQueries({ queryKey: ["alert"] });
      void queries.invalidateQueries({ queryKey: ["alerts", "counts"] });
      void queries.invalidateQueries({ queryKey: ["alerts", "members"] });
      if (case_id) void queries.invalidateQueries({ queryKey: ["cases"] });
    },
  });
}

/** Takes a decision back; what had left the queue comes back. */
export function useUndo() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => must(client.POST("/api/v1/acts/{id}/undo", { params: { path: { id } } })),
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: ["alert"] });
      void queries.invalidateQueries({ queryKey: ["cases"] });
      void queries.invalidateQueries({ queryKey: ["alerts"] });
    },
  });
}

/** Cases that an alert could be added to. */
export function useActiveCases(enabled: boolean) {
  return useQuery({
    queryKey: ["cases", "active"],
    queryFn: async () => (await must(client.GET("/api/v1/cases", { params: { query: { status: "active", limit: 100 } } }))).items,
    enabled,
  });
}

const VIEWS = ["views"];

export function useViews() {
  return useQuery({ queryKey: VIEWS, queryFn: async () => (await must(client.GET("/api/v1/views"))).items, staleTime: 60_000 });
}

export function useSaveView() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: { name: string; query: string; shared: boolean }) => must(client.POST("/api/v1/views", { body })),
    onSuccess: ({ items }) => queries.setQueryData(VIEWS, items),
  });
}

export function useDeleteView() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => must(client.DELETE("/api/v1/views/{id}", { params: { path: { id } } })),
    onSuccess: ({ items }) => queries.setQueryData(VIEWS, items),
  });
}
