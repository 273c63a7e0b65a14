import { expect, test } from "vitest";
import { narrow, quote, splitStages, term } from "./query";

test("plain words stay bare, everything else is quoted", () => {
  expect(quote("192.0.2.7")).toBe("192.0.2.7");
  expect(quote("2001:db8:cafe::5")).toBe('"2001:db8:cafe::5"');
  expect(quote('say "hi"')).toBe('"say \\"hi\\""');
  expect(quote("AND")).toBe('"AND"');
  expect(term("dns.question.name", "a.example")).toBe("dns.question.name:a.example");
});

test("a condition is added before the stages and only once", () => {
  expect(narrow("", "a:1")).toBe("a:1");
  expect(narrow("a:1", "b:2")).toBe("a:1 AND b:2");
  expect(narrow("a:1 | count by b", "c:3")).toBe("a:1 AND c:3 | count by b");
  expect(narrow("a:1 AND b:2", "b:2")).toBe("a:1 AND b:2");
});

test("an OR is put in brackets before it is narrowed", () => {
  expect(narrow("a:1 OR b:2", "c:3")).toBe("(a:1 OR b:2) AND c:3");
});

test("a bar inside quotes is no stage", () => {
  expect(splitStages('a:"x|y" | count by b')).toEqual({ filter: 'a:"x|y"', stages: "| count by b" });
});
