import { expect, test } from "vitest";
import { flatten, pick, pickText } from "./flatten";

const event = { "@timestamp": "t", source: { ip: "192.0.2.1", port: 5 }, dns: { answers: [{ data: "a" }, { data: "b" }] }, list: ["x", "y"], empty: null };

test("a document becomes lines in name order", () => {
  expect(flatten(event)).toEqual([
    { name: "@timestamp", values: ["t"] },
    { name: "dns.answers.data", values: ["a", "b"] },
    { name: "list", values: ["x", "y"] },
    { name: "source.ip", values: ["192.0.2.1"] },
    { name: "source.port", values: ["5"] },
  ]);
});

test("a value is found whichever way it is nested", () => {
  expect(pick({ "a.b": { c: 1 } }, "a.b.c")).toBe(1);
  expect(pick({ a: { "b.c": 2 } }, "a.b.c")).toBe(2);
  expect(pickText(event, "source.port")).toBe("5");
  expect(pickText(event, "nothing.here")).toBeUndefined();
});

test("a document nested without end is cut, not followed", () => {
  let deep: Record<string, unknown> = { end: 1 };
  for (let at = 0; at < 40; at += 1) deep = { in: deep };
  expect(flatten(deep)).toEqual([]);
});
