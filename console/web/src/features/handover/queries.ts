// What the page of handovers asks and changes.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { client, must } from "../../api/client";
import type { ShiftHandover } from "../../api/types";
import { notifyFailure } from "../../ui/notify";

const BACKGROUND = { "x-luytre-background": "1" };

/** What is open now. */
export function useShift() {
  return useQuery({ queryKey: ["shift"], queryFn: () => must(client.GET("/api/v1/shift", { headers: BACKGROUND })), refetchInterval: 30_000, staleTime: 0 });
}

export function useHandovers() {
  return useQuery({ queryKey: ["handovers"], queryFn: () => must(client.GET("/api/v1/handovers", { params: { query: { limit: 50 } }, headers: BACKGROUND })), staleTime: 0 });
}

export function useHandover(id: string) {
  return useQuery({ queryKey: ["handovers", id], queryFn: () => must(client.GET("/api/v1/handovers/{id}", { params: { path: { id } } })), staleTime: 0 });
}

/** A signature, a refusal or a withdrawal. */
export function useSign<Input>(run: (input: Input) => Promise<ShiftHandover>, done: (handover: ShiftHandover) => void) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: run,
    onSuccess: (handover) => {
      queries.setQueryData(["handovers", handover.id], handover);
      void queries.invalidateQueries({ queryKey: ["handovers"] });
      done(handover);
    },
    onError: (error) => {
      void queries.invalidateQueries({ queryKey: ["handovers"] });
      notifyFailure(t("ui.not_done"), error.message || t("ui.unreachable"));
    },
  });
}
