// The small picture of the ledger: one box a stage, packets first, then events; drops hang below with their reason.
import { IconArrowRight } from "@tabler/icons-react";
import { Fragment } from "react";
import { useTranslation } from "react-i18next";
import type { StageLine } from "../../api/types";
import { count } from "../../ui/format";
import { vi } from "./words";
import styles from "./Sensors.module.css";

type StageName = keyof typeof vi.sensors.stage;

function known(stage: string): stage is StageName {
  return stage in vi.sensors.stage;
}

function isReason(reason: string): reason is keyof typeof vi.sensors.reason {
  return reason in vi.sensors.reason;
}

/** What lay in the spool before the sensor started; mostly nothing. */
const BACKLOG = "backlog";
const ORDER: readonly string[] = ["packets", "events"];

export function StageFlow({ stages }: { stages: readonly StageLine[] }) {
  const { t } = useTranslation();
  if (stages.length === 0) return <p className="dim">{t("sensors.no_stages")}</p>;
  const busy = stages.filter((stage) => stage.stage !== BACKLOG || stage.taken + stage.held > 0);
  const units = [...new Set(busy.map((stage) => stage.unit))].sort((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b));
  return (
    <div className={styles.flows} aria-label={t("sensors.flow")}>
      {units.map((unit) => (
        <div key={unit} className={styles.flow}>
          <span className={styles.unit}>{unit === "packets" ? t("sensors.packets") : unit === "events" ? t("sensors.events") : unit}</span>
          {busy
            .filter((stage) => stage.unit === unit)
            .map((stage, at) => (
              <Fragment key={stage.stage}>
                {at > 0 && <IconArrowRight size={14} className={styles.arrow} aria-hidden />}
                <Stage line={stage} />
              </Fragment>
            ))}
        </div>
      ))}
    </div>
  );
}

function Stage({ line }: { line: StageLine }) {
  const { t } = useTranslation();
  const name = known(line.stage) ? t(`sensors.stage.${line.stage}`) : line.stage;
  const drops = Object.entries(line.dropped).filter(([, number]) => number > 0);
  return (
    <div className={styles.stage} data-drops={drops.length > 0 || undefined}>
      <b title={line.stage}>{name}</b>
      <span title={t("sensors.taken")}>
        <i>{t("sensors.taken")}</i> {count(line.taken)}
      </span>
      <span title={t("sensors.given")}>
        <i>{t("sensors.given")}</i> {count(line.given)}
      </span>
      {line.held > 0 && (
        <span>
          <i>{t("sensors.held")}</i> {count(line.held)}
        </span>
      )}
      {drops.map(([reason, number]) => (
        <span key={reason} className={styles.drop}>
          <i>
            {t("sensors.dropped")}: {isReason(reason) ? t(`sensors.reason.${reason}`) : reason}
          </i>{" "}
          {count(number)}
        </span>
      ))}
    </div>
  );
}
