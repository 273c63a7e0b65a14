// Turns a nested document into lines of dotted names, and back to the one value wanted.

/** A field of a document: its dotted name and its value as text, one item a list entry. */
export interface FlatField {
  name: string;
  values: string[];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function text(value: unknown): string {
  if (typeof value === "string") return value;
  return JSON.stringify(value) ?? "";
}

const MAX_DEPTH = 12;

/** The fields of a document in name order. Lists of objects become one field each: `dns.answers.data`. */
export function flatten(document: Record<string, unknown>): FlatField[] {
  const found = new Map<string, string[]>();
  const walk = (value: unknown, name: string, depth: number) => {
    if (value === null || value === undefined) return;
    if (depth > MAX_DEPTH) return;
    if (Array.isArray(value)) {
      for (const item of value) walk(item, name, depth + 1);
    } else if (isObject(value)) {
      for (const [key, inner] of Object.entries(value)) walk(inner, name === "" ? key : `${name}.${key}`, depth + 1);
    } else {
      const values = found.get(name) ?? [];
      values.push(text(value));
      found.set(name, values);
    }
  };
  walk(document, "", 0);
  return [...found].map(([name, values]) => ({ name, values })).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The value under a dotted name, whichever way the document nests it. */
export function pick(document: unknown, name: string): unknown {
  if (!isObject(document)) return undefined;
  if (name in document) return document[name];
  for (let dot = name.indexOf("."); dot >= 0; dot = name.indexOf(".", dot + 1)) {
    const inner = document[name.slice(0, dot)];
    if (inner === undefined) continue;
    const found = pick(inner, name.slice(dot + 1));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The value under a name as text, or nothing. */
export function pickText(document: unknown, name: string): string | undefined {
  const value = pick(document, name);
  if (value === undefined || value === null) return undefined;
  return Array.isArray(value) ? value.map(text).join(", ") : text(value);
}

/** The value under a name as a number, or nothing. */
export function pickNumber(document: unknown, name: string): number | undefined {
  const value = pick(document, name);
  return typeof value === "number" ? value : undefined;
}
