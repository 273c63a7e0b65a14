import { render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { marked, matchedValue, quotedParts } from "./highlight";

test("the texts in quotes are found, wildcards at their ends dropped", () => {
  expect(quotedParts('contains "union select" or \'*.php\'')).toEqual(["union select", ".php"]);
  expect(quotedParts("at least 20 in 2 minutes")).toEqual([]);
});

test("the wanted part is marked whatever its case", () => {
  render(<p>{matchedValue("id=1 UNION SELECT x", 'contains "union select"')}</p>);
  expect(screen.getByText("UNION SELECT").tagName).toBe("MARK");
});

test("without a quoted part the whole value is marked", () => {
  render(<p>{matchedValue("22", "equals 22")}</p>);
  expect(screen.getByText("22").tagName).toBe("MARK");
});

test("letters that mean something in patterns are only letters", () => {
  render(<p data-testid="p">{marked("a.b(c) axb(c)", ["a.b(c)"])}</p>);
  expect(screen.getByTestId("p").querySelectorAll("mark")).toHaveLength(1);
});
