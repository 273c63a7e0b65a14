// Makes visible which part of a value satisfied the rule.
import type { ReactNode } from "react";

/** The texts in quotes in what a rule wanted: `contains "union select"`. */
export function quotedParts(wanted: string): string[] {
  const found: string[] = [];
  for (const match of wanted.matchAll(/"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|`([^`]*)`/g)) {
    const text = (match[1] ?? match[2] ?? match[3] ?? "").replace(/\\(.)/g, "$1").replace(/^\*+|\*+$/g, "");
    if (text !== "") found.push(text);
  }
  return found;
}

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/** The text with every occurrence of the needles marked, whatever their case. */
export function marked(text: string, needles: readonly string[]): ReactNode {
  const useful = needles.filter((needle) => needle.length > 1);
  if (useful.length === 0) return text;
  const pattern = new RegExp(`(${useful.map(escape).join("|")})`, "gi");
  return text.split(pattern).map((piece, at) => (at % 2 === 1 ? <mark key={at}>{piece}</mark> : piece));
}

/** A matched value: the wanted part marked, or the whole of it when the rule does not say which part. */
export function matchedValue(value: string, wanted: string): ReactNode {
  const parts = quotedParts(wanted).filter((part) => value.toLowerCase().includes(part.toLowerCase()));
  return parts.length > 0 ? marked(value, parts) : <mark>{value}</mark>;
}
