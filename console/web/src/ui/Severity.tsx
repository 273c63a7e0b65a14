// The five steps of severity: each has a word, a shape, a hue and a lightness of its own.
import { useTranslation } from "react-i18next";
import styles from "./Severity.module.css";

export type Level = "critical" | "high" | "medium" | "low" | "info";

const SHAPES: Record<Level, string> = {
  critical: "M5 .5h4L13.500 5v4L9 13.500H5L.500 9V5z",
  high: "M7 1l6.500 12H.500z",
  medium: "M7 .5L13.500 7 7 13.500.500 7z",
  low: "M7 1.500a5.500 5.500 0 100 11 5.500 5.500 0 000-11z",
  info: "M1 5.500h12v3H1z",
};

/** The shape alone; the word stands beside it or in its title. */
export function SeverityShape({ level, size = 11 }: { level: Level; size?: number }) {
  return (
    <svg className={styles[level]} width={size} height={size} viewBox="0 0 14 14" aria-hidden>
      <path d={SHAPES[level]} fill="currentColor" />
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
