// Notices to agencies in a case: what was asked, what has come, what is late; and everything that can be done about it.
import { Alert, Button, Group, Modal } from "@mantine/core";
import { IconBell, IconBuilding, IconCircleCheck, IconCircleDashed, IconPlus } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { client, must } from "../../api/client";
import type { CaseAgencyNotice, CaseDetail } from "../../api/types";
import { fullTime } from "../../ui/format";
import { notify } from "../../ui/notify";
import { Panel } from "../../ui/Page";
import { Empty } from "../../ui/States";
import { Time } from "../../ui/Time";
import { AgencyNoticeFiles } from "./AgencyFiles";
import { EndForm, MessageForm, NoticeForm } from "./AgencyForms";
import { useCaseAction } from "./queries";
import styles from "./Agencies.module.css";
import cases from "./Case.module.css";

type Step = { what: "message" | "end"; notice: CaseAgencyNotice } | { what: "new" } | null;

export function Agencies({ detail, editable }: { detail: CaseDetail; editable: boolean }) {
  const { t } = useTranslation();
  const [step, setStep] = useState<Step>(null);
  const close = () => setStep(null);
  const add = editable && (
    <Button size="compact-xs" variant="subtle" className="no-print" leftSection={<IconPlus size={13} />} onClick={() => setStep({ what: "new" })}>
      {t("cases.to_agency.new")}
    </Button>
  );
  const notices = [...detail.agency_notices].reverse();
  return (
    <>
      <Panel title={t("cases.to_agency.title")} aside={add} flush>
        {notices.length === 0 ? (
          <Empty icon={<IconBuilding size={28} className="dim" />} title={t("cases.to_agency.empty")}>
            {t("cases.to_agency.empty_hint")}
          </Empty>
        ) : (
          <ul className={styles.notices}>
            {notices.map((notice) => (
              <Notice key={notice.id} detail={detail} notice={notice} editable={editable} onStep={setStep} />
            ))}
          </ul>
        )}
      </Panel>
      <Modal opened={step?.what === "new"} onClose={close} size="lg" title={t("cases.to_agency.new")}>
        <NoticeForm detail={detail} onDone={close} />
      </Modal>
      <Modal opened={step?.what === "message"} onClose={close} title={t("cases.to_agency.message")}>
        {step?.what === "message" && <MessageForm detail={detail} notice={step.notice} onDone={close} />}
      </Modal>
      <Modal opened={step?.what === "end"} onClose={close} title={t("cases.to_agency.end")}>
        {step?.what === "end" && <EndForm detail={detail} notice={step.notice} onDone={close} />}
      </Modal>
    </>
  );
}

function Notice({ detail, notice, editable, onStep }: { detail: CaseDetail; notice: CaseAgencyNotice; editable: boolean; onStep: (step: Step) => void }) {
  const { t } = useTranslation();
  const state = notice.overdue ? "overdue" : notice.state;
  return (
    <li data-state={state} aria-label={`${notice.reference} ${notice.agency.name}`}>
      <div className={styles.head}>
        <div className={cases.grow}>
          <div className={styles.facts}>
            <span className={styles.state} data-state={state}>
              {state === "overdue" ? t("agency_notice.overdue") : t(`agency_notice.state.${state}`)}
            </span>
            <b>{notice.agency.name}</b>
            <span className="dim">{t("agency_notice.reference", { reference: notice.reference })}</span>
            <span className="dim">TLP:{notice.tlp.toUpperCase().replace("_", "+")}</span>
            {notice.due_at && (
              <span className={notice.overdue ? styles.late : "dim"}>
                {t("agency_notice.due")} {fullTime(notice.due_at).slice(0, 16)} (<Time at={notice.due_at} />)
              </span>
            )}
          </div>
          <div className={styles.subject}>{notice.subject}</div>
        </div>
        {editable && <Actions detail={detail} notice={notice} onStep={onStep} />}
      </div>
      <div className={cases.prose}>{notice.text}</div>
      <Asks notice={notice} />
      <Told notice={notice} />
      <AgencyNoticeFiles detail={detail} notice={notice} editable={editable} />
      <Said notice={notice} />
      {notice.ended_at && (
        <Alert variant="light" color="gray" p="xs" mt={8} title={`${t("agency_notice.ended")} · ${fullTime(notice.ended_at).slice(0, 16)}`}>
          {notice.ended_reason}
        </Alert>
      )}
    </li>
  );
}

function Actions({ detail, notice, onStep }: { detail: CaseDetail; notice: CaseAgencyNotice; onStep: (step: Step) => void }) {
  const { t } = useTranslation();
  const path = { id: detail.id, notice: notice.id };
  const send = useCaseAction(detail.id, () => must(client.POST("/api/v1/cases/{id}/agency-notices/{notice}/send", { params: { path } })));
  const discard = useCaseAction(detail.id, () => must(client.DELETE("/api/v1/cases/{id}/agency-notices/{notice}", { params: { path } })));
  const remind = useCaseAction(detail.id, () => must(client.POST("/api/v1/cases/{id}/agency-notices/{notice}/remind", { params: { path } })));
  if (notice.state === "ended") return null;
  if (notice.state === "draft") {
    return (
      <Group gap={6} className="no-print">
        <Button size="compact-xs" loading={send.isPending} onClick={() => send.mutate(undefined, { onSuccess: () => notify(t("cases.to_agency.sent", { agency: notice.agency.name })) })}>
          {t("cases.to_agency.send")}
        </Button>
        <Button size="compact-xs" variant="default" loading={discard.isPending} onClick={() => discard.mutate(undefined)}>
          {t("cases.to_agency.discard")}
        </Button>
      </Group>
    );
  }
  return (
    <Group gap={6} className="no-print">
      {notice.state === "open" && (
        <Button size="compact-xs" variant="default" leftSection={<IconBell size={13} />} loading={remind.isPending} onClick={() => remind.mutate(undefined, { onSuccess: () => notify(t("cases.to_agency.reminded", { agency: notice.agency.name })) })}>
          {t("cases.to_agency.remind")}
        </Button>
      )}
      <Button size="compact-xs" variant="default" onClick={() => onStep({ what: "message", notice })}>
        {t("cases.to_agency.message")}
      </Button>
      <Button size="compact-xs" variant="default" onClick={() => onStep({ what: "end", notice })}>
        {t("cases.to_agency.end")}
      </Button>
    </Group>
  );
}

/** What was asked, and what of it has come. */
function Asks({ notice }: { notice: CaseAgencyNotice }) {
  const { t } = useTranslation();
  if (notice.asks.length === 0) return <p className={`${styles.none} dim`}>{t("cases.to_agency.asked_nothing")}</p>;
  return (
    <ul className={styles.asks}>
      {notice.asks.map((ask) => {
        const missing = notice.missing.includes(ask);
        const by = ask === "confirm" && notice.confirmed_at ? ` · ${notice.confirmed_by?.display_name ?? t("ui.nobody")}, ${fullTime(notice.confirmed_at).slice(0, 16)}` : "";
        return (
          <li key={ask} data-done={!missing || undefined}>
            {missing ? <IconCircleDashed size={15} aria-hidden /> : <IconCircleCheck size={15} aria-hidden />}
            {t(missing ? `agency_notice.ask.${ask}` : `agency_notice.done.${ask}`)}
            {by}
            {missing && notice.state !== "draft" && <span className="visually-hidden">: {t("cases.to_agency.missing")}</span>}
          </li>
        );
      })}
    </ul>
  );
}

/** Whom mail told, or that it told nobody. */
function Told({ notice }: { notice: CaseAgencyNotice }) {
  const { t } = useTranslation();
  if (notice.state === "draft") return null;
  if (notice.told_to.length === 0) {
    return (
      <p className={styles.late} role="note">
        {t("cases.to_agency.told_nobody")}
      </p>
    );
  }
  return (
    <p className={`${styles.none} dim`}>
      {t("cases.to_agency.told", { to: notice.told_to.join(", ") })}
      {notice.told_at && ` · ${fullTime(notice.told_at).slice(0, 16)}`}
    </p>
  );
}

function Said({ notice }: { notice: CaseAgencyNotice }) {
  const { t } = useTranslation();
  if (notice.entries.length === 0) return null;
  return (
    <ol className={styles.said}>
      {notice.entries.map((entry) => (
        <li key={entry.id} data-agency={entry.from_agency || undefined}>
          <div>
            <b>{t(`agency_notice.entry.${entry.kind}`)}</b>
            <span className="dim">
              {entry.by && ` · ${entry.by.display_name}`} · {fullTime(entry.at).slice(0, 16)}
            </span>
          </div>
          {entry.text && <div className={cases.prose}>{entry.text}</div>}
          {entry.done_at && (
            <div className="dim">
              {t("agency_notice.done_at", { time: fullTime(entry.done_at).slice(0, 16) })} · {t("agency_notice.done_by", { name: entry.done_by ?? "" })}
            </div>
          )}
        </li>
      ))}
    </ol>
  );
}
