// The browser of every walk: headless Chromium, and what makes any walk fail: an error on a page, a request to another
// host, something that the content policy blocks.
import { createRequire } from "node:module";
import { mkdirSync, readFileSync } from "node:fs";

const require = createRequire(new URL("../../console/web/package.json", import.meta.url));
const { chromium } = require("playwright-core");

/** How long something may take on a busy machine, in milliseconds. */
const PATIENCE_MS = 60_000;
const DESK = { width: 1366, height: 768 };

/** The source of the accessibility checker, to be run inside a page. */
const axeFile = require.resolve("axe-core/axe.min.js");

/** Opens the browser; `origin` is the only host it may talk to, besides those that a walk plays itself. */
export async function openBrowser(origin, screenshots, played = []) {
  mkdirSync(screenshots, { recursive: true });
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
  const wrong = [];
  let passed = 0;

  /** Somebody else at a browser of their own. */
  async function newPage() {
    const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: DESK, locale: "vi-VN" });
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    page.on("pageerror", (error) => wrong.push(`error on ${page.url()}: ${error.message}`));
    page.on("console", (message) => {
      // A refused request shows in the browser's log although the page handles it; what the page itself reports is wrong.
      if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) wrong.push(`console of ${page.url()}: ${message.text()}`);
    });
    page.on("request", (request) => {
      const url = new URL(request.url());
      if (url.origin !== origin && !played.includes(url.origin) && url.protocol !== "data:" && url.protocol !== "blob:") wrong.push(`request to ${url.origin}`);
    });
    return page;
  }

  async function step(page, name, work) {
    try {
      await work();
      passed += 1;
      console.log(`ok    ${name}`);
    } catch (error) {
      await page.screenshot({ path: `${screenshots}/failed.png` }).catch(() => {});
      console.log(`FAIL  ${name}: ${error.message}\nat ${page.url()}\n${await page.locator("body").innerText().catch(() => "")}`);
      throw error;
    }
  }

  /** Does the whole walk, says what came of it, and closes the browser. */
  async function walk(work) {
    try {
      await work();
      if (wrong.length > 0) throw new Error("the pages do not behave");
      console.log(`${passed} passed, 0 failed`);
    } catch (error) {
      if (wrong.length > 0) console.log(wrong.join("\n"));
      console.log(`${passed} passed, 1 failed: ${error.message}`);
      process.exitCode = 1;
    } finally {
      await browser.close();
    }
  }

  return { newPage, step, walk };
}

/** The faults of a page as it is now that would keep somebody from using it. */
export async function faults(page, most = 5) {
  await page.evaluate(readFileSync(axeFile, "utf8"));
  const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  const grave = found.violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  return grave.flatMap(({ id, nodes }) => nodes.slice(0, most).map((node) => `${id}: ${node.html.slice(0, 240)} (${node.failureSummary?.split("\n")[1]?.trim() ?? ""})`));
}

/** Asks the console's API from within a page, as whoever is logged in there; answers status and body. */
export function ask(page, method, path, body) {
  return page.evaluate(
    async ([method, path, body]) => {
      const session = await fetch("/api/v1/session").then((answer) => answer.json());
      const headers = { "content-type": "application/json", "x-csrf-token": session.csrf_token ?? "" };
      const answer = await fetch(`/api/v1${path}`, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
      const text = await answer.text();
      return { status: answer.status, body: text.startsWith("{") ? JSON.parse(text) : null };
    },
    [method, path, body],
  );
}

/** Waits until a page has what it asked for: nothing on it says that it is loading. */
export async function settled(page) {
  await page.waitForFunction(() => document.querySelector("h1, [role=alert], nav") !== null && document.querySelector('[aria-busy="true"]') === null);
}
