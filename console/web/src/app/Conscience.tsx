// The conscience: how much of the traffic is seen, what is unaccounted, which sensors are silent. A quiet pill while
// all is well; a strip with the reason when it is not.
import { Tooltip } from "@mantine/core";
import { IconAlertTriangleFilled } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { client, must } from "../api/client";
import { hear } from "../api/live";
import { useSensors } from "../api/shared";
import type { VisibilityNow } from "../api/types";
import { count, percent } from "../ui/format";
import styles from "./Conscience.module.css";

export type Tone = "good" | "warn" | "bad" | "unknown";

export interface ConscienceState {
  now: VisibilityNow | undefined;
  tone: Tone;
  silent: string[];
  live: boolean;
}

const ENOUGH = 0.99;
const WINDOW_MS = 15 * 60_000;

/** How worried one should be. */
export function toneOf(now: VisibilityNow | undefined): Tone {
  if (now === undefined) return "unknown";
  if (!now.collector_ok) return "bad";
  if (now.unaccounted !== 0 || (now.known && now.seen < ENOUGH / 1.1)) return "bad";
  if (now.sensors.some((sensor) => sensor.state === "silent") || (now.known && now.seen < ENOUGH)) return "warn";
  return now.known ? "good" : "unknown";
}

/** Before the stream has said anything: asked from the ledger and the sensors. */
function useFirstLook() {
  const sensors = useSensors();
  const ledger = useQuery({
    queryKey: ["ledger", "now"],
    queryFn: () => must(client.GET("/api/v1/ledger", { params: { query: { from: new Date(Date.now() - WINDOW_MS).toISOString() } } })),
    refetchInterval: 60_000,
  });
  if (!sensors.data || !ledger.data) return undefined;
  const states = sensors.data.map(({ name, state }) => ({ name, state }));
  return { ...ledger.data.visibility, collector_ok: true, sensors: states };
}

export function useConscience(): ConscienceState {
  const queries = useQueryClient();
  const first = useFirstLook();
  const [heard, setHeard] = useState<VisibilityNow>();
  const [live, setLive] = useState(true);
  useEffect(() => hear("visibility", setHeard), []);
  useEffect(() => hear("connection", setLive), []);
  useEffect(() => hear("resync", () => void queries.invalidateQueries({ queryKey: ["sensors"] })), [queries]);
  const now = heard ?? first;
  const silent = (now?.sensors ?? []).filter((sensor) => sensor.state === "silent").map((sensor) => sensor.name);
  return { now, tone: toneOf(now), silent, live };
}

export function ConsciencePill({ state }: { state: ConscienceState }) {
  const { t } = useTranslation();
  const { now, tone, silent, live } = state;
  const known = now?.known ?? false;
  return (
    <Tooltip label={live ? t("conscience.details") : t("conscience.live_off")}>
      <Link to="/sensors" className={styles.pill} data-tone={tone}>
        <span className="visually-hidden">{t("conscience.label")}: </span>
        <span className={styles.dot} data-live={live} />
        <span>{known && now ? t("conscience.seen", { share: percent(now.seen) }) : t("conscience.unknown")}</span>
        {known && now && <span className={styles.part}>{now.unaccounted === 0 ? t("conscience.all_known") : t("conscience.unaccounted", { number: count(Math.abs(now.unaccounted)) })}</span>}
        {now && (
          <span className={styles.part}>
            {silent.length === 0
              ? t("conscience.sensors_ok", { number: now.sensors.length })
              : silent.length === 1
                ? t("conscience.silent_one", { name: silent[0] })
                : t("conscience.silent_many", { number: silent.length })}
          </span>
        )}
      </Link>
    </Tooltip>
  );
}

function useReasons({ now, silent }: ConscienceState): string[] {
  const { t } = useTranslation();
  if (now === undefined) return [];
  const reasons: string[] = [];
  if (!now.collector_ok) reasons.push(t("conscience.reason_collector"));
  if (now.unaccounted !== 0) reasons.push(t("conscience.reason_unaccounted", { number: count(Math.abs(now.unaccounted)) }));
  if (now.known && now.seen < ENOUGH) reasons.push(t("conscience.reason_seen", { share: percent(now.seen) }));
  if (silent.length > 0) reasons.push(t("conscience.reason_silent", { names: silent.join(", ") }));
  return reasons;
}

export function ConscienceBanner({ state }: { state: ConscienceState }) {
  const { t } = useTranslation();
  const reasons = useReasons(state);
  if (reasons.length === 0) return null;
  return (
    <div className={styles.banner} data-tone={state.tone} role="status">
      <IconAlertTriangleFilled size={14} aria-hidden />
      <span>{reasons.join(" ")}</span>
      <Link to="/sensors">{t("conscience.details")}</Link>
    </div>
  );
}
