// What the case pages ask and change.
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { client, failedWith, must } from "../../api/client";
import { hear } from "../../api/live";
import type { CaseData, CaseDetail, CaseEntry, ChangeCase, NewCase } from "../../api/types";
import { notifyFailure } from "../../ui/notify";

const LIMIT = 100;

/** Reloads what changed elsewhere. */
function useLiveCases() {
  const queries = useQueryClient();
  useEffect(() => {
    const stop = [
      hear("case_changed", ({ id }) => {
        void queries.invalidateQueries({ queryKey: ["cases"] });
        void queries.invalidateQueries({ queryKey: ["case", id] });
        void queries.invalidateQueries({ queryKey: ["tasks"] });
      }),
      hear("resync", () => void queries.invalidateQueries({ queryKey: ["cases"] })),
    ];
    return () => stop.forEach((each) => each());
  }, [queries]);
}

export interface CaseFilter {
  status: string;
  text: string;
  lead: string;
  group: string;
  overdue: boolean;
}

export function useCases({ status, text, lead, group, overdue }: CaseFilter) {
  useLiveCases();
  return useInfiniteQuery({
    queryKey: ["cases", "list", status, text, lead, group, overdue],
    queryFn: ({ pageParam, signal }) =>
      must(
        client.GET("/api/v1/cases", {
          params: { query: { status, text: text || undefined, lead: lead || undefined, group: group || undefined, overdue: overdue || undefined, limit: LIMIT, cursor: pageParam } },
          signal,
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    placeholderData: (old) => old,
  });
}

export function useMyTasks(enabled: boolean) {
  useLiveCases();
  return useQuery({ queryKey: ["tasks"], queryFn: async () => (await must(client.GET("/api/v1/tasks"))).items, staleTime: 0, enabled });
}

export function useCase(id: string) {
  useLiveCases();
  return useQuery({ queryKey: ["case", id], queryFn: () => must(client.GET("/api/v1/cases/{id}", { params: { path: { id } } })) });
}

const NO_DATA: CaseData = {
  phases: { citation: "", status: "", entry: [] },
  national: { citation: "", status: "", entry: [] },
  rsit: { citation: "", status: "", entry: [] },
  internal: { citation: "", status: "", entry: [] },
  handled: { citation: "", status: "", entry: [] },
  templates: [],
  templates_citation: "",
  templates_status: "",
};

/** What cases are made of, and the name of an entry in the language of the page. */
export function useCaseData() {
  const { i18n } = useTranslation();
  const query = useQuery({ queryKey: ["case-data"], queryFn: () => must(client.GET("/api/v1/case-data")), staleTime: Infinity });
  const data = query.data ?? NO_DATA;
  const named = (entry: { vi: string; en: string }) => (i18n.language === "vi" ? entry.vi : entry.en);
  const all: readonly CaseEntry[] = [...data.phases.entry, ...data.national.entry, ...data.rsit.entry, ...data.internal.entry, ...data.handled.entry];
  const name = (id: string | undefined) => {
    const found = all.find((entry) => entry.id === id);
    return found ? named(found) : (id ?? "");
  };
  return { data, named, name };
}

function useTake() {
  const queries = useQueryClient();
  return (detail: CaseDetail) => {
    queries.setQueryData(["case", detail.id], detail);
    void queries.invalidateQueries({ queryKey: ["cases"] });
    void queries.invalidateQueries({ queryKey: ["tasks"] });
  };
}

export function useCreateCase() {
  const take = useTake();
  return useMutation({
    mutationFn: (body: Omit<NewCase, "alert_ids">) => must(client.POST("/api/v1/cases", { body: { ...body, alert_ids: [] } })),
    onSuccess: take,
  });
}

/** A change of a case that answers the case. Of two who change the same, the second is told and keeps what was typed. */
export function useCaseAction<Input>(id: string, run: (input: Input) => Promise<CaseDetail>) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const take = useTake();
  return useMutation({
    mutationFn: run,
    onSuccess: take,
    onError: (error) => {
      if (failedWith(error, 409)) void queries.invalidateQueries({ queryKey: ["case", id] });
      const stale = failedWith(error, 409) && error.body.code === "conflict";
      notifyFailure(t("ui.not_done"), stale ? t("cases.stale") : error.message || t("ui.unreachable"));
    },
  });
}

/** Changes fields of a case. */
export function useChangeCase(detail: CaseDetail) {
  return useCaseAction(detail.id, (changes: Omit<ChangeCase, "version">) =>
    must(client.PATCH("/api/v1/cases/{id}", { params: { path: { id: detail.id } }, body: { ...changes, version: detail.version } })),
  );
}
