// The most frequent values of the usual fields, with their share.
import { useTranslation } from "react-i18next";
import type { SearchAnswer } from "../../api/types";
import { count } from "../../ui/format";
import { Value } from "../../ui/Value";
import styles from "./Hunt.module.css";

export function Facets({ facets, total }: { facets: SearchAnswer["facets"]; total: number }) {
  const { t } = useTranslation();
  const shown = facets.filter((facet) => facet.values.length > 0);
  return (
    <aside className={styles.facets} aria-label={t("hunt.facets")}>
      <h2 title={t("hunt.facets_hint")}>{t("hunt.facets")}</h2>
      {shown.map((facet) => (
        <section key={facet.field} aria-label={facet.field}>
          <h3 className="mono">{facet.field}</h3>
          <ul>
            {facet.values.map(({ value, count: number }) => (
              <li key={value}>
                <span className={styles.share} style={{ width: `${total === 0 ? 0 : Math.min(100, (number / total) * 100)}%` }} aria-hidden />
                <span className={styles.facetValue}>
                  <Value field={facet.field} value={value} />
                </span>
                <span className="dim">{count(number)}</span>
              </li>
            ))}
          </ul>
        </section>
      ))}
    </aside>
  );
}
