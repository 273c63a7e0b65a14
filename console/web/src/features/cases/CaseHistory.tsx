// Who did what to the case, newest first.
import { useTranslation } from "react-i18next";
import { useRuleNames } from "../../api/shared";
import type { HistoryEntry } from "../../api/types";
import { RecordDetail, useRecordWords } from "../../ui/Record";
import { Time } from "../../ui/Time";
import styles from "./Cases.module.css";

export function CaseHistory({ entries }: { entries: readonly HistoryEntry[] }) {
  const { t } = useTranslation();
  const words = useRecordWords();
  const ruleName = useRuleNames();
  return (
    <ol className={styles.history}>
      {[...entries].reverse().map((entry, at) => (
        <li key={at}>
          <div>
            <b>{words.action(entry.action)}</b> · {entry.by?.display_name ?? t("ui.nobody")}
          </div>
          <RecordDetail detail={entry.detail} say={(name, text) => (name === "rule" ? ruleName(text) : undefined)} without={entry.action === "opened" ? ["title", "severity"] : ["alert_id"]} />
          <div className="dim">
            <Time at={entry.at} style="full" />
          </div>
        </li>
      ))}
    </ol>
  );
}
