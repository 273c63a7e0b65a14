// A document as a table of dotted names: grouped by their first word, values with menus, found by typing.
import { TextInput } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { Fragment, useMemo, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { flatten, type FlatField } from "./flatten";
import styles from "./FieldTable.module.css";
import { Value } from "./Value";

interface FieldTableProps {
  document: Record<string, unknown>;
  /** What a field means, for its tooltip. */
  meaning?: (field: string) => string | undefined;
  /** How a value is shown, when not as it is. */
  show?: (field: string, value: string) => ReactNode;
  searchable?: boolean;
}

function groupOf(field: FlatField): string {
  return field.name.split(".")[0] ?? field.name;
}

export function FieldTable({ document, meaning, show, searchable = false }: FieldTableProps) {
  const { t } = useTranslation();
  const [text, setText] = useState("");
  const fields = useMemo(() => flatten(document), [document]);
  const wanted = text.trim().toLowerCase();
  const shown = fields.filter(({ name, values }) => wanted === "" || name.includes(wanted) || values.some((value) => value.toLowerCase().includes(wanted)));
  return (
    <div>
      {searchable && (
        <TextInput size="xs" mb="xs" maw={320} leftSection={<IconSearch size={14} />} aria-label={t("hunt.find_field")} placeholder={t("hunt.find_field")} value={text} onChange={(event) => setText(event.currentTarget.value)} />
      )}
      <table className={styles.table}>
        <tbody>
          {shown.map((field, at) => {
            const before = shown[at - 1];
            const first = before === undefined || groupOf(before) !== groupOf(field);
            return (
              <tr key={field.name} data-first={first || undefined}>
                <th scope="row" title={meaning?.(field.name)}>
                  {field.name}
                </th>
                <td>
                  {field.values.map((value, index) => (
                    <Fragment key={index}>
                      {index > 0 && <br />}
                      <Value field={field.name} value={value}>
                        {show?.(field.name, value)}
                      </Value>
                    </Fragment>
                  ))}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
