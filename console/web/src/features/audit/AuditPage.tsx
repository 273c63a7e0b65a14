// The audit log, newest first, and the chain that proves it.
import { Button, Group, Select } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { Link, useSearchParams } from "react-router";
import { client, must } from "../../api/client";
import { useRuleNames } from "../../api/shared";
import type { AuditEntry } from "../../api/types";
import { count } from "../../ui/format";
import { RecordDetail, useRecordWords } from "../../ui/Record";
import { Page, Panel } from "../../ui/Page";
import { Empty, Failed, SkeletonRows } from "../../ui/States";
import { Table, type ColumnDef } from "../../ui/Table";
import { Time } from "../../ui/Time";
import { Chain } from "./Chain";
import styles from "./Audit.module.css";

/** Kinds of actions that can be looked at alone. */
const KINDS = ["session", "alert", "case", "evidence", "suppression", "user", "token", "rules", "sensor", "agency", "notice_rule", "channel", "roster", "escalation", "log"] as const;
const LIMIT = 100;
/** Ids are cut to this many characters; the whole stands in the title. */
const SHORT = 14;

const PAGES: Readonly<Record<string, string>> = { alert: "/alerts/", case: "/cases/" };

/** `alert:al-5f…` as a link, where there is a page. */
function Subject({ subject }: { subject: string }) {
  const words = useRecordWords();
  const colon = subject.indexOf(":");
  if (colon < 0) return <span className="mono">{subject}</span>;
  const kind = subject.slice(0, colon);
  const id = subject.slice(colon + 1);
  const page = PAGES[kind];
  const text = (
    <>
      {words.subject(kind)} <span className="mono dim">{id.length > SHORT ? `${id.slice(0, SHORT)}…` : id}</span>
    </>
  );
  return page === undefined ? (
    <span title={id}>{text}</span>
  ) : (
    <Link to={`${page}${encodeURIComponent(id)}`} title={id} style={{ color: "inherit" }}>
      {text}
    </Link>
  );
}

export default function AuditPage() {
  const { t } = useTranslation();
  const [params, setParams] = useSearchParams();
  const kind = params.get("kind") ?? "";
  const log = useInfiniteQuery({
    queryKey: ["audit", "lines", kind],
    queryFn: ({ pageParam }) => must(client.GET("/api/v1/audit", { params: { query: { kind: kind || undefined, cursor: pageParam, limit: LIMIT } } })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    staleTime: 0,
  });
  const words = useRecordWords();
  const ruleName = useRuleNames();
  const rows = log.data?.pages.flatMap((page) => page.items) ?? [];
  const columns: ColumnDef<AuditEntry>[] = [
    { key: "number", title: "#", cell: (entry) => <span className="mono dim" title={`SHA-256 ${entry.digest}`}>{entry.number}</span>, width: 60 },
    { key: "at", title: t("audit.at"), cell: (entry) => <Time at={entry.at} style="full" />, width: 170 },
    { key: "by", title: t("audit.by"), cell: (entry) => entry.by?.display_name ?? t("ui.nobody") },
    { key: "action", title: t("audit.action"), cell: (entry) => <span title={entry.action}>{words.action(entry.action)}</span> },
    { key: "subject", title: t("audit.subject"), cell: (entry) => <Subject subject={entry.subject} /> },
    {
      key: "detail",
      title: t("audit.detail"),
      cell: (entry) => <RecordDetail detail={entry.detail} say={(name, text) => (name === "rule" ? ruleName(text) : undefined)} inline />,
    },
    { key: "address", title: t("audit.address"), cell: (entry) => <span className="mono dim">{entry.address}</span>, width: 140 },
  ];
  return (
    <Page title={t("audit.title")} lead={t("audit.lead")} wide>
      <Chain />
      <div className={styles.filters}>
        <Select
          size="xs"
          w={240}
          aria-label={t("audit.kind")}
          placeholder={t("audit.every_kind")}
          clearable
          value={kind || null}
          onChange={(value) => setParams(value ? { kind: value } : {}, { replace: true })}
          data={KINDS.map((each) => ({ value: each, label: t(`audit.kinds.${each}`) }))}
        />
        {log.data && <span className="dim">{t("audit.lines", { number: count(log.data.pages[0]?.total ?? 0) })}</span>}
      </div>
      <Panel flush>
        {log.isPending ? (
          <SkeletonRows rows={14} height={22} />
        ) : log.isError ? (
          <Failed error={log.error} retry={() => void log.refetch()} />
        ) : rows.length === 0 ? (
          <Empty title={t("audit.empty")} />
        ) : (
          <Table label={t("audit.title")} columns={columns} rows={rows} rowKey={(entry) => String(entry.number)} />
        )}
      </Panel>
      {log.hasNextPage && (
        <Group justify="center">
          <Button variant="default" size="xs" loading={log.isFetchingNextPage} onClick={() => void log.fetchNextPage()}>
            {t("ui.more")}
          </Button>
        </Group>
      )}
    </Page>
  );
}
