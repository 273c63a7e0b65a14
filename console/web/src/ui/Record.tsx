// What was recorded, in words: the action, and its particulars with the values people know. Unknown words are shown as
// they are, so that a newer server is never silent.
import { useTranslation } from "react-i18next";
import { fullTime } from "./format";
import styles from "./Record.module.css";

type Particulars = Readonly<Record<string, string>>;

/** Internal ids that say nothing to people where a name or number stands beside them. */
const HIDDEN: readonly string[] = ["user_id", "case_id", "act_id", "suppression_id", "owner_id", "note_id"];
/** Where a value may be a word of ours. */
const VOCABULARIES = ["verdict", "severity", "case_status", "task_state", "role"] as const;
/** Between what was and what is now. */
const CHANGE = " → ";
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}/;

/** Translates words that come from the server; what is not known stays. */
export function useRecordWords() {
  const { i18n } = useTranslation();
  const known = (key: string): string | undefined => {
    const text: unknown = i18n.exists(key) ? i18n.t(key as "ui.all", { returnObjects: true }) : undefined;
    return typeof text === "string" ? text : undefined;
  };
  const value = (name: string, text: string): string => {
    if (text.includes(CHANGE)) return text.split(CHANGE).map((part) => value(name, part)).join(CHANGE);
    if (text === "true" || text === "false") return known(`record.${text === "true" ? "yes" : "no"}`) ?? text;
    if (text === "changed") return known("record.changed") ?? text;
    if (TIME.test(text)) return fullTime(text);
    if (!/^[a-z_]+$/.test(text)) return text;
    if (name === "undone") return known(`record.action.${text}`) ?? text;
    for (const vocabulary of VOCABULARIES) {
      const word = known(`${vocabulary}.${text}`);
      if (word !== undefined) return word;
    }
    return text;
  };
  return {
    action: (name: string) => known(`record.action.${name}`) ?? name,
    subject: (kind: string) => known(`record.subject.${kind}`) ?? kind,
    label: (name: string) => known(`record.detail.${name}`) ?? name,
    value,
  };
}

interface ParticularsProps {
  detail: Particulars;
  /** A better word for a value than its own, where there is one. */
  say?: (name: string, text: string) => string | undefined;
  /** Particulars that the surroundings say already. */
  without?: readonly string[];
  /** On one line, for tables. */
  inline?: boolean;
}

/** The particulars of a record, one line each or one after the other. */
export function RecordDetail({ detail, say, without = [], inline = false }: ParticularsProps) {
  const words = useRecordWords();
  const shown = Object.entries(detail).filter(([name, text]) => text !== "" && !HIDDEN.includes(name) && !without.includes(name));
  if (shown.length === 0) return null;
  return (
    <dl className={inline ? styles.inline : styles.detail}>
      {shown.map(([name, text]) => (
        <div key={name}>
          <dt>{words.label(name)}</dt>
          <dd>{say?.(name, text) ?? words.value(name, text)}</dd>
        </div>
      ))}
    </dl>
  );
}
