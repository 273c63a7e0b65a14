// What the case pages ask and change.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { client, failedWith, must } from "../../api/client";
import { hear } from "../../api/live";
import type { CaseDetail, ChangeCase, Severity } from "../../api/types";

const LIMIT = 200;

/** Reloads what changed elsewhere. */
function useLiveCases() {
  const queries = useQueryClient();
  useEffect(() => {
    const stop = [
      hear("case_changed", ({ id }) => {
        void queries.invalidateQueries({ queryKey: ["cases"] });
        void queries.invalidateQueries({ queryKey: ["case", id] });
      }),
      hear("resync", () => void queries.invalidateQueries({ queryKey: ["cases"] })),
    ];
    return () => stop.forEach((each) => each());
  }, [queries]);
}

export function useCases(status: string, text: string) {
  useLiveCases();
  return useQuery({
    queryKey: ["cases", "list", status, text],
    queryFn: ({ signal }) => must(client.GET("/api/v1/cases", { params: { query: { status, text: text === "" ? undefined : text, limit: LIMIT } }, signal })),
    placeholderData: (old) => old,
  });
}

export function useCase(id: string) {
  useLiveCases();
  return useQuery({ queryKey: ["case", id], queryFn: () => must(client.GET("/api/v1/cases/{id}", { params: { path: { id } } })) });
}

function useTake() {
  const queries = useQueryClient();
  return (detail: CaseDetail) => {
    queries.setQueryData(["case", detail.id], detail);
    void queries.invalidateQueries({ queryKey: ["cases"] });
  };
}

export function useCreateCase() {
  const take = useTake();
  return useMutation({
    mutationFn: (body: { title: string; severity: Severity; agency_id?: string }) => must(client.POST("/api/v1/cases", { body: { ...body, alert_ids: [] } })),
    onSuccess: take,
  });
}

export function useChangeCase(id: string) {
  const queries = useQueryClient();
  const take = useTake();
  return useMutation({
    mutationFn: (body: ChangeCase) => must(client.PATCH("/api/v1/cases/{id}", { params: { path: { id } }, body })),
    onSuccess: take,
    onError: (error) => {
      if (failedWith(error, 409)) void queries.invalidateQueries({ queryKey: ["case", id] });
    },
  });
}

export function useAddNote(id: string) {
  const take = useTake();
  return useMutation({
    mutationFn: (text: string) => must(client.POST("/api/v1/cases/{id}/notes", { params: { path: { id } }, body: { text } })),
    onSuccess: take,
  });
}
