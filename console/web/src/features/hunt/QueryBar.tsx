// The query: coloured while it is typed, completed from the catalogue, an error shown at its character. Enter
// searches. The colours lie in a copy of the text behind a field whose own letters are transparent.
import { Button, Tooltip } from "@mantine/core";
import { IconInfoCircle, IconSearch } from "@tabler/icons-react";
import { useEffect, useId, useMemo, useState, type KeyboardEvent, type RefObject } from "react";
import { useTranslation } from "react-i18next";
import { useCatalogue } from "../../api/shared";
import { suggest, tokens, type Suggestion } from "./complete";
import styles from "./QueryBar.module.css";

export interface QueryError {
  message: string;
  position: number | undefined;
  query: string;
}

interface QueryBarProps {
  value: string;
  busy: boolean;
  error: QueryError | null;
  inputRef: RefObject<HTMLTextAreaElement | null>;
  onRun: (query: string) => void;
}

export function QueryBar({ value, busy, error, inputRef, onRun }: QueryBarProps) {
  const { t } = useTranslation();
  const catalogue = useCatalogue();
  const list = useId();
  const [text, setText] = useState(value);
  const [caret, setCaret] = useState<number | null>(null);
  const [chosen, setChosen] = useState(0);
  useEffect(() => setText(value), [value]);

  const found = useMemo(() => (caret === null ? null : suggest(text, caret, catalogue.data ?? [])), [text, caret, catalogue.data]);
  const suggestions = found?.suggestions ?? [];

  const accept = (suggestion: Suggestion) => {
    if (!found) return;
    const next = text.slice(0, found.word.start) + suggestion.insert + text.slice(found.word.end).replace(/^:/, "");
    const at = found.word.start + suggestion.insert.length;
    setText(next);
    setCaret(suggestion.insert.endsWith(":") ? null : at);
    requestAnimationFrame(() => {
      inputRef.current?.focus();
      inputRef.current?.setSelectionRange(at, at);
    });
  };

  const run = () => {
    setCaret(null);
    onRun(text.trim());
  };

  const keys = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    const suggestion = suggestions[chosen];
    if (suggestion && event.key === "Tab") {
      event.preventDefault();
      accept(suggestion);
    } else if (suggestion && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      setChosen((chosen + (event.key === "ArrowDown" ? 1 : suggestions.length - 1)) % suggestions.length);
    } else if (event.key === "Escape") {
      setCaret(null);
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (suggestion && chosen > 0) accept(suggestion);
      else run();
    }
  };

  const shownError = error !== null && error.query === text.trim() ? error : null;
  return (
    <div className={styles.bar}>
      <div className={styles.field} data-bad={shownError !== null || undefined}>
        <IconSearch size={16} className={styles.icon} aria-hidden />
        <div className={styles.stack}>
          <Coloured text={text} bad={shownError?.position} />
          <textarea
            ref={inputRef}
            className={styles.input}
            rows={1}
            spellCheck={false}
            autoCapitalize="off"
            autoComplete="off"
            aria-label={t("hunt.query")}
            role="combobox"
            aria-expanded={suggestions.length > 0}
            aria-controls={list}
            aria-autocomplete="list"
            aria-invalid={shownError !== null}
            placeholder={t("hunt.placeholder")}
            value={text}
            onChange={(event) => {
              setText(event.currentTarget.value.replace(/\n/g, " "));
              setCaret(event.currentTarget.selectionStart);
              setChosen(0);
            }}
            onClick={() => setCaret(null)}
            onBlur={() => setTimeout(() => setCaret(null), 150)}
            onKeyDown={keys}
          />
        </div>
        <Tooltip label={t("hunt.help_lines")} multiline w={360}>
          <span className={styles.help} aria-label={t("hunt.help")} tabIndex={0} role="note">
            <IconInfoCircle size={16} />
          </span>
        </Tooltip>
        <Button size="xs" onClick={run} loading={busy}>
          {t("hunt.run")}
        </Button>
      </div>
      {suggestions.length > 0 && (
        <ul className={styles.list} id={list} role="listbox" aria-label={t("hunt.columns_find")}>
          {suggestions.map((suggestion, at) => (
            <li key={suggestion.label} role="option" aria-selected={at === chosen} onMouseDown={(event) => event.preventDefault()} onClick={() => accept(suggestion)} onMouseEnter={() => setChosen(at)}>
              <span className="mono">{suggestion.label}</span>
              <span className="dim">{suggestion.detail}</span>
            </li>
          ))}
        </ul>
      )}
      {shownError && (
        <div className={styles.error} role="alert">
          <b>{t("hunt.bad_query")}:</b> {shownError.message}
        </div>
      )}
    </div>
  );
}

function Coloured({ text, bad }: { text: string; bad: number | undefined }) {
  let at = 0;
  return (
    <div className={styles.coloured} aria-hidden>
      {tokens(text).map((token, index) => {
        const start = at;
        at += token.text.length;
        const hit = bad !== undefined && bad >= start && bad < at;
        return (
          <span key={index} data-kind={token.kind} data-bad={hit || undefined}>
            {token.text}
          </span>
        );
      })}
      {bad !== undefined && bad >= text.length && <span data-bad>&nbsp;</span>}
      {"\u200b"}
    </div>
  );
}
