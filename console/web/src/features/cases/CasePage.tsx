// One case: what is known, what happened, what is to do. The tab that is open stands in the address.
import { Tabs } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { useParams, useSearchParams } from "react-router";
import { usePermissions } from "../../api/session";
import type { CaseDetail } from "../../api/types";
import { count } from "../../ui/format";
import { usePageTitle } from "../../ui/Page";
import { Failed, SkeletonRows } from "../../ui/States";
import { Agencies } from "./Agencies";
import { CaseHeader } from "./CaseHeader";
import { Comments } from "./Comments";
import { Evidence } from "./Evidence";
import { Linked } from "./Linked";
import { Observables } from "./Observables";
import { Overview } from "./Overview";
import { PhaseBar } from "./PhaseBar";
import { useCase } from "./queries";
import { ReviewTab } from "./ReviewTab";
import { Side } from "./Side";
import { Tasks } from "./Tasks";
import { Timeline } from "./Timeline";
import styles from "./Case.module.css";

const TABS = ["overview", "tasks", "timeline", "observables", "alerts", "evidence", "agencies", "review"] as const;
type Tab = (typeof TABS)[number];

export default function CasePage() {
  const { t } = useTranslation();
  const { id = "" } = useParams();
  const query = useCase(id);
  usePageTitle(query.data?.title ?? t("cases.title"));
  if (query.isPending) return <SkeletonRows rows={8} height={48} />;
  if (query.isError) return <Failed error={query.error} retry={() => void query.refetch()} />;
  return <CaseView detail={query.data} />;
}

function CaseView({ detail }: { detail: CaseDetail }) {
  const { t } = useTranslation();
  const may = usePermissions();
  const [params, setParams] = useSearchParams();
  const tab = TABS.find((each) => each === params.get("tab")) ?? "overview";
  const editable = may.cases && detail.status !== "closed";
  const numbers: Partial<Record<Tab, number>> = {
    tasks: detail.open_tasks,
    observables: detail.observables.length,
    alerts: detail.alert_count,
    evidence: detail.evidence.length,
    agencies: detail.agency_notices.length,
  };
  const open = (value: string | null) => setParams(value === null || value === "overview" ? {} : { tab: value }, { replace: true });
  return (
    <main className={styles.page}>
      <div className={styles.main}>
        <CaseHeader detail={detail} editable={editable} />
        <PhaseBar detail={detail} editable={editable} />
        <Tabs value={tab} onChange={open} className={styles.tabs} classNames={{ list: styles.tabList, tab: styles.tab }}>
          <Tabs.List aria-label={t("cases.parts")}>
            {TABS.map((each) => (
              <Tabs.Tab key={each} value={each}>
                {t(`cases.tab.${each}`)}
                {(numbers[each] ?? 0) > 0 && (
                  <span className={styles.tabCount} data-bad={(each === "tasks" && detail.overdue_tasks > 0) || (each === "agencies" && detail.agency_notices.some((notice) => notice.overdue)) ? true : undefined}>
                    {count(numbers[each] ?? 0)}
                  </span>
                )}
              </Tabs.Tab>
            ))}
          </Tabs.List>
          <Tabs.Panel value="overview">
            <Overview detail={detail} editable={editable} />
            <Comments detail={detail} editable={may.cases} />
          </Tabs.Panel>
          <Tabs.Panel value="tasks">
            <Tasks detail={detail} editable={editable} />
          </Tabs.Panel>
          <Tabs.Panel value="timeline">
            <Timeline detail={detail} editable={editable} />
          </Tabs.Panel>
          <Tabs.Panel value="observables">
            <Observables detail={detail} editable={editable} />
          </Tabs.Panel>
          <Tabs.Panel value="alerts">
            <Linked alerts={detail.alerts} />
          </Tabs.Panel>
          <Tabs.Panel value="evidence">
            <Evidence detail={detail} editable={may.triage && detail.status !== "closed"} />
          </Tabs.Panel>
          <Tabs.Panel value="agencies">
            <Agencies detail={detail} editable={editable} />
          </Tabs.Panel>
          <Tabs.Panel value="review">
            <ReviewTab detail={detail} editable={may.cases} />
          </Tabs.Panel>
        </Tabs>
      </div>
      <aside className={styles.side} aria-label={t("cases.facts")}>
        <Side detail={detail} editable={may.cases} />
      </aside>
    </main>
  );
}
