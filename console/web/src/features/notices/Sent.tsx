// The queue of notices: what was sent, what waits, what failed and why.
import { IconMail } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { Notice } from "../../api/types";
import { Panel } from "../../ui/Page";
import { Empty, Failed, SkeletonRows } from "../../ui/States";
import { Table, type ColumnDef } from "../../ui/Table";
import { Time } from "../../ui/Time";
import { useNotices } from "./queries";

const COLOUR = { queued: "var(--lt-warn)", sent: "var(--lt-accent)", failed: "var(--lt-critical)" } as const;

export function Sent() {
  const { t } = useTranslation();
  const notices = useNotices();
  const columns: ColumnDef<Notice>[] = [
    { key: "created", title: t("notices.created"), cell: (notice) => <Time at={notice.created_at} style="full" />, width: 170 },
    { key: "kind", title: t("notices.kind"), cell: (notice) => t(`notices.kinds.${notice.kind}`), width: 110 },
    { key: "to", title: t("notices.to"), cell: (notice) => <span className={notice.channel === "mail" ? "mono" : undefined}>{notice.to}</span> },
    {
      key: "subject",
      title: t("notices.subject"),
      cell: (notice) =>
        notice.alert_id ? (
          <Link to={`/alerts/${encodeURIComponent(notice.alert_id)}`} style={{ color: "inherit" }} title={t("notices.open")}>
            {notice.subject}
          </Link>
        ) : (
          notice.subject
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
        <Table label={t("notices.tabs.sent")} columns={columns} rows={notices.data.items} rowKey={(notice) => notice.id} />
      )}
    </Panel>
  );
}
