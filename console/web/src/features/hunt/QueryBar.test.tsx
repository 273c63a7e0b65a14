import { fireEvent, screen } from "@testing-library/react";
import { createRef } from "react";
import { expect, test, vi } from "vitest";
import { renderPage } from "../../test-page";
import { QueryBar, type QueryError } from "./QueryBar";

function bar(onRun: (query: string) => void, error: QueryError | null = null, value = "") {
  return <QueryBar value={value} busy={false} error={error} inputRef={createRef()} onRun={onRun} />;
}

test("Enter runs what was typed", async () => {
  const onRun = vi.fn();
  await renderPage(bar(onRun));
  const input = screen.getByRole("combobox", { name: "Câu truy vấn" });
  fireEvent.change(input, { target: { value: "source.ip:192.0.2.1 " } });
  fireEvent.keyDown(input, { key: "Enter" });
  expect(onRun).toHaveBeenCalledWith("source.ip:192.0.2.1");
});

test("an error is shown with the query it belongs to, at its character", async () => {
  const error = { message: "mong đợi một điều kiện", position: 6, query: "a:1 ((" };
  const { container } = await renderPage(bar(() => undefined, error, "a:1 (("));
  expect(screen.getByRole("alert").textContent).toContain("mong đợi một điều kiện");
  expect(container.querySelector("[data-bad] [data-bad]")).not.toBeNull();
  fireEvent.change(screen.getByRole("combobox"), { target: { value: "a:1" } });
  expect(screen.queryByRole("alert")).toBeNull();
});
