// Everything there is to know about an alert before deciding: shown in tabs beside the queue, or as one long page.
import { ActionIcon, Tabs, Tooltip } from "@mantine/core";
import { IconArrowsMaximize } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { useCatalogue } from "../../api/shared";
import type { AlertDetail } from "../../api/types";
import { FieldTable } from "../../ui/FieldTable";
import { count } from "../../ui/format";
import { SeverityBadge } from "../../ui/Severity";
import { Time } from "../../ui/Time";
import { Facts } from "./Facts";
import { Files, filesIn, Flow, RuleText } from "./FlowFiles";
import { matchedValue } from "./highlight";
import { History, Similar } from "./History";
import { Packets } from "./packets";
import { Payload } from "./payload";
import { useRelated } from "./queries";
import { Related } from "./Related";
import { useRuleName } from "./ruleName";
import { RuleFacts, Why } from "./Why";
import styles from "./Evidence.module.css";

export const TABS = ["why", "packets", "flow", "files", "event", "rule", "related", "similar", "history"] as const;
export type Tab = (typeof TABS)[number];

/** Below "why" on the long page: what helps to decide first. */
const PAGE_ORDER = ["related", "packets", "files", "similar", "event", "history", "rule"] as const;

function useParts(detail: AlertDetail, onUse: (reason: string) => void): { parts: Record<Tab, ReactNode>; numbers: Partial<Record<Tab, number>> } {
  const { alert, history, similar } = detail;
  const related = useRelated(alert.id);
  const catalogue = useCatalogue();
  const meaning = (field: string) => catalogue.data?.find((each) => each.name === field)?.doc;
  const show = (field: string, value: string) => {
    const match = alert.matched.find((each) => each.field === field && each.value === value);
    return match ? matchedValue(match.value, match.wanted) : undefined;
  };
  const parts = {
    why: (
      <>
        <Why alert={alert} />
        <Facts alert={alert} related={related.data?.events ?? []} />
        <Payload event={alert.event} matched={alert.matched} />
      </>
    ),
    event: <FieldTable document={alert.event} meaning={meaning} show={show} searchable />,
    related: <Related alert={alert} query={related} />,
    packets: <Packets alert={alert} />,
    flow: <Flow alert={alert} query={related} />,
    files: <Files query={related} />,
    similar: <Similar alerts={similar} verdicts={detail.verdicts} onUse={onUse} />,
    history: <History entries={history} />,
    rule: (
      <>
        <RuleFacts alert={alert} />
        <RuleText alert={alert} />
      </>
    ),
  };
  return { parts, numbers: { files: related.data ? filesIn(related.data.events).length : undefined, related: related.data?.total, similar: Object.values(detail.verdicts).reduce((sum, each) => sum + each, 0), history: history.length } };
}

interface EvidenceProps {
  detail: AlertDetail;
  onUse: (reason: string) => void;
}

function Head({ detail, page }: { detail: AlertDetail; page: boolean }) {
  const { t } = useTranslation();
  const { alert, triage } = detail;
  const name = useRuleName()(alert.rule);
  return (
    <div className={styles.head}>
      <div className={styles.titleLine}>
        <SeverityBadge level={alert.severity} />
        {page ? <h1>{name}</h1> : <h2>{name}</h2>}
        {!page && (
          <Tooltip label={`${t("alerts.open_page")} (Enter)`}>
            <ActionIcon component={Link} to={`/alerts/${encodeURIComponent(alert.id)}`} variant="subtle" color="gray" aria-label={t("alerts.open_page")}>
              <IconArrowsMaximize size={16} />
            </ActionIcon>
          </Tooltip>
        )}
      </div>
      <div className={styles.meta}>
        <span>{t(`alerts.status.${triage.status}`)}</span>
        <span>·</span>
        <Time at={alert.time} />
        {alert.agency && (
          <>
            <span>·</span>
            <span>{alert.agency.name}</span>
          </>
        )}
        <span>·</span>
        <span className="mono">{alert.sensor}</span>
      </div>
    </div>
  );
}

interface PaneProps extends EvidenceProps {
  tab: Tab;
  onTab: (tab: Tab) => void;
  /** What stands between head and tabs: what a group hides, say. */
  above?: ReactNode;
}

/** Beside the queue. */
export function EvidencePane({ detail, onUse, tab, onTab, above }: PaneProps) {
  const { t } = useTranslation();
  const { parts, numbers } = useParts(detail, onUse);
  return (
    <article className={styles.evidence} aria-label={t("alerts.evidence")}>
      <Head detail={detail} page={false} />
      {above}
      <Tabs value={tab} onChange={(value) => onTab(TABS.find((each) => each === value) ?? "why")} px={10} className={styles.tabs}>
        <Tabs.List>
          {TABS.map((each) => (
            <Tabs.Tab key={each} value={each} px={8} py={7} fz={13}>
              {t(`alerts.tab.${each}`)}
              {numbers[each] !== undefined && numbers[each] > 0 && <span className="dim"> {count(numbers[each])}</span>}
            </Tabs.Tab>
          ))}
        </Tabs.List>
      </Tabs>
      <div className={styles.body} tabIndex={0} role="tabpanel" aria-label={t(`alerts.tab.${tab}`)}>
        {parts[tab]}
      </div>
    </article>
  );
}

/** As a page of its own: everything below each other. */
export function EvidencePage({ detail, onUse }: EvidenceProps) {
  const { t } = useTranslation();
  const { parts, numbers } = useParts(detail, onUse);
  return (
    <article className={styles.evidence} aria-label={t("alerts.evidence")}>
      <Head detail={detail} page />
      <div className={styles.body} style={{ overflow: "visible" }}>
        {parts.why}
        {PAGE_ORDER.map((each) => (
          <section key={each} aria-label={t(`alerts.tab.${each}`)}>
            <h3 className={styles.heading}>
              {t(`alerts.tab.${each}`)} {numbers[each] !== undefined && count(numbers[each])}
            </h3>
            {parts[each]}
          </section>
        ))}
      </div>
    </article>
  );
}
