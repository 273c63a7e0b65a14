// All rules in force, and those that could not be loaded.
import { Alert, Select, TextInput } from "@mantine/core";
import { IconAlertTriangle, IconSearch } from "@tabler/icons-react";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { Link, useNavigate, useSearchParams } from "react-router";
import { useRules } from "../../api/shared";
import { SEVERITIES, type RuleKind, type RuleLine } from "../../api/types";
import { count } from "../../ui/format";
import { Page, Panel } from "../../ui/Page";
import { SeverityBadge } from "../../ui/Severity";
import { Empty, Failed, SkeletonRows } from "../../ui/States";
import { Table, type ColumnDef } from "../../ui/Table";
import styles from "./Rules.module.css";

const KINDS: readonly RuleKind[] = ["sigma", "correlation", "yara", "intel", "signature"];
const ANY = "*";

/** Letters without Vietnamese marks, for searching. */
function plain(text: string): string {
  return text.normalize("NFD").replace(/\p{M}/gu, "").replace(/[đĐ]/g, "d").toLowerCase();
}

function fits(line: RuleLine, words: string): boolean {
  const { rule } = line;
  const text = plain(`${rule.name} ${rule.name_vi ?? ""} ${rule.id} ${line.file} ${rule.techniques.join(" ")}`);
  return plain(words).split(/\s+/).every((word) => text.includes(word));
}

export default function RulesPage() {
  const { t } = useTranslation();
  const rules = useRules();
  const [params, setParams] = useSearchParams();
  const text = params.get("text") ?? "";
  const kind = params.get("kind") ?? ANY;
  const set = (key: string, value: string) =>
    setParams(
      (old) => {
        const next = new URLSearchParams(old);
        if (value === "" || value === ANY) next.delete(key);
        else next.set(key, value);
        return next;
      },
      { replace: true },
    );
  const rows = useMemo(
    () =>
      (rules.data?.rules ?? [])
        .filter((line) => (kind === ANY || line.rule.kind === kind) && fits(line, text))
        .sort((a, b) => b.hits - a.hits || SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity)),
    [rules.data, kind, text],
  );
  return (
    <Page title={t("rules.title")} lead={rules.data && t("rules.lead", { number: count(rules.data.rules.length), ruleset: rules.data.ruleset.slice(0, 16) })}>
      {rules.data && rules.data.broken.length > 0 && (
        <Alert color="yellow" variant="light" icon={<IconAlertTriangle size={17} />} title={t("rules.broken", { number: count(rules.data.broken.length) })} mb="md">
          {rules.data.broken.map((broken) => (
            <div key={`${broken.file}:${broken.line ?? 0}`}>
              <span className="mono">{broken.file}</span>
              {broken.line !== undefined && broken.line !== null && `, ${t("rules.line", { line: broken.line })}`}: {broken.reason}
            </div>
          ))}
        </Alert>
      )}
      <div className={styles.filters}>
        <TextInput size="xs" w={300} aria-label={t("rules.search")} placeholder={t("rules.search")} leftSection={<IconSearch size={14} />} value={text} onChange={(event) => set("text", event.currentTarget.value)} />
        <Select size="xs" w={180} aria-label={t("rules.kind")} value={kind} onChange={(value) => set("kind", value ?? ANY)} data={[{ value: ANY, label: t("rules.all_kinds") }, ...KINDS.map((value) => ({ value, label: t(`kind.${value}`) }))]} />
      </div>
      <Panel flush>{rules.isPending ? <SkeletonRows rows={12} height={24} /> : rules.isError ? <Failed error={rules.error} retry={() => void rules.refetch()} /> : <RuleTable rows={rows} />}</Panel>
    </Page>
  );
}

function RuleTable({ rows }: { rows: readonly RuleLine[] }) {
  const { t, i18n } = useTranslation();
  const navigate = useNavigate();
  if (rows.length === 0) return <Empty title={t("rules.empty")} />;
  const to = (line: RuleLine) => `/rules/${encodeURIComponent(line.rule.id)}`;
  const columns: ColumnDef<RuleLine>[] = [
    { key: "severity", title: t("rules.severity"), cell: (line) => <SeverityBadge level={line.severity} compact />, width: 130 },
    {
      key: "name",
      title: t("rules.name"),
      cell: (line) => (
        <Link to={to(line)} className={styles.name}>
          {i18n.language === "vi" ? (line.rule.name_vi ?? line.rule.name) : line.rule.name}
        </Link>
      ),
    },
    { key: "kind", title: t("rules.kind"), cell: (line) => t(`kind.${line.rule.kind}`), width: 150 },
    { key: "techniques", title: t("rules.techniques"), cell: (line) => <span className="mono dim">{line.rule.techniques.join(" ")}</span>, width: 170 },
    { key: "file", title: t("rules.file"), cell: (line) => <span className="mono dim">{line.file}</span> },
    { key: "hits", title: t("rules.hits"), cell: (line) => count(line.hits), align: "right", width: 120 },
  ];
  return <Table label={t("rules.title")} columns={columns} rows={rows} rowKey={(line) => line.rule.id} onOpen={(line) => void navigate(to(line))} />;
}
