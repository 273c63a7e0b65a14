import { expect, test } from "vitest";
import { dump } from "./dump";

test("bytes stand beside their text, with their place in the buffer", () => {
  const lines = dump("474554202f61640d0a4745542f6c6f6e6765720a", 100).split("\n");
  expect(lines).toHaveLength(2);
  expect(lines[0]).toBe("   100  47 45 54 20 2f 61 64 0d 0a 47 45 54 2f 6c 6f 6e  GET /ad..GET/lon");
  expect(lines[1]).toMatch(/^ {3}116 {2}67 65 72 0a +ger\.$/);
});

test("what are no digits shows nothing", () => {
  expect(dump("zz", 0)).toBe("");
  expect(dump("", 0)).toBe("");
});
