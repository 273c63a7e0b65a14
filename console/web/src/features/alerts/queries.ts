// What triage asks and changes. The queue never moves by itself: live arrivals are counted and taken in by hand,
// changes of rows that are shown happen in place.
import { useInfiniteQuery, useMutation, useQuery, useQueryClient, type InfiniteData, type QueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useRef, useState } from "react";
import { client, failedWith, must } from "../../api/client";
import { hear } from "../../api/live";
import type { AlertDetail, AlertList, AlertRow, BulkRequest, Severity, Verdict } from "../../api/types";
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
    staleTime: Infinity,
    gcTime: 0,
  });
}

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
    const stop = [hear("alert", soon), hear("alert_changed", soon), hear("resync", soon)];
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
  queries.setQueriesData<Pages>({ queryKey: ["alerts", "list"] }, (old) =>
    old && { ...old, pages: old.pages.map((page) => ({ ...page, items: page.items.map((each) => (each.id === row.id && each.version <= row.version ? row : each)) })) },
  );
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
    const stopNew = hear("alert", (row) => {
      if (admits(current.current, row)) setArrived((old) => new Set(old).add(row.id));
    });
    const stopChanged = hear("alert_changed", (row) => {
      patchRow(queries, row);
      void queries.invalidateQueries({ queryKey: ["alert", row.id], exact: true });
    });
    return () => {
      stopNew();
      stopChanged();
    };
  }, [queries]);

  const take = useCallback(() => {
    setArrived(new Set());
    void queries.resetQueries({ queryKey: ["alerts", "list"] });
  }, [queries]);
  return { arrived: arrived.size, take };
}

function rowOf(detail: AlertDetail, old: AlertRow): AlertRow {
  const { status, verdict, assignee, case_id, version } = detail.triage;
  return { ...old, status, verdict, assignee, case_id, version };
}

function useSettled() {
  const queries = useQueryClient();
  return {
    took(detail: AlertDetail) {
      const id = detail.alert.id;
      queries.setQueryData(["alert", id], detail);
      queries.setQueriesData<Pages>({ queryKey: ["alerts", "list"] }, (old) =>
        old && { ...old, pages: old.pages.map((page) => ({ ...page, items: page.items.map((each) => (each.id === id ? rowOf(detail, each) : each)) })) },
      );
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

export interface Escalation {
  case_id?: string;
  title?: string;
  severity?: Severity;
  version: number;
}

export function useEscalateAlert(id: string) {
  const queries = useQueryClient();
  const settled = useSettled();
  return useMutation({
    mutationFn: (body: Escalation) => must(client.POST("/api/v1/alerts/{id}/escalate", { params: { path: { id } }, body })),
    onSuccess: async () => {
      void queries.invalidateQueries({ queryKey: ["cases"] });
      void queries.invalidateQueries({ queryKey: ["alerts", "counts"] });
      await queries.refetchQueries({ queryKey: ["alert", id], exact: true });
    },
    onError: (error) => settled.failed(error, id),
  });
}

export function useBulk() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: BulkRequest) => must(client.POST("/api/v1/alerts/bulk", { body })),
    onSuccess: () => {
      // The rows themselves change by the live stream; loading a long queue again would move it.
      void queries.invalidateQueries({ queryKey: ["alert"] });
      void queries.invalidateQueries({ queryKey: ["alerts", "counts"] });
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
