// What was seen of ATT&CK: a column for each tactic, a cell for each technique, darker the more alerts it has.
import { Menu } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { useRuleNames } from "../../api/shared";
import type { TacticSeen } from "../../api/types";
import { count } from "../../ui/format";
import { listOf } from "./parts";
import styles from "./Overview.module.css";

/** How many techniques a column shows. */
const SHOWN = 4;

type Technique = TacticSeen["techniques"][number];

export function Matrix({ attack, span }: { attack: readonly TacticSeen[]; span: Readonly<Record<string, string>> }) {
  const { t, i18n } = useTranslation();
  const most = Math.max(1, ...attack.flatMap(({ techniques }) => techniques.map(({ alerts }) => alerts)));
  if (attack.every(({ techniques }) => techniques.length === 0)) return <p className="dim">{t("overview.attack_none")}</p>;
  return (
    <div className={styles.matrix} tabIndex={0} role="group" aria-label={t("overview.attack")}>
      {attack.map((tactic) => (
        <div key={tactic.id} className={styles.tactic} data-none={tactic.techniques.length === 0}>
          <h3>{tactic.id === "" ? t("overview.elsewhere") : i18n.language === "vi" ? tactic.name_vi : tactic.name}</h3>
          {tactic.techniques.slice(0, SHOWN).map((technique) => (
            <Cell key={technique.id} technique={technique} share={Math.log1p(technique.alerts) / Math.log1p(most)} span={span} />
          ))}
          {tactic.techniques.length > SHOWN && <span className="dim">{t("overview.others", { number: count(tactic.techniques.length - SHOWN) })}</span>}
        </div>
      ))}
    </div>
  );
}

function Cell({ technique, share, span }: { technique: Technique; share: number; span: Readonly<Record<string, string>> }) {
  const { t, i18n } = useTranslation();
  const ruleName = useRuleNames();
  const name = i18n.language === "vi" ? technique.name_vi : technique.name;
  const words = t("overview.technique", { name, id: technique.id, number: count(technique.alerts) });
  const list = (rule: string) => listOf("/alerts", { ...span, rule });
  const content = (
    <>
      <span className={styles.technique}>{name}</span>
      <b>{count(technique.alerts)}</b>
    </>
  );
  const style = { "--share": `${Math.round(8 + share * 26)}%` } as React.CSSProperties;
  const [only] = technique.rules;
  if (technique.rules.length === 1 && only !== undefined) {
    return (
      <Link to={list(only)} className={styles.cell} style={style} title={words}>
        {content}
      </Link>
    );
  }
  return (
    <Menu position="top-start">
      <Menu.Target>
        <button type="button" className={styles.cell} style={style} title={words}>
          {content}
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{words}</Menu.Label>
        {technique.rules.map((rule) => (
          <Menu.Item key={rule} component={Link} to={list(rule)}>
            {ruleName(rule)}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
