// The audit log, newest first.
import { Button, Group } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { client, must } from "../../api/client";
import type { AuditEntry } from "../../api/types";
import { Page, Panel } from "../../ui/Page";
import { Empty, Failed, SkeletonRows } from "../../ui/States";
import { Table, type ColumnDef } from "../../ui/Table";
import { Time } from "../../ui/Time";

const LIMIT = 100;

export default function AuditPage() {
  const { t } = useTranslation();
  const log = useInfiniteQuery({
    queryKey: ["audit"],
    queryFn: ({ pageParam }) => must(client.GET("/api/v1/audit", { params: { query: { cursor: pageParam, limit: LIMIT } } })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    staleTime: 0,
  });
  const rows = log.data?.pages.flatMap((page) => page.items) ?? [];
  const columns: ColumnDef<AuditEntry>[] = [
    { key: "number", title: "#", cell: (entry) => <span className="mono dim">{entry.number}</span>, width: 60 },
    { key: "at", title: t("audit.at"), cell: (entry) => <Time at={entry.at} style="full" />, width: 170 },
    { key: "by", title: t("audit.by"), cell: (entry) => entry.by?.display_name ?? t("ui.nobody") },
    { key: "action", title: t("audit.action"), cell: (entry) => <span className="mono">{entry.action}</span> },
    { key: "subject", title: t("audit.subject"), cell: (entry) => <span className="mono">{entry.subject}</span> },
    {
      key: "detail",
      title: t("audit.detail"),
      cell: (entry) => (
        <span className="dim">
          {Object.entries(entry.detail)
            .map(([name, value]) => `${name}: ${value}`)
            .join(" · ")}
        </span>
      ),
    },
    { key: "address", title: t("audit.address"), cell: (entry) => <span className="mono dim">{entry.address}</span>, width: 140 },
  ];
  return (
    <Page title={t("audit.title")} lead={t("audit.lead")} wide>
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
