// The alerts of a case.
import { useTranslation } from "react-i18next";
import { Link, useNavigate } from "react-router";
import type { AlertRow } from "../../api/types";
import { count } from "../../ui/format";
import { Panel } from "../../ui/Page";
import { SeverityBadge } from "../../ui/Severity";
import { Table, type ColumnDef } from "../../ui/Table";
import { Time } from "../../ui/Time";
import styles from "./Case.module.css";

export function Linked({ alerts }: { alerts: readonly AlertRow[] }) {
  const { t, i18n } = useTranslation();
  const navigate = useNavigate();
  const columns: ColumnDef<AlertRow>[] = [
    { key: "severity", title: t("cases.severity"), cell: (row) => <SeverityBadge level={row.severity} compact />, width: 120 },
    {
      key: "rule",
      title: t("cases.rule"),
      cell: (row) => (
        <Link className={styles.title} to={`/alerts/${encodeURIComponent(row.id)}`}>
          {i18n.language === "vi" ? (row.rule_name_vi ?? row.rule_name) : row.rule_name}
        </Link>
      ),
    },
    { key: "addresses", title: "IP", cell: (row) => <span className="mono">{`${row.source?.ip ?? "—"} → ${row.destination?.ip ?? "—"}`}</span> },
    { key: "time", title: t("cases.time"), cell: (row) => <Time at={row.time} style="full" />, align: "right", width: 170 },
  ];
  return (
    <Panel title={`${t("cases.linked")} (${count(alerts.length)})`} flush>
      {alerts.length === 0 ? <div className={`${styles.pad} dim`}>{t("cases.linked_empty")}</div> : <Table label={t("cases.linked")} columns={columns} rows={alerts} rowKey={(row) => row.id} onOpen={(row) => void navigate(`/alerts/${encodeURIComponent(row.id)}`)} />}
    </Panel>
  );
}
