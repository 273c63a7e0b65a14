import { expect, test } from "vitest";
import { en, vi } from "./i18n";

interface Words {
  [key: string]: string | Words;
}

function lines(words: Words, prefix = ""): Map<string, string> {
  const found = new Map<string, string>();
  for (const [key, value] of Object.entries(words)) {
    if (typeof value === "string") found.set(prefix + key, value);
    else for (const [inner, text] of lines(value, `${prefix}${key}.`)) found.set(inner, text);
  }
  return found;
}

const variables = (text: string) => [...text.matchAll(/\{\{(\w+)\}\}/g)].map((match) => match[1]).sort();

test("both languages have the same keys, and no key is empty", () => {
  const vietnamese = lines(vi);
  const english = lines(en);
  expect([...english.keys()].sort()).toEqual([...vietnamese.keys()].sort());
  for (const [key, text] of [...vietnamese, ...english]) expect(text.trim(), key).not.toBe("");
});

test("both languages use the same variables", () => {
  const english = lines(en);
  for (const [key, text] of lines(vi)) expect(variables(english.get(key) ?? ""), key).toEqual(variables(text));
});

test("the Vietnamese text addresses nobody as 'bạn'", () => {
  for (const [key, text] of lines(vi)) expect(/(^|\s)bạn(\s|$|[.,])/i.test(text), key).toBe(false);
});
