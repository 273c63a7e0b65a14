// The third pane: who works on it, what it turned out to be and why, or a case.
import { Alert as Notice, Button, Kbd, Stack, Textarea, Tooltip } from "@mantine/core";
import { IconArrowBackUp, IconBriefcase, IconCheck, IconUserCheck, IconUserMinus } from "@tabler/icons-react";
import { useEffect, useImperativeHandle, useRef, useState, type Ref } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { failedWith } from "../../api/client";
import { useCaller, usePermissions } from "../../api/session";
import type { AlertDetail } from "../../api/types";
import { notify, notifyFailure } from "../../ui/notify";
import { useDraft } from "./drafts";
import { SimilarSummary } from "./History";
import { useAssignAlert, useCloseAlert, useReopenAlert } from "./queries";
import { VerdictFields } from "./VerdictForm";
import styles from "./Decision.module.css";

/** What the keys of the page can ask of the pane. */
export interface DecisionHandle {
  focusClose: () => void;
  reopen: () => void;
  assign: () => void;
}

interface DecisionProps {
  detail: AlertDetail;
  handle?: Ref<DecisionHandle>;
  onEscalate: () => void;
  onDecided?: (id: string) => void;
}

export function Decision({ detail, handle, onEscalate, onDecided }: DecisionProps) {
  const { t } = useTranslation();
  const may = usePermissions();
  const { triage } = detail;
  return (
    <aside className={styles.pane} aria-label={t("alerts.decision")}>
      {may.triage ? (
        <Assignee detail={detail} />
      ) : (
        <p className="dim">{t("alerts.decide.read_only")}</p>
      )}
      <SimilarSummary alerts={detail.similar} />
      {triage.status === "closed" && <Decided detail={detail} />}
      {triage.case_id && (
        <Button component={Link} to={`/cases/${encodeURIComponent(triage.case_id)}`} variant="default" leftSection={<IconBriefcase size={15} />} fullWidth>
          {triage.case_number ? t("alerts.decide.in_case", { number: triage.case_number }) : t("alerts.decide.in_a_case")}
        </Button>
      )}
      {may.triage && <Actions key={detail.alert.id} detail={detail} handle={handle} onEscalate={onEscalate} onDecided={onDecided} />}
    </aside>
  );
}

function useFailure() {
  const { t } = useTranslation();
  return (error: Error) => notifyFailure(t("ui.not_done"), failedWith(error, 409) ? t("alerts.decide.stale") : error.message || t("ui.unreachable"));
}

function Assignee({ detail }: { detail: AlertDetail }) {
  const { t } = useTranslation();
  const caller = useCaller();
  const fail = useFailure();
  const assign = useAssignAlert(detail.alert.id);
  const { assignee, version } = detail.triage;
  const mine = assignee?.id === caller.id;
  const set = (user_id: string | null) => assign.mutate({ user_id, version }, { onError: fail });
  return (
    <div className={styles.assignee}>
      <div>
        <div className={styles.label}>{t("alerts.decide.assignee")}</div>
        <div>{assignee ? assignee.display_name : <span className="dim">{t("alerts.unassigned")}</span>}</div>
      </div>
      {mine ? (
        <Tooltip label={t("alerts.decide.unassign")}>
          <Button size="compact-sm" variant="default" loading={assign.isPending} onClick={() => set(null)} aria-label={t("alerts.decide.unassign")}>
            <IconUserMinus size={15} />
          </Button>
        </Tooltip>
      ) : (
        <Button size="compact-sm" variant="default" leftSection={<IconUserCheck size={14} />} rightSection={<Kbd size="xs" aria-hidden>a</Kbd>} loading={assign.isPending} onClick={() => set(caller.id)}>
          {t("alerts.decide.assign_me")}
        </Button>
      )}
    </div>
  );
}

function Decided({ detail }: { detail: AlertDetail }) {
  const { t } = useTranslation();
  const { verdict, reason } = detail.triage;
  const closed = [...detail.history].reverse().find((entry) => entry.action === "closed");
  return (
    <div className={styles.decided}>
      <div className={styles.label}>{t("alerts.decide.closed_by")}</div>
      {verdict && <b>{t(`verdict.${verdict}`)}</b>}
      <p>{reason}</p>
      {closed?.by && <div className="dim">{closed.by.display_name}</div>}
    </div>
  );
}

function Actions({ detail, handle, onEscalate, onDecided }: DecisionProps) {
  const open = detail.triage.status === "open";
  return open || detail.triage.status === "escalated" ? (
    <CloseForm detail={detail} handle={handle} onEscalate={onEscalate} onDecided={onDecided} />
  ) : (
    <ReopenForm detail={detail} handle={handle} onEscalate={onEscalate} />
  );
}

function useAssignToMe(detail: AlertDetail) {
  const caller = useCaller();
  const fail = useFailure();
  const assign = useAssignAlert(detail.alert.id);
  return () => {
    if (detail.triage.assignee?.id !== caller.id) assign.mutate({ user_id: caller.id, version: detail.triage.version }, { onError: fail });
  };
}

function CloseForm({ detail, handle, onEscalate, onDecided }: DecisionProps) {
  const { t } = useTranslation();
  const { id } = detail.alert;
  const { draft, change, drop } = useDraft(id);
  const [missing, setMissing] = useState<"verdict" | "reason" | null>(null);
  const close = useCloseAlert(id);
  const fail = useFailure();
  const assign = useAssignToMe(detail);
  const verdicts = useRef<HTMLDivElement>(null);
  const reason = useRef<HTMLTextAreaElement>(null);
  const focusClose = () => {
    if (draft.verdict === null) verdicts.current?.querySelector<HTMLElement>("[role=radio]")?.focus();
    else reason.current?.focus();
  };
  useImperativeHandle(handle, () => ({ focusClose, reopen: () => undefined, assign }));
  useEffect(() => setMissing(null), [draft]);

  const submit = () => {
    const text = draft.reason.trim();
    if (draft.verdict === null || text === "") {
      setMissing(draft.verdict === null ? "verdict" : "reason");
      return;
    }
    const { verdict } = draft;
    close.mutate(
      { verdict, reason: text, version: detail.triage.version },
      {
        onSuccess: () => {
          drop();
          notify(t("alerts.decide.closed_notice", { verdict: t(`verdict.${verdict}`) }));
          onDecided?.(id);
        },
        onError: fail,
      },
    );
  };

  return (
    <Stack gap={12}>
      <VerdictFields draft={draft} onChange={change} onSubmit={submit} firstRef={verdicts} reasonRef={reason} />
      {missing && (
        <Notice p="xs" color="yellow" variant="light" role="alert">
          {missing === "verdict" ? t("alerts.decide.choose_verdict") : t("alerts.decide.need_reason")}
        </Notice>
      )}
      <Tooltip label={t("alerts.decide.close_hint")}>
        <Button onClick={submit} aria-keyshortcuts="c" loading={close.isPending} leftSection={<IconCheck size={15} />} rightSection={<Kbd size="xs" aria-hidden>c</Kbd>} fullWidth>
          {t("alerts.decide.close")}
        </Button>
      </Tooltip>
      {detail.triage.status === "open" && (
        <Button variant="default" onClick={onEscalate} aria-keyshortcuts="e" leftSection={<IconBriefcase size={15} />} rightSection={<Kbd size="xs" aria-hidden>e</Kbd>} fullWidth>
          {t("alerts.decide.escalate")}
        </Button>
      )}
    </Stack>
  );
}

function ReopenForm({ detail, handle }: DecisionProps) {
  const { t } = useTranslation();
  const [reason, setReason] = useState("");
  const [asked, setAsked] = useState(false);
  const reopen = useReopenAlert(detail.alert.id);
  const assign = useAssignToMe(detail);
  const fail = useFailure();
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    if (asked) field.current?.focus();
  }, [asked]);
  useImperativeHandle(handle, () => ({ focusClose: () => undefined, reopen: () => setAsked(true), assign }));

  if (!asked) {
    return (
      <Button variant="default" onClick={() => setAsked(true)} leftSection={<IconArrowBackUp size={15} />} rightSection={<Kbd size="xs" aria-hidden>r</Kbd>} fullWidth>
        {t("alerts.decide.reopen")}
      </Button>
    );
  }
  const send = () =>
    reopen.mutate({ reason: reason.trim(), version: detail.triage.version }, { onSuccess: () => notify(t("alerts.decide.reopened_notice")), onError: fail });
  return (
    <Stack gap={10}>
      <Textarea ref={field} label={t("alerts.decide.reopen_reason")} autosize minRows={3} maxLength={2000} value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
      <Button disabled={reason.trim() === ""} loading={reopen.isPending} onClick={send} fullWidth>
        {t("alerts.decide.reopen")}
      </Button>
      <Button variant="subtle" color="gray" onClick={() => setAsked(false)} fullWidth>
        {t("ui.cancel")}
      </Button>
    </Stack>
  );
}
