import { expect, test } from "vitest";
import { wantedIn } from "./wanted";

test("the engine's phrases are said in Vietnamese", () => {
  expect(wantedIn("vi", 'contains "union select"')).toBe('chứa "union select"');
  expect(wantedIn("vi", 'not: ends with ".gov.vn"')).toBe('không: kết thúc bằng ".gov.vn"');
  expect(wantedIn("vi", "is >= 50")).toBe("ít nhất 50");
  expect(wantedIn("vi", "reached the rule's threshold within 60 s")).toBe("đạt ngưỡng của luật trong 60 giây");
  expect(wantedIn("vi", "domain c2.example (source: sinkholes): botnet")).toBe("tên miền trong danh sách: c2.example (nguồn: sinkholes): botnet");
});

test("dollars in values are only dollars, unknown phrases and English stay", () => {
  expect(wantedIn("vi", 'contains "$1 $& x"')).toBe('chứa "$1 $& x"');
  expect(wantedIn("vi", "at least 20 in 2 minutes")).toBe("at least 20 in 2 minutes");
  expect(wantedIn("en", "is present")).toBe("is present");
});
