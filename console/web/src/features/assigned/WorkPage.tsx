// What an agency has to do: notices that were sent to it, those that wait for an answer first.
import { IconAlarm, IconInbox } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { AgencyWorkRow } from "../../api/types";
import { count } from "../../ui/format";
import { Page } from "../../ui/Page";
import { Empty, Failed, SkeletonRows } from "../../ui/States";
import { Time } from "../../ui/Time";
import { useWork } from "./queries";
import styles from "./Work.module.css";

export default function WorkPage() {
  const { t } = useTranslation();
  const work = useWork();
  const list = work.data;
  const lead = list?.agency && t("work.lead", { team: list.team || t("work.team"), agency: list.agency.name });
  const waiting = list?.items.filter((row) => row.state === "open") ?? [];
  const others = list?.items.filter((row) => row.state !== "open") ?? [];
  return (
    <Page title={t("work.title")} lead={lead}>
      {work.isPending ? (
        <SkeletonRows rows={4} height={72} />
      ) : work.isError ? (
        <Failed error={work.error} retry={() => void work.refetch()} />
      ) : !list?.agency ? (
        <Empty icon={<IconInbox size={28} className="dim" />} title={t("work.no_agency")}>
          {t("work.no_agency_hint")}
        </Empty>
      ) : list.total === 0 ? (
        <Empty icon={<IconInbox size={28} className="dim" />} title={t("work.empty")}>
          {t("work.empty_hint")}
        </Empty>
      ) : (
        <div className={styles.column}>
          <h2 className={styles.part}>{t("work.waiting")}</h2>
          {waiting.length === 0 ? <p className="dim">{t("work.nothing_waiting")}</p> : <Rows rows={waiting} own={list.agency.id} />}
          {others.length > 0 && (
            <>
              <h2 className={styles.part}>{t("work.others")}</h2>
              <Rows rows={others} own={list.agency.id} />
            </>
          )}
          {list.total > list.items.length && <p className="dim">{t("work.more", { number: count(list.total), shown: count(list.items.length) })}</p>}
        </div>
      )}
    </Page>
  );
}

function Rows({ rows, own }: { rows: readonly AgencyWorkRow[]; own: string }) {
  const { t } = useTranslation();
  return (
    <ul className={styles.rows}>
      {rows.map((row) => (
        <li key={row.id} data-state={row.overdue ? "overdue" : row.state}>
          <Link to={`/assigned/${encodeURIComponent(row.id)}`} className={styles.row}>
            <span className={styles.subject}>{row.subject}</span>
            <span className={styles.facts}>
              <span className={styles.state} data-state={row.overdue ? "overdue" : row.state}>
                {row.overdue && <IconAlarm size={13} aria-hidden />}
                {row.overdue ? t("agency_notice.overdue") : t(`agency_notice.state.${row.state}`)}
              </span>
              <span>{t("agency_notice.reference", { reference: row.reference })}</span>
              {row.agency.id !== own && <span>{row.agency.name}</span>}
              {row.state === "open" && row.due_at && (
                <span>
                  {t("agency_notice.due")} <Time at={row.due_at} />
                </span>
              )}
              <span>
                {t("agency_notice.sent")} <Time at={row.sent_at} />
              </span>
            </span>
            {row.state === "open" && <span className={styles.asks}>{row.missing.map((ask) => t(`agency_notice.ask.${ask}`)).join(" · ")}</span>}
          </Link>
        </li>
      ))}
    </ul>
  );
}
