// One notice as its agency sees it: what it says, what is asked, and a place for each answer. Made for a phone as well.
import { Alert, Button } from "@mantine/core";
import { IconArrowLeft, IconCircleCheck, IconCircleDashed, IconDownload } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { Link, useParams } from "react-router";
import { ApiFailure, client, must } from "../../api/client";
import type { AgencyEntry, AgencyFile, AgencyNotice, Ask } from "../../api/types";
import { bytes, fullTime } from "../../ui/format";
import { notify, notifyFailure } from "../../ui/notify";
import { Page, Panel } from "../../ui/Page";
import { save } from "../../ui/save";
import { Failed, SkeletonRows } from "../../ui/States";
import { Time } from "../../ui/Time";
import { AnswerForm, RemediationForm, Uploads } from "./Forms";
import { useNotice, useSay } from "./queries";
import styles from "./Work.module.css";

export default function NoticePage() {
  const { t } = useTranslation();
  const { id = "" } = useParams();
  const query = useNotice(id);
  const notice = query.data;
  return (
    <Page
      title={notice?.subject ?? t("work.title")}
      lead={
        <Link to="/assigned" className={styles.back}>
          <IconArrowLeft size={14} aria-hidden /> {t("work.back")}
        </Link>
      }
    >
      {query.isPending ? <SkeletonRows rows={6} height={48} /> : query.isError && !notice ? <Failed error={query.error} retry={() => void query.refetch()} /> : notice && <Notice notice={notice} />}
    </Page>
  );
}

function Notice({ notice }: { notice: AgencyNotice }) {
  const { t } = useTranslation();
  const ended = notice.state === "ended";
  const documents = notice.files.filter((file) => !file.from_agency);
  return (
    <div className={styles.column}>
      {ended && (
        <Alert variant="light" color="gray" title={t("agency_notice.ended")} mb="sm">
          {notice.ended_reason}
        </Alert>
      )}
      <Panel>
        <div className={styles.facts}>
          <span className={styles.state} data-state={notice.overdue ? "overdue" : notice.state}>
            {notice.overdue ? t("agency_notice.overdue") : t(`agency_notice.state.${notice.state}`)}
          </span>
          <span>{t("agency_notice.reference", { reference: notice.reference })}</span>
          <span>{notice.agency.name}</span>
          {notice.sent_at && (
            <span>
              {t("agency_notice.sent")} {fullTime(notice.sent_at).slice(0, 16)} · {notice.sent_by?.display_name}
            </span>
          )}
          <span>
            TLP:{notice.tlp.toUpperCase().replace("_", "+")} · {t(`cases.tlp_hint.${notice.tlp}`)}
          </span>
        </div>
        <p className={styles.due}>
          {notice.due_at ? (
            <>
              {t("agency_notice.due")}: <b>{fullTime(notice.due_at).slice(0, 16)}</b> (<Time at={notice.due_at} />)
            </>
          ) : (
            <span className="dim">{t("agency_notice.no_due")}</span>
          )}
        </p>
        <div className={styles.prose}>{notice.text}</div>
        {documents.length > 0 && <Documents notice={notice} files={documents} />}
      </Panel>
      <Asked notice={notice} />
      <Panel title={t("work.history")}>
        <History notice={notice} />
      </Panel>
    </div>
  );
}

/** What is asked, each with its state and the place to do it. */
function Asked({ notice }: { notice: AgencyNotice }) {
  const { t } = useTranslation();
  const open = notice.state !== "ended";
  const asks = notice.asks;
  return (
    <Panel title={t("work.todo")}>
      {asks.length === 0 && <p className="dim">{t("work.asked_nothing")}</p>}
      <ol className={styles.steps}>
        {asks.map((ask) => {
          const missing = notice.missing.includes(ask);
          return (
            <li key={ask} data-done={!missing || undefined}>
              <h3>
                {missing ? <IconCircleDashed size={18} aria-hidden /> : <IconCircleCheck size={18} aria-hidden />}
                {t(missing ? `agency_notice.ask.${ask}` : `agency_notice.done.${ask}`)}
              </h3>
              <Step notice={notice} ask={ask} open={open} />
            </li>
          );
        })}
        {open && !asks.includes("answer") && (
          <li data-extra>
            <Step notice={notice} ask="answer" open />
          </li>
        )}
      </ol>
    </Panel>
  );
}

function Step({ notice, ask, open }: { notice: AgencyNotice; ask: Ask; open: boolean }) {
  const { t } = useTranslation();
  if (ask === "confirm") return <Confirm notice={notice} open={open} />;
  if (ask === "logs") return <Uploads notice={notice} open={open} />;
  if (!open) return null;
  return ask === "answer" ? <AnswerForm key={t("work.answer")} id={notice.id} /> : <RemediationForm id={notice.id} />;
}

function Confirm({ notice, open }: { notice: AgencyNotice; open: boolean }) {
  const { t } = useTranslation();
  const confirm = useSay(
    notice.id,
    () => must(client.POST("/api/v1/agency-work/{id}/confirm", { params: { path: { id: notice.id } } })),
    () => notify(t("work.confirmed")),
  );
  if (notice.confirmed_at) {
    return <p className="dim">{t("work.confirmed_by", { name: notice.confirmed_by?.display_name ?? t("ui.nobody"), time: fullTime(notice.confirmed_at).slice(0, 16) })}</p>;
  }
  if (!open) return null;
  return (
    <Button loading={confirm.isPending} onClick={() => confirm.mutate(undefined)}>
      {t("work.confirm")}
    </Button>
  );
}

function Documents({ notice, files }: { notice: AgencyNotice; files: readonly AgencyFile[] }) {
  const { t } = useTranslation();
  const download = async (file: AgencyFile) => {
    try {
      const { data, error, response } = await client.GET("/api/v1/agency-work/{id}/files/{file}", { params: { path: { id: notice.id, file: file.id } }, parseAs: "blob" });
      if (!response.ok || data === undefined) throw new ApiFailure(response.status, error ?? { code: `http_${response.status}`, message: response.statusText });
      save(data as unknown as Blob, file.name);
    } catch (error) {
      notifyFailure(t("ui.not_done"), (error instanceof Error && error.message) || t("ui.unreachable"));
    }
  };
  return (
    <section className={styles.files} aria-label={t("agency_notice.documents")}>
      <h3>{t("agency_notice.documents")}</h3>
      <ul>
        {files.map((file) => (
          <li key={file.id}>
            <Button size="compact-sm" variant="default" leftSection={<IconDownload size={14} />} aria-label={t("work.download_of", { name: file.name })} onClick={() => void download(file)}>
              {t("work.download")}
            </Button>
            <span className={styles.fileName}>{file.name}</span>
            <span className="dim">{bytes(file.bytes)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function History({ notice }: { notice: AgencyNotice }) {
  const { t } = useTranslation();
  const entries = [...notice.entries].reverse();
  if (entries.length === 0) return <p className="dim">{t("work.history_empty")}</p>;
  return (
    <ol className={styles.history}>
      {entries.map((entry) => (
        <Said key={entry.id} entry={entry} />
      ))}
    </ol>
  );
}

function Said({ entry }: { entry: AgencyEntry }) {
  const { t } = useTranslation();
  return (
    <li data-agency={entry.from_agency || undefined}>
      <div>
        <b>{t(`agency_notice.entry.${entry.kind}`)}</b>
        {entry.by && <span className="dim"> · {entry.by.display_name}</span>}
        <span className="dim">
          {" "}
          · <Time at={entry.at} />
        </span>
      </div>
      {entry.text && <div className={styles.prose}>{entry.text}</div>}
      {entry.done_at && (
        <div className="dim">
          {t("agency_notice.done_at", { time: fullTime(entry.done_at).slice(0, 16) })} · {t("agency_notice.done_by", { name: entry.done_by })}
        </div>
      )}
    </li>
  );
}
