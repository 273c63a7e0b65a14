// What waits for the analyst who looks: what is new, mine, late, about to end, not seen, and what the team has done.
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { client, must } from "../../api/client";
import { useCaller } from "../../api/session";
import { count } from "../../ui/format";
import { Failed, SkeletonRows } from "../../ui/States";
import { Time } from "../../ui/Time";
import { BySeverity, Card, Figure, listOf, Tasks } from "./parts";
import styles from "./Overview.module.css";

const BACKGROUND = { "x-luytre-background": "1" };
const sum = (counts: Readonly<Record<string, number>>) => Object.values(counts).reduce((all, one) => all + one, 0);

export function Work() {
  const { t, i18n } = useTranslation();
  const caller = useCaller();
  const work = useQuery({ queryKey: ["overview", "work"], queryFn: () => must(client.GET("/api/v1/overview/work", { headers: BACKGROUND })), refetchInterval: 30_000, staleTime: 0 });
  if (work.isPending) return <SkeletonRows rows={8} />;
  if (work.isError) return <Failed error={work.error} retry={() => void work.refetch()} />;
  const now = work.data;
  return (
    <div className={styles.work}>
      <Card title={t("overview.open_alerts")} aside={<Figure value={sum(now.new_open)} label={t("overview.new")} to={listOf("/alerts", { from: now.since })} />}>
        <BySeverity counts={now.open} to={(severity) => listOf("/alerts", { severity })} />
      </Card>
      <Card title={t("overview.mine")}>
        <div className={styles.figures}>
          <Figure value={sum(now.mine)} label={t("overview.my_alerts")} to={listOf("/alerts", { assignee: caller.id, by: "none" })} />
          <Figure value={now.my_tasks} label={t("overview.my_tasks")} to="/cases?status=tasks" />
          <Figure value={now.my_overdue} label={t("overview.my_overdue")} to="/cases?status=tasks" tone={now.my_overdue > 0 ? "bad" : undefined} />
          <Figure value={now.my_cases} label={t("overview.my_cases")} to="/cases?mine=1" />
        </div>
      </Card>
      <Card title={t("overview.on_call")} aside={<Link to="/rosters">{t("nav.rosters")}</Link>}>
        {now.on_call.length === 0 && <p className="dim">{t("overview.on_call_none")}</p>}
        <ul className={styles.list}>
          {now.on_call.map((one) => (
            <li key={one.roster}>
              <span>{one.roster}</span>
              <b>{one.user?.display_name ?? t("rosters.nobody")}</b>
            </li>
          ))}
        </ul>
        {now.calls_waiting + now.calls_unanswered > 0 && (
          <Link className={styles.warn} to="/notices?tab=escalations">
            {t("overview.calls", { waiting: count(now.calls_waiting), missed: count(now.calls_unanswered) })}
          </Link>
        )}
      </Card>
      <Card title={t("overview.overdue")} aside={<Figure value={now.overdue_total} label={t("overview.late")} to="/cases?overdue=1" tone={now.overdue_total > 0 ? "bad" : undefined} />}>
        {now.overdue_total === 0 && <p className="dim">{t("overview.overdue_none")}</p>}
        <Tasks tasks={now.overdue} />
        {now.overdue_total > now.overdue.length && <p className="dim">{t("overview.more", { number: count(now.overdue_total - now.overdue.length) })}</p>}
      </Card>
      <Card title={t("overview.ending")} aside={<Link to="/suppressions">{t("nav.suppressions")}</Link>}>
        {now.ending.length === 0 && <p className="dim">{t("overview.ending_none")}</p>}
        <ul className={styles.list}>
          {now.ending.map((one) => (
            <li key={one.id}>
              <Link to="/suppressions">{(i18n.language === "vi" && one.rule_name_vi) || one.rule_name}</Link>
              <span className="dim">
                {one.owner && `${one.owner.display_name} · `}
                <Time at={one.expires_at} />
              </span>
            </li>
          ))}
        </ul>
      </Card>
      <Card title={t("overview.blind")} aside={<Link to="/sensors">{t("nav.sensors")}</Link>}>
        {!now.collector_ok ? <p className={styles.bad}>{t("overview.blind_collector")}</p> : now.blind.length === 0 && <p className="dim">{t("overview.blind_none")}</p>}
        <ul className={styles.list}>
          {now.blind.map((sensor) => (
            <li key={sensor.name}>
              <Link to="/sensors" className="mono">
                {sensor.name}
              </Link>
              <span className={styles.bad}>{sensor.state === "silent" ? t("sensors.state.silent") : sensor.state === "revoked" ? t("sensors.state.revoked") : sensor.state}</span>
            </li>
          ))}
        </ul>
      </Card>
      <Card title={t("overview.team")} aside={<Figure value={sum(Object.fromEntries(now.team.map((one, at) => [String(at), one.decided])))} label={t("overview.closed")} to="/alerts?status=closed" />}>
        {now.team.length === 0 && <p className="dim">{t("overview.team_none")}</p>}
        <ul className={styles.list}>
          {now.team.map((one) => (
            <li key={one.user.id}>
              <span>{one.user.display_name}</span>
              <span className="dim">
                {[one.decided > 0 ? t("overview.decided", { number: count(one.decided) }) : "", one.tasks_done > 0 ? t("overview.tasks_done", { number: count(one.tasks_done) }) : ""].filter(Boolean).join(", ")}
              </span>
            </li>
          ))}
        </ul>
      </Card>
    </div>
  );
}
