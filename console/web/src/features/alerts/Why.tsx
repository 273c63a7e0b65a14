// Why the alert fired: the rule in words, the fields that matched beside what was wanted, what to do first.
import { Anchor } from "@mantine/core";
import { IconChecklist, IconExternalLink } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { useCauses } from "../../api/shared";
import type { Alert } from "../../api/types";
import { reflow } from "../../ui/format";
import { Value } from "../../ui/Value";
import { matchedValue } from "./highlight";
import { wantedIn } from "./wanted";
import { vi } from "./words";
import styles from "./Evidence.module.css";

export function useRuleWords(rule: Alert["rule"]) {
  const { i18n } = useTranslation();
  const vietnamese = i18n.language === "vi";
  return {
    description: (vietnamese && rule.description_vi) || rule.description,
    advice: (vietnamese ? (rule.advice_vi ?? rule.advice) : (rule.advice ?? rule.advice_vi)) ?? undefined,
  };
}

export function Why({ alert }: { alert: Alert }) {
  const { t } = useTranslation();
  const { description, advice } = useRuleWords(alert.rule);
  return (
    <section aria-label={t("alerts.why.title")}>
      <h3 className={styles.heading}>{t("alerts.why.title")}</h3>
      <p className={styles.description}>{reflow(description)}</p>
      <Matched alert={alert} />
      {advice && (
        <div className={styles.advice}>
          <h4>
            <IconChecklist size={15} aria-hidden />
            {t("alerts.why.advice")}
          </h4>
          <div>{reflow(advice)}</div>
        </div>
      )}
      <SeverityReasons reasons={alert.severity_reasons} />
    </section>
  );
}

type Measure = keyof typeof vi.alerts.measure;

/** What a correlation measured, rather than a field. */
function isMeasure(field: string): field is Measure {
  return field in vi.alerts.measure;
}

function Matched({ alert }: { alert: Alert }) {
  const { t, i18n } = useTranslation();
  if (alert.matched.length === 0) return <p className="dim">{t("alerts.why.matched_none")}</p>;
  return (
    <table className={styles.matched}>
      <thead>
        <tr>
          <th scope="col">{t("alerts.why.field")}</th>
          <th scope="col">{t("alerts.why.value")}</th>
          <th scope="col">{t("alerts.why.wanted")}</th>
        </tr>
      </thead>
      <tbody>
        {alert.matched.map((match, at) => (
          <tr key={at}>
            <td>{isMeasure(match.field) ? t(`alerts.measure.${match.field}`) : <span className="mono">{match.field}</span>}</td>
            <td>
              {match.value === "" ? (
                <span className="dim">—</span>
              ) : (
                <Value field={match.field} value={match.value}>
                  {matchedValue(match.value, match.wanted)}
                </Value>
              )}
            </td>
            <td className={styles.wanted}>{wantedIn(i18n.language, match.wanted)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function SeverityReasons({ reasons }: { reasons: readonly string[] }) {
  const { t, i18n } = useTranslation();
  if (reasons.length === 0) return null;
  const say = (reason: string) => {
    const key = `alerts.reason.${reason}`;
    return i18n.exists(key) ? String(i18n.t(key as "alerts.reason.rule_level")) : reason;
  };
  return (
    <p className={styles.small}>
      <b>{t("alerts.why.severity")}:</b> {reasons.map(say).join("; ")}
    </p>
  );
}

/** The rule as it was when it fired. */
export function RuleFacts({ alert }: { alert: Alert }) {
  const { t } = useTranslation();
  const { rule } = alert;
  const causes = useCauses(rule);
  return (
    <section className={styles.ruleFacts}>
      <div className={styles.small}>
        {t(`kind.${rule.kind}`)} · <span className="mono">{rule.id}</span> · {t("alerts.why.revision", { revision: rule.revision, ruleset: rule.ruleset.slice(0, 16) })}
        {rule.kind !== "signature" && (
          <>
            {" · "}
            <Anchor component={Link} to={`/rules/${encodeURIComponent(rule.id)}`} size="xs">
              {t("alerts.why.open_rule")}
            </Anchor>
          </>
        )}
      </div>
      {rule.techniques.length > 0 && (
        <div>
          <h4>{t("alerts.why.techniques")}</h4>
          <span className="mono">{rule.techniques.join(" · ")}</span>
        </div>
      )}
      {causes.length > 0 && (
        <div>
          <h4>{t("alerts.why.false_positives")}</h4>
          <ul>
            {causes.map((cause) => (
              <li key={cause}>{cause}</li>
            ))}
          </ul>
        </div>
      )}
      {rule.references.length > 0 && (
        <div>
          <h4>{t("alerts.why.references")}</h4>
          <ul>
            {rule.references.map((link) => (
              <li key={link}>
                {/^https?:\/\//.test(link) ? (
                  <Anchor href={link} target="_blank" rel="noreferrer noopener" size="sm">
                    {link} <IconExternalLink size={12} aria-hidden />
                  </Anchor>
                ) : (
                  link
                )}
              </li>
            ))}
          </ul>
        </div>
      )}
    </section>
  );
}
