// Labelled values of one part of a message.
import { Fragment } from "react";
import { useTranslation } from "react-i18next";
import type { EventDocument } from "../../../api/types";
import { pick } from "../../../ui/flatten";
import { Value } from "../../../ui/Value";
import styles from "../Evidence.module.css";
import { marked } from "../highlight";
import { vi } from "../words";

/** The values of a field, one item each. */
export function listOf(event: EventDocument, field: string): string[] {
  const value = pick(event, field);
  if (value === undefined || value === null) return [];
  return (Array.isArray(value) ? value : [value]).map((each) => (typeof each === "string" ? each : JSON.stringify(each)));
}

/** What a field is called in a message: a word of ours, or the name that every language uses. */
export type Label = keyof typeof vi.alerts.label | (string & {});

function isWord(label: string): label is keyof typeof vi.alerts.label {
  return label in vi.alerts.label;
}

interface PairsProps {
  event: EventDocument;
  fields: ReadonlyArray<readonly [label: Label, field: string]>;
  needles: readonly string[];
}

export function Pairs({ event, fields, needles }: PairsProps) {
  const { t } = useTranslation();
  return (
    <dl className={styles.pairs}>
      {fields.map(([label, field]) => {
        const values = listOf(event, field);
        if (values.length === 0) return null;
        return (
          <Fragment key={field}>
            <dt>{isWord(label) ? t(`alerts.label.${label}`) : label}</dt>
            <dd>
              {values.map((value, at) => (
                <div key={at}>
                  <Value field={field} value={value}>
                    {marked(value, needles)}
                  </Value>
                </div>
              ))}
            </dd>
          </Fragment>
        );
      })}
    </dl>
  );
}
