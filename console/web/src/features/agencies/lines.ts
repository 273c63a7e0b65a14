// The tree as lines: who stands under whom, in the order in which it is read, and what of it is shown.
import type { AgencyRow } from "../../api/types";

export interface Line {
  agency: AgencyRow;
  depth: number;
  /** True where only something below matches. */
  faint: boolean;
}

/** Small letters without marks, as they are typed in a hurry. */
export function plain(text: string): string {
  return text.normalize("NFD").replace(/\p{M}/gu, "").replace(/[đĐ]/g, "d").toLowerCase();
}

/** Every agency once; agencies whose parent is not there, or stands in a circle, are roots. */
export function linesOf(agencies: readonly AgencyRow[], search: string): Line[] {
  const words = plain(search).split(/\s+/).filter((word) => word !== "");
  const known = new Set(agencies.map(({ id }) => id));
  const below = new Map<string, AgencyRow[]>();
  const roots: AgencyRow[] = [];
  for (const agency of agencies) {
    const parent = agency.parent_id;
    if (parent && known.has(parent) && parent !== agency.id) below.set(parent, [...(below.get(parent) ?? []), agency]);
    else roots.push(agency);
  }
  const matches = ({ id, name, code }: AgencyRow) => {
    const text = plain(`${id} ${name} ${code ?? ""}`);
    return words.every((word) => text.includes(word));
  };
  const lines: Line[] = [];
  const seen = new Set<string>();
  const add = (agency: AgencyRow, depth: number): boolean => {
    if (seen.has(agency.id)) return false;
    seen.add(agency.id);
    const at = lines.length;
    const own = matches(agency);
    lines.push({ agency, depth, faint: !own });
    let any = own;
    for (const child of below.get(agency.id) ?? []) any = add(child, depth + 1) || any;
    if (!any) lines.length = at;
    return any;
  };
  for (const root of roots) add(root, 0);
  for (const agency of agencies) add(agency, 0);
  return lines;
}

/** `dd/MM/yyyy` of a day `yyyy-MM-dd`. */
export function dayText(day: string): string {
  return day.split("-").reverse().join("/");
}

/** Where an agency is shown: the tree beside it stays as it is, because the page does. */
export function agencyPath(id: string): string {
  return `/agencies?${new URLSearchParams({ agency: id }).toString()}`;
}
