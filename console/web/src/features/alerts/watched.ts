// Alerts that somebody watches: when one of them changes while they look at something else, they are told.
import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { client, must } from "../../api/client";
import { hear } from "../../api/live";
import { useCaller } from "../../api/session";
import { notify } from "../../ui/notify";
import { useRuleName } from "./ruleName";

/** How many watched alerts are listened for. */
const LISTENED = 200;

export function useWatched(selected: string | null) {
  const { t } = useTranslation();
  const caller = useCaller();
  const ruleName = useRuleName();
  const watched = useQuery({
    queryKey: ["watched", caller.id],
    queryFn: async () => new Set((await must(client.GET("/api/v1/alerts", { params: { query: { watcher: caller.id, status: "all", limit: LISTENED } } }))).items.map(({ id }) => id)),
    staleTime: 60_000,
  });
  const now = useRef({ selected, watched: watched.data, tell: (_name: string) => undefined as void });
  now.current = { selected, watched: watched.data, tell: (name) => notify(t("alerts.watch.changed", { name })) };
  const name = useRef(ruleName);
  name.current = ruleName;
  useEffect(
    () =>
      hear("alert_changed", (row) => {
        if (row.id !== now.current.selected && now.current.watched?.has(row.id)) now.current.tell(name.current({ name: row.rule_name, name_vi: row.rule_name_vi }));
      }),
    [],
  );
}
