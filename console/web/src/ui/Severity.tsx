// The five steps of severity: each has a word, a shape, a hue and a lightness of its own.
import { useTranslation } from "react-i18next";
import styles from "./Severity.module.css";

export type Level = "critical" | "high" | "medium" | "low" | "info";

const SHAPES: Record<Level, string> = {
  critical: "M4.200 0h5.600L14 4.200v5.600L9.800 14H4.200L0 9.800V4.200zM5.900 2.600v5.600h2.200V2.600zM5.900 9.500v2.100h2.200V9.500z",
  high: "M7 1l6.500 12H.500z",
  medium: "M7 .5L13.500 7 7 13.500.500 7z",
  low: "M7 1.500a5.500 5.500 0 100 11 5.500 5.500 0 000-11z",
  info: "M1 5.500h12v3H1z",
};

/** The shape alone; the word stands beside it or in its title. */
export function SeverityShape({ level, size = 11 }: { level: Level; size?: number }) {
  return (
    <svg className={styles[level]} width={size} height={size} viewBox="0 0 14 14" aria-hidden>
      <path d={SHAPES[level]} fill="currentColor" fillRule="evenodd" />
    </svg>
  );
}

/** Shape and word. */
export function SeverityBadge({ level, compact = false }: { level: Level; compact?: boolean }) {
  const { t } = useTranslation();
  return (
    <span className={`${styles.badge} ${styles[level]} ${compact ? styles.compact : ""}`} data-level={level}>
      <SeverityShape level={level} size={compact ? 9 : 10} />
      {t(`severity.${level}`)}
    </span>
  );
}
