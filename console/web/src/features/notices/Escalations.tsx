// Who was called because of which alert, step by step, and who acknowledged.
import { Button } from "@mantine/core";
import { IconBellRinging } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { client, must } from "../../api/client";
import { usePermissions } from "../../api/session";
import type { Escalation } from "../../api/types";
import { count } from "../../ui/format";
import { notify } from "../../ui/notify";
import { Panel } from "../../ui/Page";
import { SeverityBadge } from "../../ui/Severity";
import { Empty, Failed, SkeletonRows } from "../../ui/States";
import { Table, type ColumnDef } from "../../ui/Table";
import { Time } from "../../ui/Time";
import { useEscalations, useNoticeChange, useProblem } from "./queries";
import styles from "./Notices.module.css";

const COLOUR = { waiting: "var(--lt-warn)", acknowledged: "var(--lt-accent)", handled: "var(--lt-accent)", exhausted: "var(--lt-critical)" } as const;

export function Escalations() {
  const { t, i18n } = useTranslation();
  const may = usePermissions();
  const list = useEscalations();
  const acknowledge = useNoticeChange(
    (id: string) => must(client.POST("/api/v1/escalations/{id}/acknowledge", { params: { path: { id } } })),
    () => notify(t("notices.escalation.acknowledged")),
  );
  const columns: ColumnDef<Escalation>[] = [
    {
      key: "alert",
      title: t("notices.escalation.alert"),
      cell: (one) => (
        <>
          <SeverityBadge level={one.severity} compact />{" "}
          <Link to={`/alerts/${encodeURIComponent(one.alert_id)}`} style={{ color: "inherit" }}>
            {(i18n.language === "vi" && one.alert_rule_vi) || one.alert_rule}
          </Link>
          <div className="dim">
            {[one.agency, one.alerts > 1 ? t("notices.escalation.alerts", { number: count(one.alerts) }) : "", one.rule_name].filter(Boolean).join(" · ")}
          </div>
        </>
      ),
    },
    { key: "opened", title: t("notices.escalation.opened"), width: 170, cell: (one) => <Time at={one.opened_at} style="full" /> },
    { key: "steps", title: t("notices.escalation.steps"), cell: (one) => <Steps of={one} /> },
    {
      key: "state",
      title: t("notices.state"),
      width: 210,
      cell: (one) => (
        <>
          <span style={{ color: COLOUR[one.state] }}>{t(`notices.escalation.states.${one.state}`)}</span>
          <div className="dim">
            {one.ended_by && `${one.ended_by.display_name} `}
            {one.how === "link" && `${t("notices.escalation.by_link")} `}
            {one.how === "console" && `${t("notices.escalation.in_console")} `}
            {one.ended_at && <Time at={one.ended_at} />}
            {one.next_at && (
              <>
                {t("notices.escalation.of", { step: one.steps.length, all: one.steps_in_all })}, {t("notices.escalation.next")} <Time at={one.next_at} />
              </>
            )}
          </div>
        </>
      ),
    },
    {
      key: "actions",
      title: "",
      align: "right",
      width: 110,
      cell: (one) =>
        may.cases &&
        (one.state === "waiting" || one.state === "exhausted") && (
          <Button size="compact-xs" variant="default" loading={acknowledge.isPending && acknowledge.variables === one.id} onClick={() => acknowledge.mutate(one.id)}>
            {t("notices.escalation.acknowledge")}
          </Button>
        ),
    },
  ];
  if (list.isPending) return <SkeletonRows rows={5} />;
  if (list.isError) return <Failed error={list.error} retry={() => void list.refetch()} />;
  if (list.data.items.length === 0) {
    return (
      <Empty icon={<IconBellRinging size={28} className="dim" />} title={t("notices.escalation.empty")}>
        {t("notices.escalation.empty_hint")}
      </Empty>
    );
  }
  return (
    <Panel flush>
      <Table label={t("notices.tabs.escalations")} columns={columns} rows={list.data.items} rowKey={(one) => one.id} />
    </Panel>
  );
}

function Steps({ of }: { of: Escalation }) {
  const { t } = useTranslation();
  const words = useProblem();
  return (
    <ol className={styles.steps}>
      {of.steps.map((step) => (
        <li key={step.step}>
          <Time at={step.at} style="clock" />{" "}
          {step.problem ? (
            <span className={styles.bad}>{t("notices.escalation.nobody", { why: words(step.problem) })}</span>
          ) : (
            <>
              {t("notices.escalation.asked", { who: step.user?.display_name ?? step.to })}
              {step.notice && <span className="dim"> · {t(`notices.states.${step.notice}`)}</span>}
            </>
          )}
        </li>
      ))}
    </ol>
  );
}
