// The review at the end of a case: what is still open, what was learned, and the closing itself.
import { Button, Group, Stack, Textarea } from "@mantine/core";
import { IconCircleCheck, IconCircleDashed } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { CaseDetail, Review } from "../../api/types";
import { count } from "../../ui/format";
import { notify } from "../../ui/notify";
import { Panel } from "../../ui/Page";
import { useChangeCase } from "./queries";
import styles from "./Case.module.css";

const PARTS = ["cause", "result", "lessons", "proposals"] as const;

export function ReviewTab({ detail, editable }: { detail: CaseDetail; editable: boolean }) {
  const { t } = useTranslation();
  const change = useChangeCase(detail);
  const [typed, setTyped] = useState<Partial<Review>>({});
  const closed = detail.status === "closed";
  const writable = editable && !closed;
  const review: Review = { ...detail.facts.review, ...typed };
  const changed = PARTS.some((part) => review[part] !== detail.facts.review[part]);
  const save = (done?: () => void) =>
    change.mutate(
      { review },
      {
        onSuccess: () => {
          setTyped({});
          notify(t("cases.saved"));
          done?.();
        },
      },
    );
  const finish = () => change.mutate({ review, status: "closed" }, { onSuccess: () => (setTyped({}), notify(t("cases.finished"))) });
  return (
    <>
      <Readiness detail={detail} review={review} />
      <Panel title={t("cases.review")}>
        <Stack gap="sm">
          {PARTS.map((part) => (
            <Textarea key={part} label={t(`cases.review_part.${part}`)} description={t(`cases.review_hint.${part}`)} autosize minRows={3} maxRows={16} maxLength={20000} value={review[part]} readOnly={!writable} onChange={(event) => setTyped({ ...typed, [part]: event.currentTarget.value })} />
          ))}
          {editable && (
            <Group justify="flex-end" gap="xs" className="no-print">
              {writable && (
                <Button variant="default" size="sm" disabled={!changed} loading={change.isPending} onClick={() => save()}>
                  {t("ui.save")}
                </Button>
              )}
              {closed ? (
                !detail.facts.merged_into && (
                  <Button size="sm" variant="default" loading={change.isPending} onClick={() => change.mutate({ status: "in_progress" })}>
                    {t("cases.open_again")}
                  </Button>
                )
              ) : (
                <Button size="sm" loading={change.isPending} onClick={finish}>
                  {t("cases.finish")}
                </Button>
              )}
            </Group>
          )}
        </Stack>
      </Panel>
    </>
  );
}

/** What is still open before a case is closed; it is shown, not demanded. */
function Readiness({ detail, review }: { detail: CaseDetail; review: Review }) {
  const { t } = useTranslation();
  const { facts } = detail;
  const checks = detail.tasks.filter((task) => task.check && task.state === "open").length;
  const held = detail.alert_count === 0 || detail.evidence.length > 0;
  const waiting = detail.agency_notices.filter((notice) => notice.state === "open").map((notice) => `${notice.reference} ${notice.agency.name}`);
  const points: Array<[boolean, string]> = [
    [detail.open_tasks === 0, detail.open_tasks === 0 ? t("cases.ready.tasks") : t("cases.ready.tasks_open", { number: count(detail.open_tasks) })],
    [checks === 0, checks === 0 ? t("cases.ready.checks") : t("cases.ready.checks_open", { number: count(checks) })],
    [Boolean(facts.national && facts.rsit && facts.internal), t("cases.ready.classes")],
    [Boolean(facts.handled_by), t("cases.ready.handled")],
    [held, t("cases.ready.evidence")],
    [waiting.length === 0, waiting.length === 0 ? t("cases.ready.agencies") : t("cases.ready.agencies_open", { references: waiting.join(", ") })],
    [review.cause.trim() !== "" && review.lessons.trim() !== "", t("cases.ready.review")],
  ];
  return (
    <Panel title={t("cases.ready.title")}>
      <ul className={styles.ready}>
        {points.map(([done, text]) => (
          <li key={text} data-done={done || undefined}>
            {done ? <IconCircleCheck size={17} aria-hidden /> : <IconCircleDashed size={17} aria-hidden />}
            <span className="visually-hidden">{done ? t("cases.ready.yes") : t("cases.ready.no")}: </span>
            {text}
          </li>
        ))}
      </ul>
    </Panel>
  );
}
