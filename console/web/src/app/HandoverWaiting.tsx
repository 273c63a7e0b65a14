// Says on every screen that a shift waits for the signature of whoever looks.
import { IconTransfer } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { client, must } from "../api/client";
import { hear } from "../api/live";
import styles from "./Conscience.module.css";

const BACKGROUND = { "x-luytre-background": "1" };

export function HandoverWaiting() {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const list = useQuery({ queryKey: ["handovers"], queryFn: () => must(client.GET("/api/v1/handovers", { params: { query: { limit: 50 } }, headers: BACKGROUND })), staleTime: 60_000 });
  useEffect(() => {
    const again = () => void queries.invalidateQueries({ queryKey: ["handovers"] });
    const stop = [hear("handovers_changed", again), hear("resync", again)];
    return () => stop.forEach((each) => each());
  }, [queries]);
  const first = list.data?.waiting[0];
  if (!first) return null;
  return (
    <div className={styles.banner} data-tone="warn" role="status">
      <IconTransfer size={14} aria-hidden />
      <span>{t("handover.waits", { name: first.from.display_name })}</span>
      <Link to={`/handover/${encodeURIComponent(first.id)}`}>{t("handover.see")}</Link>
    </div>
  );
}
