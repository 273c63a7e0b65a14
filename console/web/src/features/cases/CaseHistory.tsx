// Who did what to the case, newest first.
import { useTranslation } from "react-i18next";
import { CASE_STATUSES, SEVERITIES, type HistoryEntry } from "../../api/types";
import { Time } from "../../ui/Time";
import styles from "./Cases.module.css";

const ACTIONS = ["opened", "changed", "noted", "linked", "closed", "reopened", "escalated"] as const;
const FIELDS = ["title", "severity", "status", "agency", "agency_id", "summary"] as const;

export function CaseHistory({ entries }: { entries: readonly HistoryEntry[] }) {
  const { t } = useTranslation();
  const action = (name: string) => {
    const known = ACTIONS.find((each) => each === name);
    return known ? t(`alerts.history.${known}`) : name;
  };
  const field = (name: string) => {
    const known = FIELDS.find((each) => each === name);
    return known ? t(`cases.field.${known}`) : name;
  };
  const value = (text: string) => {
    const status = CASE_STATUSES.find((each) => each === text);
    if (status) return t(`case_status.${status}`);
    const severity = SEVERITIES.find((each) => each === text);
    return severity ? t(`severity.${severity}`) : text;
  };
  return (
    <ol className={styles.history}>
      {[...entries].reverse().map((entry, at) => (
        <li key={at}>
          <div>
            <b>{action(entry.action)}</b> · {entry.by?.display_name ?? t("ui.nobody")}
          </div>
          {Object.entries(entry.detail).map(([name, text]) => (
            <div key={name} className={styles.change}>
              {field(name)}: {value(text)}
            </div>
          ))}
          <div className="dim">
            <Time at={entry.at} style="full" />
          </div>
        </li>
      ))}
    </ol>
  );
}
