import { fireEvent, screen } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import type { AlertGroup, AlertRow } from "../../api/types";
import { renderPage } from "../../test-page";
import { Queue } from "./Queue";
import { rowsOf, type Row } from "./rows";

const row = (id: string, changes: Partial<AlertRow> = {}): AlertRow => ({
  id,
  sequence: 1,
  time: "2026-11-22T10:00:00Z",
  severity: "critical",
  rule_id: "web-shell-upload",
  rule_name: "Web shell upload",
  rule_name_vi: "Tải lên web shell",
  rule_kind: "sigma",
  source: { ip: "192.0.2.66", port: 4242 },
  destination: { ip: "2001:db8:cafe::1", port: 80 },
  sensor: "bien",
  event_count: 3,
  status: "open",
  version: 1,
  ...changes,
});

const line = (id: string): Row => ({ kind: "alert", id, alert: row(id), member: false });

const group = (key: string, alerts: number, changes: Partial<AlertGroup> = {}): AlertGroup => ({
  key,
  alerts,
  rules: 1,
  agencies: 1,
  sources: 3,
  destinations: 1,
  new_destinations: 1,
  first: "2026-11-22T09:00:00Z",
  last: "2026-11-22T10:00:00Z",
  severity: "critical",
  host: "192.0.2.80",
  lead: row(`${key}-lead`),
  ...changes,
});

function queue(changes: Partial<Parameters<typeof Queue>[0]> = {}) {
  const none = () => undefined;
  return (
    <Queue rows={[line("a"), line("b")]} total={2} selected="a" marked={new Set()} leaving={new Set()} arrived={0} narrowed={false} canMark hasMore={false} loadingMore={false} onTake={none} onOpen={none} onMark={none} onToggle={none} onMore={none} onClear={none} {...changes} />
  );
}

test("a row says severity, rule and addresses in words, in both languages", async () => {
  const page = await renderPage(queue());
  expect(screen.getAllByText("Nghiêm trọng")).toHaveLength(2);
  expect(screen.getAllByText("Tải lên web shell")).toHaveLength(2);
  expect(screen.getAllByText(/\[2001:db8:cafe::1\]:80/)).toHaveLength(2);
  page.unmount();
  await renderPage(queue(), { language: "en" });
  expect(screen.getAllByText("Critical")).toHaveLength(2);
  expect(screen.getAllByText("Web shell upload")).toHaveLength(2);
});

test("arrivals are announced and taken in by hand only", async () => {
  const onTake = vi.fn();
  await renderPage(queue({ arrived: 12, onTake }));
  expect(screen.getAllByRole("option")).toHaveLength(2);
  fireEvent.click(screen.getByRole("button", { name: /12 mới/ }));
  expect(onTake).toHaveBeenCalledOnce();
});

test("marking a row does not open it", async () => {
  const onOpen = vi.fn();
  const onMark = vi.fn();
  await renderPage(queue({ onOpen, onMark }));
  const boxes = screen.getAllByTitle(/^Chọn cảnh báo/);
  fireEvent.click(boxes[1] as HTMLElement);
  expect(onMark).toHaveBeenCalledOnce();
  expect(onOpen).not.toHaveBeenCalled();
});

test("a long queue draws only what is in sight and asks for more at its end", async () => {
  const onMore = vi.fn();
  const rows = Array.from({ length: 10_000 }, (_, at) => line(`a${at}`));
  const page = await renderPage(queue({ rows, total: 12_000, selected: "a0", hasMore: true, onMore }));
  expect(screen.getAllByRole("option").length).toBeLessThan(100);
  expect(screen.getAllByRole("option")[0]?.getAttribute("aria-setsize")).toBe("12000");
  expect(onMore).not.toHaveBeenCalled();
  page.unmount();
  await renderPage(queue({ rows: rows.slice(0, 3), total: 12_000, selected: "a0", hasMore: true, onMore }));
  expect(onMore).toHaveBeenCalled();
});

test("an empty queue says whether a filter made it so", async () => {
  const onClear = vi.fn();
  const page = await renderPage(queue({ rows: [], total: 0 }));
  expect(screen.getByText("Không có cảnh báo nào chờ xử lý")).toBeTruthy();
  page.unmount();
  await renderPage(queue({ rows: [], total: 0, narrowed: true, onClear }));
  fireEvent.click(screen.getByRole("button", { name: "Bỏ bộ lọc" }));
  expect(onClear).toHaveBeenCalledOnce();
});

test("a group says exactly what it hides, in both languages, and opens by its arrow", async () => {
  const onToggle = vi.fn();
  const onOpen = vi.fn();
  const rows = rowsOf([group("g", 412)], [], new Map());
  const page = await renderPage(queue({ rows, total: 1, alerts: 412, onToggle, onOpen }));
  fireEvent.click(screen.getByText("412 cảnh báo · 3 nguồn · 1 đích mới"));
  expect(onToggle).toHaveBeenCalledOnce();
  expect(onOpen).not.toHaveBeenCalled();
  expect(screen.getByText("1 nhóm · 412 cảnh báo")).toBeTruthy();
  page.unmount();
  await renderPage(queue({ rows, total: 1, alerts: 1412 }), { language: "en" });
  expect(screen.getByText("412 alerts · 3 sources · 1 new destination")).toBeTruthy();
  expect(screen.getByText("192.0.2.80")).toBeTruthy();
});

test("an opened group is followed by its members, a group of one is an alert", () => {
  const members = new Map([["g", [row("m1"), row("m2")]]]);
  const rows = rowsOf([group("g", 2), group("single", 1)], ["g"], members);
  expect(rows.map(({ kind, id }) => `${kind} ${id}`)).toEqual(["group g", "alert m1", "alert m2", "alert single-lead"]);
  const many = new Map([["g", Array.from({ length: 200 }, (_, at) => row(`m${at}`))]]);
  expect(rowsOf([group("g", 412)], ["g"], many).at(-1)?.kind).toBe("rest");
});

test("with Shift a range is marked", async () => {
  const onMark = vi.fn();
  const onOpen = vi.fn();
  await renderPage(queue({ onMark, onOpen }));
  fireEvent.click(screen.getAllByRole("option")[1] as HTMLElement, { shiftKey: true });
  expect(onMark).toHaveBeenCalledWith(expect.objectContaining({ id: "b" }), true);
  expect(onOpen).not.toHaveBeenCalled();
});
