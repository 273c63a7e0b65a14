// Headings of columns and names of lists, from the register's data, in the language of the page.
import { useTranslation } from "react-i18next";
import type { RecordKind, RegisterTable } from "../../api/types";
import { useRegister } from "./queries";

/** The table in which records of a kind stand. */
export const TABLES: Record<RecordKind, RegisterTable> = { contact: "contacts", network: "networks", system: "systems", asset: "assets" };

interface Named {
  id: string;
  vi: string;
  en: string;
}

function useName() {
  const { i18n } = useTranslation();
  return (entry: Named) => (i18n.language === "vi" ? entry.vi : entry.en);
}

/** The heading of a column of a table; its id while the register is not loaded. */
export function useHeadings(table: RegisterTable): (column: string) => string {
  const heading = useAllHeadings();
  return (column) => heading(table, column);
}

/** What the columns of every table are called. */
export function useAllHeadings(): (table: RegisterTable, column: string) => string {
  const register = useRegister();
  const name = useName();
  const columns = register.data?.table.flatMap(({ id, column }) => column.map((one) => [`${id} ${one.id}`, name(one)] as const));
  const headings = new Map(columns);
  return (table, column) => headings.get(`${table} ${column}`) ?? column;
}

/** The lists to choose from, and the name of an entry. */
export function useLists() {
  const register = useRegister();
  const name = useName();
  const choices = (entries: readonly Named[] = []) => entries.map((entry) => ({ value: entry.id, label: name(entry) }));
  const kinds = choices(register.data?.kinds.entry);
  const assetKinds = choices(register.data?.asset_kinds.entry);
  const approvals = choices(register.data?.approval_states.entry);
  const tables = choices(register.data?.table);
  const named = (list: ReadonlyArray<{ value: string; label: string }>, id: string) => list.find(({ value }) => value === id)?.label ?? id;
  return { kinds, assetKinds, approvals, tables, named };
}
