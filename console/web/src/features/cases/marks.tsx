// Small marks of cases: with whom one may be shared, and the names of its choices.
import { useTranslation } from "react-i18next";
import type { Tlp } from "../../api/types";
import styles from "./Case.module.css";

const NAMES: Record<Tlp, string> = { red: "TLP:RED", amber_strict: "TLP:AMBER+STRICT", amber: "TLP:AMBER", green: "TLP:GREEN", clear: "TLP:CLEAR" };

export function TlpMark({ tlp }: { tlp: Tlp }) {
  const { t } = useTranslation();
  return (
    <span className={styles.tlp} data-tlp={tlp} title={t(`cases.tlp_hint.${tlp}`)}>
      {NAMES[tlp]}
    </span>
  );
}
