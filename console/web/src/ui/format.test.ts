import { beforeEach, expect, test } from "vitest";
import { axisTime, bytes, fullTime, percent, reflow, relativeTime, setFormats } from "./format";

beforeEach(() => setFormats("Asia/Ho_Chi_Minh", "vi"));

test("times are absolute in the installation's zone, day first", () => {
  expect(fullTime("2026-11-22T17:05:09.123Z")).toBe("23/11/2026 00:05:09");
  expect(fullTime("2026-11-22T17:05:09.123Z", true)).toBe("23/11/2026 00:05:09.123");
  expect(fullTime("not a time")).toBe("not a time");
});

test("a share that is not whole never reads as 100 per cent", () => {
  expect(percent(1)).toBe("100\u00a0%");
  expect(percent(0.999999)).toBe("99,99\u00a0%");
});

test("sizes and distances in words", () => {
  expect(bytes(2048)).toBe("2 KiB");
  expect(relativeTime("2026-11-22T10:00:00Z", Date.parse("2026-11-22T10:05:00Z"))).toBe("5 phút trước");
  expect(relativeTime("2026-11-22T10:00:00Z", Date.parse("2026-11-22T10:05:00Z"), true)).toBe("5 phút");
  expect(relativeTime("2026-11-22T10:00:00Z", Date.parse("2026-11-22T10:00:05Z"))).toBe("vừa xong");
});

test("wrapped prose is joined, paragraphs and lists are kept", () => {
  expect(reflow("Cô lập máy,\ntìm chương trình.\n")).toBe("Cô lập máy, tìm chương trình.");
  expect(reflow("Việc:\n1. một\n2. hai")).toBe("Việc:\n1. một\n2. hai");
  expect(reflow("một\n\nhai")).toBe("một\n\nhai");
});

test("marks of an axis say what tells them apart", () => {
  const at = Date.parse("2026-11-22T17:05:09Z");
  expect(axisTime(at, 1_000)).toBe("00:05:09");
  expect(axisTime(at, 300_000)).toBe("23/11 00:05");
  expect(axisTime(at, 86_400_000)).toBe("23/11");
});
