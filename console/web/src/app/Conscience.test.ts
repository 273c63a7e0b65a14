import { expect, test } from "vitest";
import { toneOf } from "./Conscience";

const now = { seen: 1, unaccounted: 0, known: true, collector_ok: true, sensors: [{ name: "bien", state: "connected" }] };

test("all is well only when everything is seen, known and accounted for", () => {
  expect(toneOf(now)).toBe("good");
  expect(toneOf(undefined)).toBe("unknown");
  expect(toneOf({ ...now, known: false })).toBe("unknown");
});

test("a silent sensor warns; loss without explanation and a dead collector alarm", () => {
  expect(toneOf({ ...now, sensors: [{ name: "bien", state: "silent" }] })).toBe("warn");
  expect(toneOf({ ...now, seen: 0.95 })).toBe("warn");
  expect(toneOf({ ...now, seen: 0.5 })).toBe("bad");
  expect(toneOf({ ...now, unaccounted: 1 })).toBe("bad");
  expect(toneOf({ ...now, collector_ok: false })).toBe("bad");
});
