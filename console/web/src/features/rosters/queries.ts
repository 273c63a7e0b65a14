// What the page of rosters asks and changes.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { client, must } from "../../api/client";
import { notifyFailure } from "../../ui/notify";

const KEY = ["rosters"];

export function useRosters() {
  return useQuery({ queryKey: KEY, queryFn: () => must(client.GET("/api/v1/rosters")), refetchInterval: 60_000 });
}

/** A change that answers all rosters as they are then. */
export function useRosterChange<Input>(change: (input: Input) => ReturnType<typeof list>, done: () => void) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSuccess: (rosters) => {
      queries.setQueryData(KEY, rosters);
      done();
    },
    onError: (error) => notifyFailure(t("ui.not_done"), error.message || t("ui.unreachable")),
  });
}

const list = () => must(client.GET("/api/v1/rosters"));
