// Three tabs of evidence: the flow's own record, the files that crossed in it, the rule's text.
import { Anchor } from "@mantine/core";
import { useQuery, type UseQueryResult } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { client, must } from "../../api/client";
import type { Alert, EventDocument } from "../../api/types";
import { FieldTable } from "../../ui/FieldTable";
import { pickText } from "../../ui/flatten";
import { Empty, Failed, SkeletonRows } from "../../ui/States";
import { Facts } from "./Facts";
import { FileView } from "./payload/file";
import styles from "./Evidence.module.css";

interface Answer {
  events: EventDocument[];
  total: number;
  partial: string[];
}

/** What of an event tells of its flow rather than of what was said in it. */
const OF_FLOW = ["flow", "network", "source", "destination", "event"] as const;

export function Flow({ alert, query }: { alert: Alert; query: UseQueryResult<Answer> }) {
  const { t } = useTranslation();
  const events = query.data?.events ?? [];
  const record = events.find((event) => pickText(event, "flow.state") !== undefined);
  return (
    <>
      <Facts alert={alert} related={events} />
      {query.isPending ? (
        <SkeletonRows rows={4} height={24} />
      ) : record === undefined ? (
        <p className="dim">{t("alerts.flow.none")}</p>
      ) : (
        <section aria-label={t("alerts.flow.record")}>
          <h3 className={styles.heading}>{t("alerts.flow.record")}</h3>
          <FieldTable document={Object.fromEntries(Object.entries(record).filter(([name]) => OF_FLOW.some((each) => name === each || name.startsWith(`${each}.`))))} />
        </section>
      )}
    </>
  );
}

/** The files among events, each content once. */
export function filesIn(events: readonly EventDocument[]): EventDocument[] {
  const seen = new Map<string, EventDocument>();
  for (const event of events) {
    const digest = pickText(event, "file.hash.sha256") ?? pickText(event, "file.name");
    if (digest !== undefined && !seen.has(digest)) seen.set(digest, event);
  }
  return [...seen.values()];
}

export function Files({ query }: { query: UseQueryResult<Answer> }) {
  const { t } = useTranslation();
  if (query.isPending) return <SkeletonRows rows={3} height={60} />;
  if (query.isError) return <Failed error={query.error} retry={() => void query.refetch()} />;
  const files = filesIn(query.data.events);
  if (files.length === 0) return <Empty title={t("alerts.files.none")}>{t("alerts.files.none_hint")}</Empty>;
  return (
    <section aria-label={t("alerts.tab.files")}>
      {files.map((event, at) => {
        const digest = pickText(event, "file.hash.sha256");
        return (
          <div key={digest ?? at} className={styles.fileCard}>
            <FileView event={event} needles={[]} />
            {digest !== undefined && (
              <Anchor component={Link} size="sm" to={`/alerts?${new URLSearchParams({ status: "all", by: "none", text: digest }).toString()}`}>
                {t("alerts.files.alerts")}
              </Anchor>
            )}
          </div>
        );
      })}
    </section>
  );
}

/** The rule as it stands in the rule set in force. */
/** The text of a rule: a signature's came with its alert, because its sensor alone has it. */
export function RuleText({ alert }: { alert: Alert }) {
  const { t } = useTranslation();
  const sent = pickText(alert.event, "signature.text");
  if (alert.rule.kind !== "signature") return <LoadedRuleText id={alert.rule.id} />;
  if (sent === undefined) return <p className="dim">{t("alerts.rule_text.gone")}</p>;
  return (
    <pre className={styles.ruleText} tabIndex={0} aria-label={t("alerts.rule_text.title")}>
      {sent}
    </pre>
  );
}

function LoadedRuleText({ id }: { id: string }) {
  const { t } = useTranslation();
  const rule = useQuery({ queryKey: ["rule", id], queryFn: () => must(client.GET("/api/v1/rules/{id}", { params: { path: { id } } })), retry: false });
  if (rule.isPending) return <SkeletonRows rows={3} height={20} />;
  if (rule.isError) return <p className="dim">{t("alerts.rule_text.gone")}</p>;
  return (
    <pre className={styles.ruleText} tabIndex={0} aria-label={t("alerts.rule_text.title")}>
      {rule.data.text}
    </pre>
  );
}
