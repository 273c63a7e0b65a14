// Completion: which word the caret stands in, and what could stand there.
import type { CatalogueField } from "../../api/types";

export interface Word {
  start: number;
  end: number;
  text: string;
}

const BREAK = /[\s()|[\],]/;

/** The word around the caret, unless it lies inside quotes. */
export function wordAt(query: string, caret: number): Word | null {
  let quoted = false;
  for (let at = 0; at < caret; at += 1) {
    if (query[at] === "\\") at += 1;
    else if (query[at] === '"') quoted = !quoted;
  }
  if (quoted) return null;
  let start = caret;
  while (start > 0 && !BREAK.test(query[start - 1] ?? "")) start -= 1;
  let end = caret;
  while (end < query.length && !BREAK.test(query[end] ?? "") && query[end] !== ":") end += 1;
  return { start, end, text: query.slice(start, caret) };
}

export interface Suggestion {
  insert: string;
  label: string;
  detail: string;
}

const MAX_SUGGESTIONS = 12;

function rank(name: string, typed: string): number {
  if (name.startsWith(typed)) return 0;
  if (name.split(".").some((part) => part.startsWith(typed))) return 1;
  return name.includes(typed) ? 2 : 3;
}

/** Whether the caret stands where a field's name alone is wanted: after `count by`. */
function inStage(query: string, start: number): boolean {
  return /\bby\s+([\w.@]+\s*,\s*)*$/.test(query.slice(0, start));
}

export function suggest(query: string, caret: number, fields: readonly CatalogueField[]): { word: Word; suggestions: Suggestion[] } | null {
  const word = wordAt(query, caret);
  if (word === null || word.text.includes(":")) return null;
  const typed = word.text.toLowerCase().replace(/^[-+!]/, "");
  const bare = inStage(query, word.start);
  if (typed === "" && !bare) return null;
  const suggestions = fields
    .filter((field) => field.index !== "stored" && rank(field.name, typed) < 3)
    .sort((a, b) => rank(a.name, typed) - rank(b.name, typed) || (a.name < b.name ? -1 : 1))
    .slice(0, MAX_SUGGESTIONS)
    .map((field) => ({ insert: bare ? field.name : `${field.name}:`, label: field.name, detail: field.doc }));
  const exact = suggestions.length === 1 && suggestions[0]?.label === typed;
  return suggestions.length === 0 || (exact && bare) ? null : { word, suggestions };
}

export type TokenKind = "field" | "operator" | "text" | "stage" | "plain";

export interface Token {
  kind: TokenKind;
  text: string;
}

const TOKENS = /("(?:[^"\\]|\\.)*"?)|(\|\s*[a-z]*)|([A-Za-z_@][\w.@]*(?=:))|\b(AND|OR|NOT|TO|by)\b|([^\s"|]+|\s+)/g;

/** The query in coloured pieces; nothing is lost, their texts joined are the query. */
export function tokens(query: string): Token[] {
  const found: Token[] = [];
  for (const match of query.matchAll(TOKENS)) {
    const [text, quoted, stage, field, operator] = match;
    const kind: TokenKind = quoted ? "text" : stage ? "stage" : field ? "field" : operator ? "operator" : "plain";
    found.push({ kind, text });
  }
  return found;
}
