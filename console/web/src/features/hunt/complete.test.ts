import { expect, test } from "vitest";
import type { CatalogueField } from "../../api/types";
import { suggest, tokens, wordAt } from "./complete";

const field = (name: string): CatalogueField => ({ name, kind: "keyword", index: "column", doc: "" });
const fields = ["source.ip", "source.port", "dns.question.name", "observer.name"].map(field);

test("coloured pieces joined are the query again", () => {
  for (const query of ['a:1 AND b:"x y" | count by c', '"open', "((", "a:[200 TO 299]", "-source.ip:1 |", "đường hầm"]) {
    expect(
      tokens(query)
        .map((token) => token.text)
        .join(""),
    ).toBe(query);
  }
});

test("the word at the caret is found, but not inside quotes", () => {
  expect(wordAt("a:1 AND sou", 11)).toEqual({ start: 8, end: 11, text: "sou" });
  expect(wordAt('a:"sou', 6)).toBeNull();
});

test("fields are offered by beginning, then by part", () => {
  const found = suggest("so", 2, fields);
  expect(found?.suggestions.map((each) => each.insert)).toEqual(["source.ip:", "source.port:"]);
  expect(suggest("nam", 3, fields)?.suggestions.map((each) => each.label)).toEqual(["dns.question.name", "observer.name"]);
  expect(suggest("source.ip:19", 12, fields)).toBeNull();
});

test("after 'count by' the bare name is offered", () => {
  const query = "a:1 | count by sour";
  expect(suggest(query, query.length, fields)?.suggestions[0]?.insert).toBe("source.ip");
});
