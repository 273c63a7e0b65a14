// What one is told of inside the console: calls in comments, tasks, cases to lead or to see.
import { ActionIcon, Indicator, Popover, ScrollArea } from "@mantine/core";
import { IconBell } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { client, must } from "../api/client";
import { hear } from "../api/live";
import type { InboxItem } from "../api/types";
import { count } from "../ui/format";
import { Time } from "../ui/Time";
import styles from "./Inbox.module.css";

const KEY = ["inbox"];
const KINDS = ["mentioned", "task", "lead", "member", "agency"] as const;

export function Inbox() {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [open, setOpen] = useState(false);
  const inbox = useQuery({ queryKey: KEY, queryFn: () => must(client.GET("/api/v1/inbox", { headers: { "x-luytre-background": "1" } })), staleTime: 30_000 });
  useEffect(() => {
    const again = () => void queries.invalidateQueries({ queryKey: KEY });
    const stop = [hear("case_changed", again), hear("resync", again)];
    return () => stop.forEach((each) => each());
  }, [queries]);
  const see = useMutation({ mutationFn: () => must(client.POST("/api/v1/inbox/seen")), onSuccess: (seen) => queries.setQueryData(KEY, seen) });
  const unseen = inbox.data?.unseen ?? 0;
  const change = (wish: boolean) => {
    setOpen(wish);
    // Looked at once the list is closed again, so that what is new stays marked while it is read.
    if (!wish && unseen > 0) see.mutate();
  };
  const label = unseen > 0 ? `${t("inbox.title")}: ${t("inbox.unseen", { number: count(unseen) })}` : t("inbox.title");
  return (
    <Popover opened={open} onChange={change} position="bottom-end" width={340} shadow="md">
      <Indicator disabled={unseen === 0} label={count(unseen)} size={16} color="red.8" offset={5}>
        <Popover.Target>
          <ActionIcon variant="subtle" color="gray" aria-label={label} onClick={() => change(!open)}>
            <IconBell size={18} />
          </ActionIcon>
        </Popover.Target>
      </Indicator>
      <Popover.Dropdown p={0}>
        <div className={styles.head}>{t("inbox.title")}</div>
        <ScrollArea.Autosize mah={420}>
          {(inbox.data?.items ?? []).length === 0 ? (
            <div className={`${styles.empty} dim`}>{t("inbox.empty")}</div>
          ) : (
            <ul className={styles.list}>
              {(inbox.data?.items ?? []).map((item) => (
                <Entry key={item.id} item={item} onGo={() => change(false)} />
              ))}
            </ul>
          )}
        </ScrollArea.Autosize>
      </Popover.Dropdown>
    </Popover>
  );
}

function Entry({ item, onGo }: { item: InboxItem; onGo: () => void }) {
  const { t } = useTranslation();
  const kind = KINDS.find((each) => each === item.kind) ?? "mentioned";
  const to = `/cases/${encodeURIComponent(item.case_id)}${kind === "task" ? "?tab=tasks" : kind === "agency" ? "?tab=agencies" : ""}`;
  return (
    <li data-new={!item.seen || undefined}>
      <Link to={to} onClick={onGo}>
        <span>
          <b>{item.by?.display_name ?? t("ui.nobody")}</b> {t(`inbox.kind.${kind}`)} #{item.case_number}
        </span>
        <span className={styles.case}>{item.case_title}</span>
        <span className="dim">
          <Time at={item.at} />
        </span>
      </Link>
    </li>
  );
}
