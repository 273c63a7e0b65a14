// Events as rows: time, kind, who with whom, what; chosen columns; a row opens into all its fields.
import { ActionIcon, Button, Popover, ScrollArea, TextInput, Checkbox, Stack } from "@mantine/core";
import { IconChevronRight, IconColumns3 } from "@tabler/icons-react";
import { Fragment, useState } from "react";
import { useTranslation } from "react-i18next";
import { useCatalogue } from "../../api/shared";
import { summary } from "../../api/summary";
import type { EventDocument, SearchAnswer } from "../../api/types";
import { FieldTable } from "../../ui/FieldTable";
import { pickText } from "../../ui/flatten";
import { fullTime, measure } from "../../ui/format";
import { Value } from "../../ui/Value";
import styles from "./Hunt.module.css";

interface ResultsProps {
  events: readonly EventDocument[];
  columns: readonly string[];
}

const FIXED = ["event.dataset", "source.ip", "destination.ip", "destination.port"] as const;

export function Results({ events, columns }: ResultsProps) {
  const { t } = useTranslation();
  const catalogue = useCatalogue();
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const meaning = (field: string) => catalogue.data?.find((each) => each.name === field)?.doc;
  const toggle = (id: string) =>
    setOpen((old) => {
      const next = new Set(old);
      if (!next.delete(id)) next.add(id);
      return next;
    });
  const shown = columns.length > 0 ? columns : FIXED;
  return (
    <div className={styles.tableScroll}>
      <table className={styles.table} aria-label={t("hunt.results")}>
        <thead>
          <tr>
            <th aria-label={t("hunt.expand")} />
            <th scope="col">{t("hunt.time")}</th>
            {shown.map((field) => (
              <th key={field} scope="col" className="mono">
                {field}
              </th>
            ))}
            {columns.length === 0 && <th scope="col">{t("hunt.what")}</th>}
          </tr>
        </thead>
        <tbody>
          {events.map((event, at) => {
            const id = pickText(event, "event.id") ?? String(at);
            const opened = open.has(id);
            return (
              <Fragment key={id}>
                <tr data-open={opened || undefined}>
                  <td>
                    <ActionIcon size="xs" variant="subtle" color="gray" onClick={() => toggle(id)} aria-expanded={opened} aria-label={t("hunt.expand")}>
                      <IconChevronRight size={14} className={opened ? styles.turned : undefined} />
                    </ActionIcon>
                  </td>
                  <td className="mono" onClick={() => toggle(id)}>
                    {fullTime(pickText(event, "@timestamp") ?? "", true)}
                  </td>
                  {shown.map((field) => {
                    const value = pickText(event, field);
                    return <td key={field}>{value !== undefined && <Value field={field} value={value} />}</td>;
                  })}
                  {columns.length === 0 && (
                    <td className={styles.what} onClick={() => toggle(id)}>
                      <span>{summary(event)}</span>
                    </td>
                  )}
                </tr>
                {opened && (
                  <tr className={styles.detail}>
                    <td colSpan={shown.length + 3}>
                      <FieldTable document={event} meaning={meaning} searchable />
                    </td>
                  </tr>
                )}
              </Fragment>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

/** Whether a column of a table is a measure of its groups, not a field. */
function isMeasure(column: string): boolean {
  return column === "count" || column === "first" || column === "last" || column.endsWith(")");
}

function Measured({ cell }: { cell: unknown }) {
  if (typeof cell === "number") return <>{measure(cell)}</>;
  if (typeof cell === "string") return <>{fullTime(cell)}</>;
  return <span className="dim">–</span>;
}

/** The answer of `| count by`, of other measures and of `| table`. */
export function AnswerTable({ table }: { table: NonNullable<SearchAnswer["table"]> }) {
  const { t } = useTranslation();
  const first = table.columns.findIndex(isMeasure);
  const size = (row: readonly unknown[]) => (first >= 0 ? Number(row[first]) || 0 : 0);
  const most = Math.max(1, ...table.rows.map(size));
  return (
    <div className={styles.tableScroll}>
      <table className={styles.table} aria-label={t("hunt.results")}>
        <thead>
          <tr>
            {table.columns.map((column) => (
              <th key={column} scope="col" className={isMeasure(column) ? undefined : "mono"} data-align={isMeasure(column) ? "right" : undefined}>
                {column === "count" ? t("hunt.count") : column}
              </th>
            ))}
            {first >= 0 && <th aria-hidden style={{ width: "30%" }} />}
          </tr>
        </thead>
        <tbody>
          {table.rows.map((row, at) => (
            <tr key={at}>
              {row.map((cell, column) => {
                const field = table.columns[column] ?? "";
                if (isMeasure(field)) {
                  return (
                    <td key={column} data-align="right">
                      <Measured cell={cell} />
                    </td>
                  );
                }
                const text = typeof cell === "string" ? cell : JSON.stringify(cell);
                return <td key={column}>{cell === null ? <span className="dim">–</span> : <Value field={field} value={text} />}</td>;
              })}
              {first >= 0 && (
                <td>
                  <span className={styles.countBar} style={{ width: `${(size(row) / most) * 100}%` }} aria-hidden />
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const MAX_SHOWN = 60;

export function ColumnPicker({ columns, onChange }: { columns: readonly string[]; onChange: (columns: readonly string[]) => void }) {
  const { t } = useTranslation();
  const catalogue = useCatalogue();
  const [text, setText] = useState("");
  const wanted = text.trim().toLowerCase();
  const fields = (catalogue.data ?? []).filter((field) => field.name !== "@timestamp" && field.name.includes(wanted));
  const chosen = fields.filter((field) => columns.includes(field.name));
  const rest = fields.filter((field) => !columns.includes(field.name)).slice(0, MAX_SHOWN);
  return (
    <Popover position="bottom-end" shadow="md" trapFocus>
      <Popover.Target>
        <Button size="compact-sm" variant="default" leftSection={<IconColumns3 size={14} />}>
          {t("hunt.columns")}
          {columns.length > 0 && ` (${columns.length})`}
        </Button>
      </Popover.Target>
      <Popover.Dropdown w={330} p="sm">
        <TextInput size="xs" aria-label={t("hunt.columns_find")} placeholder={t("hunt.columns_find")} value={text} onChange={(event) => setText(event.currentTarget.value)} mb="xs" data-autofocus />
        <ScrollArea.Autosize mah={300}>
          <Stack gap={5}>
            {[...chosen, ...rest].map((field) => (
              <Checkbox key={field.name} size="xs" label={field.name} title={field.doc} checked={columns.includes(field.name)} onChange={(event) => onChange(event.currentTarget.checked ? [...columns, field.name] : columns.filter((name) => name !== field.name))} />
            ))}
          </Stack>
        </ScrollArea.Autosize>
        {columns.length > 0 && (
          <Button size="compact-xs" variant="subtle" mt="xs" onClick={() => onChange([])}>
            {t("hunt.reset_columns")}
          </Button>
        )}
      </Popover.Dropdown>
    </Popover>
  );
}
