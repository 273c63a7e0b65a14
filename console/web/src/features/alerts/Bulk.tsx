// One decision on many alerts, with exact counts before and after.
import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { phrase } from "../../api/phrases";
import { count } from "../../ui/format";
import { notify, notifyFailure } from "../../ui/notify";
import type { Draft } from "./drafts";
import { useBulk } from "./queries";
import { VerdictFields } from "./VerdictForm";
import styles from "./Bulk.module.css";

interface BulkBarProps {
  ids: readonly string[];
  shown: number;
  onClose: () => void;
  onAll: () => void;
  onClear: () => void;
}

export function BulkBar({ ids, shown, onClose, onAll, onClear }: BulkBarProps) {
  const { t } = useTranslation();
  return (
    <div className={styles.bar} role="region" aria-label={t("alerts.bulk.selected", { number: count(ids.length) })}>
      <b>{t("alerts.bulk.selected", { number: count(ids.length) })}</b>
      {ids.length < shown && (
        <Button size="compact-sm" variant="subtle" onClick={onAll}>
          {t("alerts.bulk.select_all", { number: count(shown) })}
        </Button>
      )}
      <Button size="compact-sm" variant="subtle" color="gray" onClick={onClear}>
        {t("alerts.bulk.clear")}
      </Button>
      <Button size="compact-sm" ml="auto" onClick={onClose}>
        {t("alerts.bulk.close", { number: count(ids.length) })}
      </Button>
    </div>
  );
}

interface BulkDialogProps {
  ids: readonly string[];
  opened: boolean;
  onClose: () => void;
  /** The alerts that are closed now. */
  onDone: (ids: readonly string[]) => void;
}

export function BulkDialog({ ids, opened, onClose, onDone }: BulkDialogProps) {
  const { t, i18n } = useTranslation();
  const [draft, setDraft] = useState<Draft>({ verdict: null, reason: "" });
  const reason = useRef<HTMLTextAreaElement>(null);
  const bulk = useBulk();
  const ready = draft.verdict !== null && draft.reason.trim() !== "";

  const submit = () => {
    if (draft.verdict === null || !ready) return;
    bulk.mutate(
      { ids: [...ids], action: "close", verdict: draft.verdict, reason: draft.reason.trim() },
      {
        onSuccess: ({ changed, unchanged, failed }) => {
          const text = t("alerts.bulk.done", { changed: count(changed), unchanged: count(unchanged), failed: count(failed.length) });
          const first = failed[0];
          if (first) notifyFailure(text, phrase(i18n.language, first.message));
          else notify(text);
          setDraft({ verdict: null, reason: "" });
          onDone(ids.filter((id) => !failed.some((each) => each.id === id)));
        },
        onError: (error) => notifyFailure(t("ui.not_done"), error.message || t("ui.unreachable")),
      },
    );
  };

  return (
    <Modal opened={opened} onClose={onClose} title={t("alerts.bulk.title", { number: count(ids.length) })} size="md">
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
            {t("alerts.bulk.close", { number: count(ids.length) })}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
