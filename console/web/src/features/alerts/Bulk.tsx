// One decision on many alerts, with exact counts before and after: close, give to somebody.
import { Button, Group, Modal, Select, Stack, Text } from "@mantine/core";
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useColleagues } from "../../api/shared";
import { count } from "../../ui/format";
import { notifyFailure } from "../../ui/notify";
import type { Draft } from "./drafts";
import { useBulk } from "./queries";
import { meant, useOutcome, type Targets } from "./targets";
import type { Undo } from "./undo";
import { VerdictFields } from "./VerdictForm";
import styles from "./Bulk.module.css";

interface BulkBarProps {
  size: number;
  /** How many rows are shown, and whether all of them are marked. */
  shown: number;
  all: boolean;
  onClose: () => void;
  onEscalate: () => void;
  onAssign: () => void;
  onAll: () => void;
  onClear: () => void;
}

export function BulkBar({ size, shown, all, onClose, onEscalate, onAssign, onAll, onClear }: BulkBarProps) {
  const { t } = useTranslation();
  return (
    <div className={styles.bar} role="region" aria-label={t("alerts.bulk.selected", { number: count(size) })}>
      <b>{t("alerts.bulk.selected", { number: count(size) })}</b>
      {!all && (
        <Button size="compact-xs" variant="subtle" onClick={onAll}>
          {t("alerts.bulk.select_all", { number: count(shown) })}
        </Button>
      )}
      <Button size="compact-xs" variant="subtle" color="gray" onClick={onClear}>
        {t("alerts.bulk.clear")}
      </Button>
      <span className={styles.acts}>
        <Button size="compact-sm" variant="default" onClick={onAssign}>
          {t("alerts.assign.to")}
        </Button>
        <Button size="compact-sm" variant="default" onClick={onEscalate}>
          {t("alerts.decide.escalate")}
        </Button>
        <Button size="compact-sm" onClick={onClose}>
          {t("alerts.bulk.close", { number: count(size) })}
        </Button>
      </span>
    </div>
  );
}

export interface ManyProps {
  targets: Targets;
  undo: Undo;
  onClose: () => void;
  /** The rows that are decided now. */
  onDone: (rows: readonly string[]) => void;
}

export function CloseManyDialog({ opened, ...props }: ManyProps & { opened: boolean }) {
  const { t } = useTranslation();
  return (
    <Modal opened={opened} onClose={props.onClose} title={t("alerts.bulk.title", { number: count(props.targets.size) })} size="md">
      <CloseMany {...props} />
    </Modal>
  );
}

function CloseMany({ targets, undo, onClose, onDone }: ManyProps) {
  const { t } = useTranslation();
  const [draft, setDraft] = useState<Draft>({ verdict: null, reason: "" });
  const reason = useRef<HTMLTextAreaElement>(null);
  const outcome = useOutcome();
  const bulk = useBulk();
  const ready = draft.verdict !== null && draft.reason.trim() !== "";

  const submit = () => {
    if (draft.verdict === null || !ready) return;
    bulk.mutate(
      { ...meant(targets), action: "close", verdict: draft.verdict, reason: draft.reason.trim() },
      {
        onSuccess: (answer) => {
          undo.offer(outcome("done", answer), answer.act_id);
          const failed = new Set(answer.failures.map(({ id }) => id));
          onDone(answer.failed > answer.failures.length ? [] : targets.rows.filter((id) => !failed.has(id)));
          onClose();
        },
        onError: (error) => notifyFailure(t("ui.not_done"), error.message || t("ui.unreachable")),
      },
    );
  };

  return (
    <Stack>
      <Text size="sm" c="dimmed">
        {t("alerts.bulk.lead")}
      </Text>
      <VerdictFields draft={draft} onChange={(changes) => setDraft((old) => ({ ...old, ...changes }))} onSubmit={submit} reasonRef={reason} rows={3} />
      <Group justify="flex-end" gap="xs">
        <Button variant="default" onClick={onClose}>
          {t("ui.cancel")}
        </Button>
        <Button onClick={submit} disabled={!ready} loading={bulk.isPending}>
          {t("alerts.bulk.close", { number: count(targets.size) })}
        </Button>
      </Group>
    </Stack>
  );
}

export function AssignDialog({ opened, ...props }: Omit<ManyProps, "onDone"> & { opened: boolean }) {
  const { t } = useTranslation();
  return (
    <Modal opened={opened} onClose={props.onClose} title={t("alerts.assign.title", { number: count(props.targets.size) })} size="sm">
      <AssignMany {...props} />
    </Modal>
  );
}

const NOBODY = "-";

function AssignMany({ targets, undo, onClose }: Omit<ManyProps, "onDone">) {
  const { t } = useTranslation();
  const people = useColleagues();
  const [who, setWho] = useState<string | null>(null);
  const outcome = useOutcome();
  const bulk = useBulk();
  const submit = () =>
    bulk.mutate(
      { ...meant(targets), action: "assign", ...(who === NOBODY || who === null ? {} : { user_id: who }) },
      {
        onSuccess: (answer) => {
          undo.offer(outcome("assigned", answer), answer.act_id);
          onClose();
        },
        onError: (error) => notifyFailure(t("ui.not_done"), error.message || t("ui.unreachable")),
      },
    );
  return (
    <Stack>
      <Select label={t("alerts.decide.assignee")} placeholder={t("alerts.assign.choose")} searchable data-autofocus value={who} onChange={setWho} data={[{ value: NOBODY, label: t("alerts.assign.nobody") }, ...(people.data ?? []).map(({ id, display_name, name }) => ({ value: id, label: `${display_name} (${name})` }))]} />
      <Group justify="flex-end" gap="xs">
        <Button variant="default" onClick={onClose}>
          {t("ui.cancel")}
        </Button>
        <Button onClick={submit} disabled={who === null} loading={bulk.isPending}>
          {t("alerts.assign.submit")}
        </Button>
      </Group>
    </Stack>
  );
}
