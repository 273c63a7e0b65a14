// The state of the province on one screen: what is open and late, this period beside the one before, who needs help and
// why, how much is seen, what was seen of ATT&CK. Every number opens its list.
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { client, must } from "../../api/client";
import type { StateOverview } from "../../api/types";
import { count, duration, percent } from "../../ui/format";
import { SeverityShape } from "../../ui/Severity";
import { Failed, SkeletonRows } from "../../ui/States";
import { Matrix } from "./Matrix";
import { BySeverity, Card, Figure, listOf, Tasks } from "./parts";
import { Trend } from "./Trend";
import styles from "./Overview.module.css";

const BACKGROUND = { "x-luytre-background": "1" };

export function State({ days }: { days: number }) {
  const { t } = useTranslation();
  const state = useQuery({
    queryKey: ["overview", "state", days],
    queryFn: () => must(client.GET("/api/v1/overview/state", { params: { query: { days } }, headers: BACKGROUND })),
    refetchInterval: 60_000,
    placeholderData: (before) => before,
  });
  if (state.isPending) return <SkeletonRows rows={8} />;
  if (state.isError) return <Failed error={state.error} retry={() => void state.refetch()} />;
  const now = state.data;
  const span = { status: "all", from: now.from, to: now.to };
  const before = { status: "all", from: now.before_from, to: now.before_to };
  return (
    <div className={styles.state}>
      <Card area="cases" title={t("overview.cases_open")}>
        <BySeverity counts={now.cases_open} to={() => "/cases"} />
        <p className="dim">
          <Link to="/cases?status=all">{t("overview.opened_closed", { opened: count(now.cases_opened.now), closed: count(now.cases_closed.now) })}</Link>
        </p>
      </Card>
      <Card area="duties" title={t("overview.duties")}>
        <div className={styles.figures}>
          <Figure value={now.overdue} label={t("overview.late")} to="/cases?overdue=1" tone={now.overdue > 0 ? "bad" : undefined} />
          <Figure value={now.due} label={t("overview.due")} to="/cases" />
        </div>
        {now.duties.length === 0 ? <p className="dim">{t("overview.duties_none")}</p> : <Tasks tasks={now.duties.slice(0, 2)} />}
      </Card>
      <Card
        area="alerts"
        title={t("overview.alerts")}
        aside={
          <span>
            <Link to={listOf("/alerts", span)} className={styles.big}>
              {count(now.alerts_total.now)}
            </Link>{" "}
            <Link to={listOf("/alerts", before)} className="dim">
              {t("overview.before", { number: count(now.alerts_total.before) })}
            </Link>
          </span>
        }
      >
        <BySeverity counts={Object.fromEntries(Object.entries(now.alerts).map(([level, one]) => [level, one.now]))} to={(severity) => listOf("/alerts", { ...span, severity })} />
      </Card>
      <Handling now={now} />
      <Seen now={now} />
      <Card area="needs" title={t("overview.needs")}>
        <Needs needs={now.needs} />
      </Card>
      <Card area="trend" title={t("overview.trend")}>
        <Trend days={now.trend} />
      </Card>
      <Card area="attack" title={t("overview.attack")}>
        <Matrix attack={now.attack} span={span} />
      </Card>
    </div>
  );
}

function Handling({ now }: { now: StateOverview }) {
  const { t } = useTranslation();
  return (
    <Card area="handling" title={t("overview.handling")}>
      <div className={styles.figures}>
        <Figure value={now.decided.now} label={t("overview.closed")} to="/alerts?status=closed" />
        <Figure value={now.attacks.now} label={t("overview.attacks")} to="/alerts?status=closed" tone={now.attacks.now > 0 ? "bad" : undefined} />
      </div>
      <p className="dim">
        {now.decided.now > 0 ? `${duration(now.decision_s.now * 1000)} ${t("overview.mean")}` : t("overview.before", { number: count(now.decided.before) })}
        {now.decided.now > 0 && now.decided.before > 0 && ` (${t("overview.before", { number: duration(now.decision_s.before * 1000) })})`}
      </p>
    </Card>
  );
}

function Seen({ now }: { now: StateOverview }) {
  const { t } = useTranslation();
  const { coverage } = now;
  const good = coverage.sensors.filter(({ state }) => state === "connected").length;
  const blind = !coverage.collector_ok || good < coverage.sensors.length;
  return (
    <Card area="coverage" title={t("overview.coverage")}>
      <div className={styles.figures}>
        <Figure value={coverage.known ? percent(coverage.seen) : "—"} label={coverage.known ? t("overview.seen") : t("overview.unknown")} to="/sensors" />
      </div>
      <p className={blind ? styles.bad : "dim"}>
        <Link to="/sensors">{coverage.collector_ok ? t("overview.sensors", { good: count(good), all: count(coverage.sensors.length) }) : t("overview.blind_collector")}</Link>
        {coverage.unaccounted !== 0 && ` · ${t("overview.unaccounted", { number: count(Math.abs(coverage.unaccounted)) })}`}
      </p>
    </Card>
  );
}

const REASONS = ["critical_open", "high_open", "cases_open", "tasks_overdue", "rising"] as const;

function Needs({ needs }: { needs: StateOverview["needs"] }) {
  const { t } = useTranslation();
  if (needs.length === 0) return <p className="dim">{t("overview.needs_none")}</p>;
  return (
    <ol className={styles.needs}>
      {needs.map(({ id, name, worst, reasons }) => (
        <li key={id}>
          <SeverityShape level={worst} size={10} />
          <Link to={listOf("/alerts", { agency: id })}>{name}</Link>
          <span className="dim">
            {reasons
              .map(({ kind, number, before }) => {
                const known = REASONS.find((each) => each === kind);
                return known ? t(`overview.reason.${known}`, { number: count(number), before: count(before ?? 0) }) : "";
              })
              .filter(Boolean)
              .join(", ")}
          </span>
        </li>
      ))}
    </ol>
  );
}
