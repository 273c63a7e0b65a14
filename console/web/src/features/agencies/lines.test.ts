import { describe, expect, it } from "vitest";
import type { AgencyRow } from "../../api/types";
import { dayText, linesOf } from "./lines";

const row = (id: string, name: string, parent_id?: string): AgencyRow => ({ id, name, kind: "other", parent_id, valid: true, successors: [], note: "", version: 1, contacts: 0, contacts_due: 0, networks: 0, systems: 0, assets: 0, open_alerts: 0, open_cases: 0 });

const shown = (rows: AgencyRow[], search = "") => linesOf(rows, search).map(({ agency, depth, faint }) => `${depth}${faint ? "~" : ""}${agency.id}`);

describe("the tree as lines", () => {
  const rows = [row("tinh", "UBND tỉnh"), row("syt", "Sở Y tế", "tinh"), row("tram", "Trạm Y tế Đắk", "syt"), row("stc", "Sở Tài chính", "tinh"), row("la", "Lạc", "khong-co")];

  it("puts children under their parents and orphans at the top", () => {
    expect(shown(rows)).toEqual(["0tinh", "1syt", "2tram", "1stc", "0la"]);
  });

  it("finds without marks and keeps the way to what was found", () => {
    expect(shown(rows, "tram dak")).toEqual(["0~tinh", "1~syt", "2tram"]);
    expect(shown(rows, "nothing")).toEqual([]);
  });

  it("shows everything once even in a circle", () => {
    expect(shown([row("a", "A", "b"), row("b", "B", "a")]).length).toBe(2);
  });

  it("writes days as people do", () => {
    expect(dayText("2026-11-22")).toBe("22/11/2026");
  });
});
