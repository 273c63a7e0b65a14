// Alerts by day, this period beside the one before; each day opens its alerts.
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { StateOverview } from "../../api/types";
import { count } from "../../ui/format";
import { fromPicker } from "../../ui/moments";
import { listOf } from "./parts";
import styles from "./Overview.module.css";

const DAY_MS = 86_400_000;

export function Trend({ days }: { days: StateOverview["trend"] }) {
  const { t } = useTranslation();
  const most = Math.max(1, ...days.flatMap(({ now, before }) => [now, before]));
  const height = (number: number) => ({ height: `${(number / most) * 100}%` });
  const shown = (day: string) => `${day.slice(8, 10)}/${day.slice(5, 7)}`;
  const sparse = days.length > 10;
  return (
    <div className={styles.trend}>
      <ol className={styles.bars}>
        {days.map(({ day, now, before }, at) => {
          const from = fromPicker(`${day} 00:00:00`);
          const to = new Date(Date.parse(from) + DAY_MS).toISOString();
          const words = t("overview.day", { day: shown(day), now: count(now), before: count(before) });
          return (
            <li key={day}>
              <Link to={listOf("/alerts", { status: "all", from, to })} aria-label={words} title={words}>
                <span className={styles.pair}>
                  <span className={styles.earlier} style={height(before)} />
                  <span className={styles.today} style={height(now)} />
                </span>
                <span className={styles.tick} aria-hidden>
                  {!sparse || at % Math.ceil(days.length / 8) === 0 ? shown(day) : "\u00a0"}
                </span>
              </Link>
            </li>
          );
        })}
      </ol>
      <div className={styles.legend} aria-hidden>
        <span className={styles.today} /> {t("overview.now")} <span className={styles.earlier} /> {t("overview.earlier")} <span className={styles.most}>{count(most)}</span>
      </div>
    </div>
  );
}
