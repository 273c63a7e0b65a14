import { screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { renderPage } from "../test-page";
import { RecordDetail, useRecordWords } from "./Record";

function Action({ name }: { name: string }) {
  return <p>{useRecordWords().action(name)}</p>;
}

test("particulars are shown in words, ids of ours are not", async () => {
  await renderPage(<RecordDetail detail={{ verdict: "false_positive", reason: "máy quét", user_id: "u-1", disabled: "true" }} />);
  expect(screen.getByText("Kết luận")).toBeTruthy();
  expect(screen.getByText("Cảnh báo sai")).toBeTruthy();
  expect(screen.getByText("máy quét")).toBeTruthy();
  expect(screen.getByText("có")).toBeTruthy();
  expect(screen.queryByText("u-1")).toBeNull();
});

test("a word that is not known is shown as it is", async () => {
  await renderPage(<Action name="alert.frobnicated" />);
  expect(screen.getByText("alert.frobnicated")).toBeTruthy();
});

test("a group of words is no word", async () => {
  await renderPage(<Action name="alert" />);
  expect(screen.getByText("alert")).toBeTruthy();
});
