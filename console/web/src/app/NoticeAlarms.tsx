// What every screen warns of: a notice channel that is dead, calls that nobody acknowledged.
import { IconAlertTriangleFilled } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { client, must } from "../api/client";
import { hear } from "../api/live";
import { count } from "../ui/format";
import styles from "./Conscience.module.css";

const KEY = ["notice-alarms"];
const BACKGROUND = { "x-luytre-background": "1" };

export function NoticeAlarms() {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const alarms = useQuery({ queryKey: KEY, queryFn: () => must(client.GET("/api/v1/notice-alarms", { headers: BACKGROUND })), refetchInterval: 60_000 });
  useEffect(() => hear("notices_changed", () => void queries.invalidateQueries({ queryKey: KEY })), [queries]);
  const { dead = [], exhausted = 0 } = alarms.data ?? {};
  const reasons = dead.map(({ name }) => t("notices.alarm.dead", { name: name === "mail" ? t("notices.alarm.mail") : name }));
  if (exhausted > 0) reasons.push(t("notices.alarm.exhausted", { number: count(exhausted) }));
  if (reasons.length === 0) return null;
  return (
    <div className={styles.banner} data-tone="bad" role="status">
      <IconAlertTriangleFilled size={14} aria-hidden />
      <span>{reasons.join(" ")}</span>
      <Link to={exhausted > 0 ? "/notices?tab=escalations" : "/notices?tab=channels"}>{t("notices.alarm.see")}</Link>
    </div>
  );
}
