// A dense table: sticky head, thin lines, tabular figures.
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
      <table className={styles.table} aria-label={label}>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.key} scope="col" data-align={column.align} style={{ width: column.width }}>
                {column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={rowKey(row)} data-open={onOpen !== undefined || undefined} onClick={onOpen && (() => onOpen(row))}>
              {columns.map((column) => (
                <td key={column.key} data-align={column.align}>
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
