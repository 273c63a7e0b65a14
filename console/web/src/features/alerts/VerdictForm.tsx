// Verdict and reason: the same fields for one alert and for many. The digits 1 to 4 choose a verdict.
import { Kbd, Radio, Stack, Textarea } from "@mantine/core";
import type { KeyboardEvent, RefObject } from "react";
import { useTranslation } from "react-i18next";
import { VERDICTS, type Verdict } from "../../api/types";
import type { Draft } from "./drafts";
import styles from "./Decision.module.css";

interface VerdictFieldsProps {
  draft: Draft;
  onChange: (changes: Partial<Draft>) => void;
  onSubmit: () => void;
  firstRef?: RefObject<HTMLDivElement | null>;
  reasonRef?: RefObject<HTMLTextAreaElement | null>;
  rows?: number;
}

const MAX_REASON = 2000;

export function VerdictFields({ draft, onChange, onSubmit, firstRef, reasonRef, rows = 4 }: VerdictFieldsProps) {
  const { t } = useTranslation();
  const choose = (verdict: Verdict) => onChange({ verdict });
  const digit = (event: KeyboardEvent) => {
    const verdict = VERDICTS[Number(event.key) - 1];
    if (verdict === undefined) return;
    event.preventDefault();
    choose(verdict);
    reasonRef?.current?.focus();
  };
  const send = (event: KeyboardEvent) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      onSubmit();
    }
  };
  return (
    <Stack gap={10}>
      <Radio.Group label={t("alerts.decide.verdict")} value={draft.verdict} onChange={(value) => choose(value as Verdict)}>
        <div ref={firstRef} onKeyDown={digit} className={styles.verdicts}>
          {VERDICTS.map((verdict, at) => (
            <Radio.Card key={verdict} value={verdict} className={styles.verdict} title={t(`verdict_hint.${verdict}`)} aria-label={t(`verdict.${verdict}`)}>
              <Radio.Indicator size="xs" />
              <span>{t(`verdict.${verdict}`)}</span>
              <Kbd size="xs" aria-hidden>{at + 1}</Kbd>
            </Radio.Card>
          ))}
        </div>
      </Radio.Group>
      <Textarea ref={reasonRef} label={t("alerts.decide.reason")} placeholder={t("alerts.decide.reason_placeholder")} autosize minRows={rows} maxRows={12} maxLength={MAX_REASON} value={draft.reason} onChange={(event) => onChange({ reason: event.currentTarget.value })} onKeyDown={send} />
    </Stack>
  );
}
