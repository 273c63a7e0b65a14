// A dense table: sticky head, thin lines, tabular figures. On a small screen each row becomes a card of named lines.
import type { ReactNode } from "react";
import styles from "./Table.module.css";

export interface ColumnDef<Row> {
  key: string;
  title: ReactNode;
  cell: (row: Row) => ReactNode;
  align?: "left" | "right";
  width?: number | string;
}

interface TableProps<Row> {
  label: string;
  columns: ReadonlyArray<ColumnDef<Row>>;
  rows: readonly Row[];
  rowKey: (row: Row) => string;
  onOpen?: (row: Row) => void;
}

export function Table<Row>({ label, columns, rows, rowKey, onOpen }: TableProps<Row>) {
  return (
    <div className={styles.scroll}>
      <table className={styles.table} aria-label={label} role="table">
        <thead role="rowgroup">
          <tr role="row">
            {columns.map((column) => (
              <th role="columnheader" key={column.key} scope="col" data-align={column.align} style={{ width: column.width }}>
                {column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {rows.map((row) => (
            <tr role="row" key={rowKey(row)} data-open={onOpen !== undefined || undefined} onClick={onOpen && (() => onOpen(row))}>
              {columns.map((column) => (
                <td role="cell" key={column.key} data-align={column.align} data-title={typeof column.title === "string" ? column.title : undefined}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
