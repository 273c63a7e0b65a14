// Who did what, when and why; and what was decided about alerts of the same rule before.
import { Button } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { VERDICTS, type HistoryEntry, type SimilarAlert } from "../../api/types";
import { count } from "../../ui/format";
import { Empty } from "../../ui/States";
import { RecordDetail, useRecordWords } from "../../ui/Record";
import { Time } from "../../ui/Time";
import styles from "./Evidence.module.css";

export function History({ entries }: { entries: readonly HistoryEntry[] }) {
  const { t } = useTranslation();
  const words = useRecordWords();
  return (
    <ol className={styles.timeline} aria-label={t("alerts.history.title")}>
      {[...entries].reverse().map((entry, at) => (
        <li key={at}>
          <b>{words.action(entry.action)}</b> · {entry.by?.display_name ?? t("ui.nobody")} ·{" "}
          <span className="dim">
            <Time at={entry.at} style="full" />
          </span>
          <RecordDetail detail={entry.detail} without={entry.action === "raised" ? ["rule", "severity"] : []} />
        </li>
      ))}
    </ol>
  );
}

interface SimilarProps {
  alerts: readonly SimilarAlert[];
  verdicts: Readonly<Record<string, number>>;
  onUse?: (reason: string) => void;
}

/** How often each verdict was given, as one line and one bar. */
export function SimilarSummary({ verdicts }: { verdicts: Readonly<Record<string, number>> }) {
  const { t } = useTranslation();
  const tally = VERDICTS.map((verdict) => ({ verdict, number: verdicts[verdict] ?? 0 })).filter(({ number }) => number > 0);
  if (tally.length === 0) return null;
  return (
    <div>
      <div className={styles.small}>
        {t("alerts.similar.summary")}: {tally.map(({ verdict, number }) => `${count(number)} ${t(`verdict.${verdict}`).toLowerCase()}`).join(", ")}
      </div>
      <div className={styles.verdicts} aria-hidden>
        {tally.map(({ verdict, number }) => (
          <span key={verdict} data-verdict={verdict} style={{ flexGrow: number }} />
        ))}
      </div>
    </div>
  );
}

export function Similar({ alerts, verdicts, onUse }: SimilarProps) {
  const { t } = useTranslation();
  if (alerts.length === 0) return <Empty title={t("alerts.similar.none")} />;
  return (
    <section aria-label={t("alerts.similar.title")}>
      <SimilarSummary verdicts={verdicts} />
      <ol className={styles.timeline}>
        {alerts.map((alert) => (
          <li key={alert.id}>
            <b>{t(`verdict.${alert.verdict}`)}</b> ·{" "}
            <Link to={`/alerts/${encodeURIComponent(alert.id)}`} style={{ color: "inherit" }}>
              <Time at={alert.time} style="full" />
            </Link>{" "}
            · {alert.by?.display_name ?? t("ui.nobody")}
            {alert.same_host && <span className={styles.sameHost}>{t("alerts.similar.same_host")}</span>}
            <div className="mono dim">
              {alert.source?.ip ?? "—"} → {alert.destination?.ip ?? "—"}
            </div>
            <div>{alert.reason}</div>
            {onUse && (
              <Button size="compact-xs" variant="subtle" onClick={() => onUse(alert.reason)} ml={-8}>
                {t("alerts.similar.use")}
              </Button>
            )}
          </li>
        ))}
      </ol>
    </section>
  );
}
