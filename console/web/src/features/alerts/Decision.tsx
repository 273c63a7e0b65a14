// The third pane: who works on it, what it turned out to be and why, or a case.
import { Alert as Notice, Anchor, Button, Kbd, Stack, Textarea, Tooltip } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconArrowBackUp, IconBell, IconBellRinging, IconBriefcase, IconCheck, IconNote, IconUserMinus, IconUsers } from "@tabler/icons-react";
import { useEffect, useImperativeHandle, useRef, useState, type Ref, type RefObject } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { failedWith } from "../../api/client";
import { useCaller, usePermissions } from "../../api/session";
import type { AlertDetail } from "../../api/types";
import { count } from "../../ui/format";
import { notify, notifyFailure } from "../../ui/notify";
import { AssignDialog } from "./Bulk";
import { useDraft } from "./drafts";
import { SimilarSummary } from "./History";
import { useAssignAlert, useBulk, useCloseAlert, useNoteAlert, useReopenAlert, useWatchAlert } from "./queries";
import { meant, useOutcome, type Targets } from "./targets";
import type { Undo } from "./undo";
import { VerdictFields } from "./VerdictForm";
import styles from "./Decision.module.css";

/** What the keys of the page can ask of the pane. */
export interface DecisionHandle {
  focusClose: () => void;
  reopen: () => void;
  assign: () => void;
  watch: () => void;
  note: () => void;
}

interface DecisionProps {
  detail: AlertDetail;
  /** A whole group is decided on; the alert is the one that leads it. */
  group?: Targets | undefined;
  undo: Undo;
  handle?: Ref<DecisionHandle>;
  onEscalate: () => void;
  onSuppress: () => void;
  /** The rows that are decided now. */
  onDecided?: (rows: readonly string[]) => void;
}

export function Decision(props: DecisionProps) {
  const { t } = useTranslation();
  const may = usePermissions();
  const { detail, group, handle } = props;
  const { triage } = detail;
  const [assigning, assign] = useDisclosure(false);
  const focusClose = useRef<() => void>(() => undefined);
  const reopen = useRef<() => void>(() => undefined);
  const note = useRef<() => void>(() => undefined);
  const watch = useWatch(detail);
  const take = useAssignToMe(props);
  useImperativeHandle(handle, () => ({ focusClose: () => focusClose.current(), reopen: () => reopen.current(), assign: take, watch: watch.toggle, note: () => note.current() }));
  return (
    <aside className={styles.pane} aria-label={t("alerts.decision")}>
      {may.triage ? <Assignee {...props} watch={watch} onTake={take} onOther={assign.open} /> : <p className="dim">{t("alerts.decide.read_only")}</p>}
      {group && <div className={styles.whole}>{t("alerts.group.whole", { number: count(group.size) })}</div>}
      <SimilarSummary verdicts={detail.verdicts} />
      {triage.status === "closed" && <Decided detail={detail} />}
      {triage.suppression_id && (
        <Anchor component={Link} size="sm" to="/suppressions">
          {t("alerts.suppress.by")}
        </Anchor>
      )}
      {triage.case_id && (
        <Button component={Link} to={`/cases/${encodeURIComponent(triage.case_id)}`} variant="default" leftSection={<IconBriefcase size={15} />} fullWidth>
          {triage.case_number ? t("alerts.decide.in_case", { number: triage.case_number }) : t("alerts.decide.in_a_case")}
        </Button>
      )}
      {may.triage && (triage.status === "closed" ? <ReopenForm key={detail.alert.id} detail={detail} asking={reopen} /> : <CloseForm key={group?.groups[0] ?? detail.alert.id} {...props} focusing={focusClose} />)}
      {may.triage && triage.status === "suppressed" && <ReopenForm key={`reopen-${detail.alert.id}`} detail={detail} asking={reopen} />}
      {may.triage && <NoteForm key={`note-${detail.alert.id}`} detail={detail} asking={note} />}
      <AssignDialog targets={group ?? { rows: [detail.alert.id], ids: [detail.alert.id], groups: [], size: 1, severity: detail.alert.severity }} undo={props.undo} opened={assigning} onClose={assign.close} />
    </aside>
  );
}

function useFailure() {
  const { t } = useTranslation();
  return (error: Error) => notifyFailure(t("ui.not_done"), failedWith(error, 409) ? t("alerts.decide.stale") : error.message || t("ui.unreachable"));
}

interface Watch {
  on: boolean;
  busy: boolean;
  toggle: () => void;
}

function useWatch(detail: AlertDetail): Watch {
  const caller = useCaller();
  const fail = useFailure();
  const watch = useWatchAlert(detail.alert.id);
  const on = detail.triage.watchers.some(({ id }) => id === caller.id);
  return { on, busy: watch.isPending, toggle: () => watch.mutate(!on, { onError: fail }) };
}

function useAssignToMe({ detail, group, undo }: DecisionProps) {
  const caller = useCaller();
  const may = usePermissions();
  const fail = useFailure();
  const assign = useAssignAlert(detail.alert.id);
  const bulk = useBulk();
  const outcome = useOutcome();
  return () => {
    if (!may.triage) return;
    if (group) bulk.mutate({ ...meant(group), action: "assign", user_id: caller.id }, { onSuccess: (answer) => undo.offer(outcome("assigned", answer), answer.act_id), onError: fail });
    else if (detail.triage.assignee?.id !== caller.id) assign.mutate({ user_id: caller.id, version: detail.triage.version }, { onError: fail });
  };
}

function Assignee({ detail, watch, onTake, onOther }: DecisionProps & { watch: Watch; onTake: () => void; onOther: () => void }) {
  const { t } = useTranslation();
  const caller = useCaller();
  const fail = useFailure();
  const assign = useAssignAlert(detail.alert.id);
  const { assignee, version } = detail.triage;
  const mine = assignee?.id === caller.id;
  const watchers = detail.triage.watchers.map(({ display_name }) => display_name).join(", ");
  return (
    <div className={styles.assignee}>
      <div className={styles.who}>
        <div className={styles.label}>{t("alerts.decide.assignee")}</div>
        <div>{assignee ? assignee.display_name : <span className="dim">{t("alerts.unassigned")}</span>}</div>
      </div>
      <Button.Group>
        {mine ? (
          <Tooltip label={t("alerts.decide.unassign")}>
            <Button size="compact-sm" variant="default" loading={assign.isPending} onClick={() => assign.mutate({ user_id: null, version }, { onError: fail })} aria-label={t("alerts.decide.unassign")}>
              <IconUserMinus size={15} />
            </Button>
          </Tooltip>
        ) : (
          <Tooltip label={t("alerts.keys.assign")}>
            <Button size="compact-sm" variant="default" rightSection={<Kbd size="xs" aria-hidden>a</Kbd>} loading={assign.isPending} onClick={onTake}>
              {t("alerts.decide.assign_me")}
            </Button>
          </Tooltip>
        )}
        <Tooltip label={t("alerts.assign.other")}>
          <Button size="compact-sm" variant="default" px={6} onClick={onOther} aria-label={t("alerts.assign.other")}>
            <IconUsers size={15} />
          </Button>
        </Tooltip>
        <Tooltip label={watchers === "" ? `${t("alerts.watch.on")} (w)` : `${watch.on ? t("alerts.watch.off") : t("alerts.watch.on")} (w) · ${watchers}`}>
          <Button size="compact-sm" variant={watch.on ? "light" : "default"} px={6} loading={watch.busy} onClick={watch.toggle} aria-label={watch.on ? t("alerts.watch.off") : t("alerts.watch.on")} aria-pressed={watch.on}>
            {watch.on ? <IconBellRinging size={15} /> : <IconBell size={15} />}
          </Button>
        </Tooltip>
      </Button.Group>
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

function CloseForm({ detail, group, undo, onEscalate, onSuppress, onDecided, focusing }: DecisionProps & { focusing: RefObject<() => void> }) {
  const { t } = useTranslation();
  const { id } = detail.alert;
  const { draft, change, drop } = useDraft(group?.groups[0] ?? id);
  const [missing, setMissing] = useState<"verdict" | "reason" | null>(null);
  const close = useCloseAlert(id);
  const bulk = useBulk();
  const outcome = useOutcome();
  const fail = useFailure();
  const verdicts = useRef<HTMLDivElement>(null);
  const reason = useRef<HTMLTextAreaElement>(null);
  focusing.current = () => {
    if (draft.verdict === null) verdicts.current?.querySelector<HTMLElement>("[role=radio]")?.focus();
    else reason.current?.focus();
  };
  useEffect(() => setMissing(null), [draft]);

  const submit = () => {
    const text = draft.reason.trim();
    if (draft.verdict === null || text === "") {
      setMissing(draft.verdict === null ? "verdict" : "reason");
      return;
    }
    const { verdict } = draft;
    if (group) {
      bulk.mutate(
        { ...meant(group), action: "close", verdict, reason: text },
        {
          onSuccess: (answer) => {
            drop();
            undo.offer(outcome("done", answer), answer.act_id);
            if (answer.failed === 0) onDecided?.(group.rows);
          },
          onError: fail,
        },
      );
      return;
    }
    close.mutate(
      { verdict, reason: text, version: detail.triage.version },
      {
        onSuccess: (now) => {
          drop();
          undo.offer(t("alerts.decide.closed_notice", { verdict: t(`verdict.${verdict}`) }), now.triage.act_id);
          onDecided?.([id]);
        },
        onError: fail,
      },
    );
  };

  return (
    <Stack gap={12}>
      <VerdictFields draft={draft} onChange={change} onSubmit={submit} firstRef={verdicts} reasonRef={reason} rows={3} />
      {missing && (
        <Notice p="xs" color="yellow" variant="light" role="alert">
          {missing === "verdict" ? t("alerts.decide.choose_verdict") : t("alerts.decide.need_reason")}
        </Notice>
      )}
      <Tooltip label={t("alerts.decide.close_hint")}>
        <Button onClick={submit} aria-keyshortcuts="c" loading={close.isPending || bulk.isPending} leftSection={<IconCheck size={15} />} rightSection={<Kbd size="xs" aria-hidden>c</Kbd>} fullWidth>
          {group ? t("alerts.bulk.close", { number: count(group.size) }) : t("alerts.decide.close")}
        </Button>
      </Tooltip>
      {detail.triage.status === "open" && (
        <div className={styles.pair}>
          <Button variant="default" px={8} onClick={onEscalate} aria-keyshortcuts="e" rightSection={<Kbd size="xs" aria-hidden>e</Kbd>}>
            {t("alerts.decide.escalate")}
          </Button>
          <Button variant="default" px={8} onClick={onSuppress} aria-keyshortcuts="s" rightSection={<Kbd size="xs" aria-hidden>s</Kbd>}>
            {t("alerts.suppress.action")}
          </Button>
        </div>
      )}
    </Stack>
  );
}

function NoteForm({ detail, asking }: { detail: AlertDetail; asking: RefObject<() => void> }) {
  const { t } = useTranslation();
  const [asked, setAsked] = useState(false);
  const [text, setText] = useState("");
  const add = useNoteAlert(detail.alert.id);
  const fail = useFailure();
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    if (asked) field.current?.focus();
  }, [asked]);
  asking.current = () => setAsked(true);
  if (!asked) {
    return (
      <Button variant="subtle" color="gray" size="compact-sm" onClick={() => setAsked(true)} leftSection={<IconNote size={15} />} rightSection={<Kbd size="xs" aria-hidden>m</Kbd>}>
        {t("alerts.note.add")}
      </Button>
    );
  }
  const send = () => {
    if (text.trim() === "") return;
    add.mutate(text.trim(), {
      onSuccess: () => {
        setText("");
        setAsked(false);
        notify(t("alerts.note.added"));
      },
      onError: fail,
    });
  };
  return (
    <Stack gap={8}>
      <Textarea ref={field} label={t("alerts.note.label")} placeholder={t("alerts.note.placeholder")} autosize minRows={2} maxRows={10} maxLength={2000} value={text} onChange={(event) => setText(event.currentTarget.value)} onKeyDown={(event) => event.key === "Enter" && (event.ctrlKey || event.metaKey) && send()} />
      <div className={styles.pair}>
        <Button variant="default" onClick={() => setAsked(false)}>
          {t("ui.cancel")}
        </Button>
        <Button disabled={text.trim() === ""} loading={add.isPending} onClick={send}>
          {t("alerts.note.add")}
        </Button>
      </div>
    </Stack>
  );
}

function ReopenForm({ detail, asking }: { detail: AlertDetail; asking: RefObject<() => void> }) {
  const { t } = useTranslation();
  const [reason, setReason] = useState("");
  const [asked, setAsked] = useState(false);
  const reopen = useReopenAlert(detail.alert.id);
  const fail = useFailure();
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    if (asked) field.current?.focus();
  }, [asked]);
  asking.current = () => setAsked(true);

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
