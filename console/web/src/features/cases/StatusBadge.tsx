// Where a case stands, as a word with a mark that fills as the work goes on.
import { useTranslation } from "react-i18next";
import type { CaseStatus } from "../../api/types";
import styles from "./Cases.module.css";

const SHARE: Record<CaseStatus, number> = { new: 0, in_progress: 0.5, waiting: 0.5, resolved: 1, closed: 1 };

export function StatusBadge({ status }: { status: CaseStatus }) {
  const { t } = useTranslation();
  const around = 2 * Math.PI * 4.5;
  return (
    <span className={styles.status} data-status={status}>
      <svg width="13" height="13" viewBox="0 0 13 13" aria-hidden>
        <circle cx="6.5" cy="6.5" r="4.5" fill="none" stroke="currentColor" strokeOpacity="0.3" strokeWidth="2.2" />
        <circle cx="6.5" cy="6.5" r="4.5" fill="none" stroke="currentColor" strokeWidth="2.2" strokeDasharray={`${SHARE[status] * around} ${around}`} transform="rotate(-90 6.5 6.5)" />
      </svg>
      {t(`case_status.${status}`)}
    </span>
  );
}
