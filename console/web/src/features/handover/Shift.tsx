// The state at a moment, as a handover shows it: each card says what is open, or that nothing is.
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { ShiftState } from "../../api/types";
import { SEVERITIES } from "../../api/types";
import { count, fullTime } from "../../ui/format";
import { Panel } from "../../ui/Page";
import { SeverityBadge } from "../../ui/Severity";
import styles from "./Handover.module.css";

const sum = (counts: Readonly<Record<string, number>>) => Object.values(counts).reduce((all, one) => all + one, 0);
const minute = (at: string) => fullTime(at).slice(0, 16);

/** The numbers of a state that can be set beside those of another. */
export function figures(state: ShiftState) {
  return { clocks: state.clocks_total, alerts: sum(state.alerts), unanswered: state.unanswered_total, blind: state.blind.length };
}

export function Shift({ state, title }: { state: ShiftState; title: string }) {
  return (
    <section aria-label={title}>
      <h2 className={styles.part}>
        {title} <span className="dim">· {minute(state.at)}</span>
      </h2>
      <div className={styles.cards}>
        <Clocks state={state} />
        <Alerts state={state} />
        <Unanswered state={state} />
        <Silences state={state} />
        <Blind state={state} />
        <OnCall state={state} />
      </div>
    </section>
  );
}

function Clocks({ state }: { state: ShiftState }) {
  const { t } = useTranslation();
  const more = state.clocks_total - state.clocks.length;
  return (
    <Panel title={t("handover.clocks")} aside={<span className="dim">{t("handover.clocks_total", { total: count(state.clocks_total), overdue: count(state.clocks_overdue) })}</span>}>
      {state.clocks_total === 0 && <p className="dim">{t("handover.clocks_none")}</p>}
      <ul className={styles.list}>
        {state.clocks.map((task, at) => (
          <li key={`${task.case_id}-${at}`}>
            <Link to={`/cases/${encodeURIComponent(task.case_id)}?tab=tasks`}>
              #{task.case_number} {task.title}
            </Link>
            <span data-late={task.due <= state.at || undefined} className={styles.due}>
              {task.due <= state.at && `${t("handover.overdue")} · `}
              {minute(task.due)}
              {task.assignee && ` · ${task.assignee.display_name}`}
            </span>
          </li>
        ))}
      </ul>
      {more > 0 && <p className="dim">{t("handover.restricted", { number: count(more) })}</p>}
    </Panel>
  );
}

function Alerts({ state }: { state: ShiftState }) {
  const { t, i18n } = useTranslation();
  const total = sum(state.alerts);
  return (
    <Panel title={t("handover.alerts")} aside={<span className="dim">{count(total)}</span>}>
      {total === 0 ? (
        <p className="dim">{t("handover.alerts_none")}</p>
      ) : (
        <>
          <div className={styles.severities}>
            {SEVERITIES.filter((level) => (state.alerts[level] ?? 0) > 0).map((level) => (
              <span key={level}>
                <SeverityBadge level={level} compact /> <b>{count(state.alerts[level] ?? 0)}</b>
              </span>
            ))}
          </div>
          <ul className={styles.list}>
            {state.worst.map((alert) => (
              <li key={alert.id}>
                <Link to={`/alerts/${encodeURIComponent(alert.id)}`}>
                  <SeverityBadge level={alert.severity} compact /> {i18n.language === "vi" ? (alert.rule_name_vi ?? alert.rule_name) : alert.rule_name}
                </Link>
                <span className={styles.due}>
                  {alert.agency && `${alert.agency} · `}
                  {minute(alert.time)}
                  {alert.assignee && ` · ${alert.assignee.display_name}`}
                </span>
              </li>
            ))}
          </ul>
          <p className="dim">
            <Link to="/alerts?by=none">{t("handover.alerts_more", { number: count(total) })}</Link>
          </p>
        </>
      )}
    </Panel>
  );
}

function Unanswered({ state }: { state: ShiftState }) {
  const { t } = useTranslation();
  const more = state.unanswered_total - state.unanswered.length;
  return (
    <Panel title={t("handover.unanswered")} aside={<span className="dim">{count(state.unanswered_total)}</span>}>
      {state.unanswered_total === 0 && <p className="dim">{t("handover.unanswered_none")}</p>}
      <ul className={styles.list}>
        {state.unanswered.map((notice) => (
          <li key={notice.reference}>
            <Link to={`/cases/${encodeURIComponent(notice.case_id)}?tab=agencies`}>
              {notice.agency} ({notice.reference})
            </Link>
            <span data-late={notice.overdue || undefined} className={styles.due}>
              {notice.overdue && `${t("handover.overdue")} · `}
              {notice.due_at && `${minute(notice.due_at)} · `}
              {notice.missing.map((ask) => t(`agency_notice.ask.${ask}`)).join(", ")}
            </span>
          </li>
        ))}
      </ul>
      {more > 0 && <p className="dim">{t("handover.restricted", { number: count(more) })}</p>}
    </Panel>
  );
}

function Silences({ state }: { state: ShiftState }) {
  const { t, i18n } = useTranslation();
  return (
    <Panel title={t("handover.silences")} aside={<Link to="/suppressions">{t("nav.suppressions")}</Link>}>
      {state.silences.length === 0 && <p className="dim">{t("handover.silences_none")}</p>}
      <ul className={styles.list}>
        {state.silences.map((silence) => (
          <li key={silence.id}>
            <span>{i18n.language === "vi" ? (silence.rule_name_vi ?? silence.rule_name) : silence.rule_name}</span>
            <span className={styles.due}>
              {minute(silence.expires_at)} · {t("handover.hidden", { number: count(silence.hidden) })} · {silence.reason}
            </span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function Blind({ state }: { state: ShiftState }) {
  const { t } = useTranslation();
  return (
    <Panel title={t("handover.blind")} aside={<Link to="/sensors">{t("nav.sensors")}</Link>}>
      {!state.collector_ok && <p className={styles.warn}>{t("handover.collector_off")}</p>}
      {state.collector_ok && state.blind.length === 0 && <p className="dim">{t("handover.blind_none")}</p>}
      <ul className={styles.list}>
        {state.blind.map((sensor) => (
          <li key={sensor.name}>
            <span className="mono">{sensor.name}</span>
            <span className={styles.due}>{sensor.state === "revoked" ? t("sensors.state.revoked") : t("sensors.state.silent")}</span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function OnCall({ state }: { state: ShiftState }) {
  const { t } = useTranslation();
  const calls = state.calls_waiting + state.calls_unanswered;
  return (
    <Panel title={t("handover.on_call")} aside={<Link to="/rosters">{t("nav.rosters")}</Link>}>
      {state.on_call.length === 0 && <p className="dim">{t("handover.on_call_none")}</p>}
      <ul className={styles.list}>
        {state.on_call.map((one) => (
          <li key={one.roster}>
            <span>
              {one.roster}: <b>{one.now?.display_name ?? t("handover.nobody")}</b>
            </span>
            <span className={styles.due}>{one.until ? t("handover.on_call_next", { time: minute(one.until), name: one.next?.display_name ?? t("handover.nobody") }) : t("handover.on_call_same")}</span>
          </li>
        ))}
      </ul>
      {calls > 0 && (
        <p>
          <Link to="/notices?tab=escalations" className={styles.warn}>
            {t("handover.calls", { waiting: count(state.calls_waiting), missed: count(state.calls_unanswered) })}
          </Link>
        </p>
      )}
    </Panel>
  );
}
