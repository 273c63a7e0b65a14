// Who talked with whom, when, how much; and how much of the traffic was seen at that moment.
import { IconArrowRight, IconEye, IconEyeOff } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Alert, Endpoint, EventDocument } from "../../api/types";
import { pickNumber, pickText } from "../../ui/flatten";
import { bytes, count, duration, fullTime, percent } from "../../ui/format";
import { Value } from "../../ui/Value";
import { vi } from "./words";
import styles from "./Evidence.module.css";

/** The alert's event first, then the flow's own record, where one is known. */
function firstNumber(documents: readonly EventDocument[], name: string): number | undefined {
  for (const document of documents) {
    const value = pickNumber(document, name);
    if (value !== undefined) return value;
  }
  return undefined;
}

function firstText(documents: readonly EventDocument[], name: string): string | undefined {
  for (const document of documents) {
    const value = pickText(document, name);
    if (value !== undefined) return value;
  }
  return undefined;
}

type FlowState = keyof typeof vi.alerts.flow_state;

function isFlowState(state: string): state is FlowState {
  return state in vi.alerts.flow_state;
}

export function Facts({ alert, related }: { alert: Alert; related: readonly EventDocument[] }) {
  const { t } = useTranslation();
  const flows = related.filter((event) => pickText(event, "flow.state") !== undefined);
  const documents = [alert.event, ...flows];
  const number = (name: string) => firstNumber(documents, name);
  const protocol = [firstText(documents, "network.transport"), firstText(documents, "network.protocol")].filter((each) => each !== undefined);
  const lasted = number("event.duration");
  const state = firstText(documents, "flow.state");
  return (
    <section aria-label={t("alerts.facts.title")}>
      <div className={styles.ends}>
        <End title={t("alerts.facts.source")} side="source" endpoint={alert.source} sent={number("source.bytes")} packets={number("source.packets")} verb={t("alerts.facts.sent")} />
        <IconArrowRight size={20} className={styles.endsArrow} aria-hidden />
        <End title={t("alerts.facts.destination")} side="destination" endpoint={alert.destination} sent={number("destination.bytes")} packets={number("destination.packets")} verb={t("alerts.facts.received")} />
      </div>
      <dl className={styles.facts}>
        <Fact label={t("alerts.facts.time")}>{fullTime(alert.time, true)}</Fact>
        <Fact label={t("alerts.facts.raised")}>{fullTime(alert.raised)}</Fact>
        {alert.agency && (
          <Fact label={t("alerts.facts.agency")}>
            <Value field="organization.id" value={alert.agency.id} plain>
              {alert.agency.name}
            </Value>
          </Fact>
        )}
        <Fact label={t("alerts.facts.sensor")}>
          <Value field="observer.name" value={alert.sensor} />
        </Fact>
        {protocol.length > 0 && <Fact label={t("alerts.facts.protocol")}>{protocol.join(" · ").toUpperCase()}</Fact>}
        <Fact label={t("alerts.facts.events")}>{count(alert.event_count)}</Fact>
        {lasted !== undefined && <Fact label={t("alerts.facts.duration")}>{duration(lasted / 1e6)}</Fact>}
        {state !== undefined && <Fact label={t("alerts.facts.state")}>{isFlowState(state) ? t(`alerts.flow_state.${state}`) : state}</Fact>}
        {alert.community_id && (
          <Fact label={t("alerts.facts.community")} wide>
            <Value field="network.community_id" value={alert.community_id} />
          </Fact>
        )}
      </dl>
      <VisibilityStamp visibility={alert.visibility} />
    </section>
  );
}

interface EndProps {
  title: string;
  side: "source" | "destination";
  endpoint: Endpoint | null | undefined;
  sent: number | undefined;
  packets: number | undefined;
  verb: string;
}

function End({ title, side, endpoint, sent, packets, verb }: EndProps) {
  const { t } = useTranslation();
  return (
    <div className={styles.end}>
      <span className={styles.endTitle}>{title}</span>
      {endpoint ? (
        <span className={styles.address}>
          <Value field={`${side}.ip`} value={endpoint.ip}>
            {endpoint.ip.includes(":") && endpoint.port !== undefined && endpoint.port !== null ? `[${endpoint.ip}]` : undefined}
          </Value>
          {endpoint.port !== undefined && endpoint.port !== null && (
            <>
              <span className="dim">:</span>
              <Value field={`${side}.port`} value={String(endpoint.port)} />
            </>
          )}
        </span>
      ) : (
        <span className="dim">—</span>
      )}
      {sent !== undefined && (
        <span className={styles.small}>
          {verb} {bytes(sent)}
          {packets !== undefined && ` · ${t("alerts.facts.packets", { number: count(packets) })}`}
        </span>
      )}
    </div>
  );
}

function Fact({ label, wide = false, children }: { label: string; wide?: boolean; children: ReactNode }) {
  return (
    <div className={wide ? styles.wide : undefined}>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}

const ENOUGH = 0.99;

export function VisibilityStamp({ visibility }: { visibility: Alert["visibility"] }) {
  const { t } = useTranslation();
  const whole = visibility.known && visibility.unaccounted === 0 && visibility.seen >= ENOUGH;
  return (
    <div className={styles.stamp} data-tone={whole ? "good" : "warn"}>
      {visibility.known ? <IconEye size={15} aria-hidden /> : <IconEyeOff size={15} aria-hidden />}
      <b>{t("alerts.visibility.title")}:</b>
      {visibility.known
        ? t("alerts.visibility.known", { share: percent(visibility.seen), number: count(Math.abs(visibility.unaccounted)) })
        : t("alerts.visibility.unknown")}
    </div>
  );
}
