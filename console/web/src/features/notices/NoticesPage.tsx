// The mail queue: what was sent, what waits, what failed and why.
import { useQuery } from "@tanstack/react-query";
import { IconMail } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { client, must } from "../../api/client";
import type { Notice } from "../../api/types";
import { Page, Panel } from "../../ui/Page";
import { Empty, Failed, SkeletonRows } from "../../ui/States";
import { Table, type ColumnDef } from "../../ui/Table";
import { Time } from "../../ui/Time";

const LIMIT = 200;
const COLOUR = { queued: "var(--lt-warn)", sent: "var(--lt-accent)", failed: "var(--lt-critical)" } as const;

export default function NoticesPage() {
  const { t } = useTranslation();
  const notices = useQuery({ queryKey: ["notices"], queryFn: () => must(client.GET("/api/v1/notices", { params: { query: { limit: LIMIT } } })), refetchInterval: 15_000 });
  const columns: ColumnDef<Notice>[] = [
    { key: "created", title: t("notices.created"), cell: (notice) => <Time at={notice.created_at} style="full" />, width: 170 },
    { key: "to", title: t("notices.to"), cell: (notice) => <span className="mono">{notice.to}</span> },
    {
      key: "subject",
      title: t("notices.subject"),
      cell: (notice) => (
        <Link to={`/alerts/${encodeURIComponent(notice.alert_id)}`} style={{ color: "inherit" }} title={t("notices.open")}>
          {notice.subject}
        </Link>
      ),
    },
    { key: "state", title: t("notices.state"), cell: (notice) => <span style={{ color: COLOUR[notice.state] }}>{t(`notices.states.${notice.state}`)}</span>, width: 130 },
    { key: "attempts", title: t("notices.attempts"), cell: (notice) => notice.attempts, align: "right", width: 80 },
    {
      key: "receipt",
      title: t("notices.receipt"),
      cell: (notice) => (
        <span className="dim">
          {notice.receipt ?? notice.last_error}
          {notice.state === "queued" && notice.next_attempt_at && (
            <>
              {" "}
              · {t("notices.next")} <Time at={notice.next_attempt_at} />
            </>
          )}
        </span>
      ),
    },
  ];
  return (
    <Page title={t("notices.title")} lead={t("notices.lead")} wide>
      <Panel flush>
        {notices.isPending ? (
          <SkeletonRows rows={6} height={24} />
        ) : notices.isError ? (
          <Failed error={notices.error} retry={() => void notices.refetch()} />
        ) : notices.data.items.length === 0 ? (
          <Empty icon={<IconMail size={28} className="dim" />} title={t("notices.empty")}>
            {t("notices.empty_hint")}
          </Empty>
        ) : (
          <Table label={t("notices.title")} columns={columns} rows={notices.data.items} rowKey={(notice) => notice.id} />
        )}
      </Panel>
    </Page>
  );
}
