// Every page in both languages and both themes, at a desk and on a phone: each must be free of serious accessibility
// faults (axe-core), and none may be wider than the screen.
//
// Usage: pages.mjs LINK SCREENSHOTS. LINK is the first administrator's; the story must have been played.
import { strict as assert } from "node:assert";
import { ask, faults, openBrowser, settled } from "./browser.mjs";

const [link, screenshots] = process.argv.slice(2);
const origin = new URL(link).origin;
const PASSWORD = "Mot mat khau dai cho buoi kiem tra 1";
const DESK = { width: 1366, height: 768 };
const PHONE = { width: 390, height: 844 };

const { newPage, step, walk } = await openBrowser(origin, screenshots);
const page = await newPage();

/** What is wrong with the pages looked at since the last judgement. */
const found = [];

async function look(name) {
  await settled(page);
  await page.screenshot({ path: `${screenshots}/${name}.png` });
  found.push(...(await faults(page)).map((fault) => `${name}: ${fault}`));
  const beyond = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  if (beyond > 0) found.push(`${name} is ${beyond} pixels wider than the screen`);
}

function judge() {
  assert.deepEqual(found.splice(0), [], "everybody can use these pages");
}

/** A case with an alert and a note, so that every page has something to show. */
async function fill() {
  const { items } = (await ask(page, "GET", "/alerts?limit=100")).body;
  const [first, second] = items;
  const path = (row) => `/alerts/${encodeURIComponent(row.id)}`;
  const escalated = await ask(page, "POST", `${path(first)}/escalate`, { title: "Cổng thông tin bị tải lên web shell", severity: "critical", version: first.version });
  assert.equal(escalated.status, 200, "a case is opened");
  const noted = await ask(page, "POST", `/cases/${escalated.body.id}/notes`, { text: "Đã đề nghị đơn vị vận hành cô lập máy chủ." });
  assert.equal(noted.status, 200, "a note is added");
  const closed = await ask(page, "POST", `${path(second)}/close`, { verdict: "benign", reason: "Quét định kỳ đã thông báo", version: second.version });
  assert.equal(closed.status, 200, "an alert is closed");
  const scope = { rule_id: items[2].rule_id, source_ip: items[2].source?.ip };
  const { id: owner_id } = (await ask(page, "GET", "/session")).body.user;
  const expires_at = new Date(Date.now() + 86_400_000).toISOString();
  const suppressed = await ask(page, "POST", "/suppressions", { scope, reason: "Máy quét đã đăng ký", owner_id, expires_at, hide_open: false });
  assert.equal(suppressed.status, 200, "a suppression is made");
  const http = items.find((row) => row.rule_name.includes("SQL")) ?? first;
  return {
    alerts: "/alerts",
    alone: "/alerts?by=none&tab=history",
    closed: "/alerts?status=closed",
    alert: path(http),
    hunt: `/hunt?${new URLSearchParams({ q: "source.ip:192.0.2.66", range: "all" })}`,
    count: `/hunt?${new URLSearchParams({ q: "* | count by source.ip, event.dataset", range: "all" })}`,
    cases: "/cases",
    case: `/cases/${escalated.body.id}`,
    sensors: "/sensors",
    rules: "/rules",
    rule: `/rules/${encodeURIComponent(http.rule_id)}`,
    reports: "/reports",
    users: "/users",
    audit: "/audit",
    account: "/account",
    overview: "/overview?view=work",
    state: "/overview?view=state",
    notices: "/notices",
    rosters: "/rosters",
    suppressions: "/suppressions",
    missing: "/nothing-here",
  };
}

async function wear(locale, theme) {
  const changed = await ask(page, "PATCH", "/session", { locale, theme });
  assert.equal(changed.status, 200, "language and theme are kept");
}

async function every(pages, look_of, size) {
  await page.setViewportSize(size);
  for (const [name, path] of Object.entries(pages)) {
    await page.goto(origin + path);
    await look(`${name}-${look_of}`);
  }
}

async function dialogs(look_of) {
  await page.setViewportSize(DESK);
  await page.goto(`${origin}/alerts`);
  await page.getByRole("option").first().waitFor();
  await settled(page);
  await page.keyboard.press("Shift+?");
  await page.getByRole("dialog").waitFor();
  await look(`keys-${look_of}`);
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "hidden" });
  await page.keyboard.press("e");
  await page.getByRole("dialog").waitFor();
  await look(`escalate-${look_of}`);
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "hidden" });
  await page.keyboard.press("s");
  await page.getByRole("dialog").waitFor();
  await look(`suppress-${look_of}`);
}

await walk(async () => {
  let pages = {};
  await step(page, "the first administrator comes in", async () => {
    await page.goto(link);
    await look("setup");
    judge();
    await page.getByLabel("Tên đăng nhập").fill("truc-ban");
    await page.getByLabel("Mật khẩu", { exact: true }).fill(PASSWORD);
    await page.getByLabel("Nhập lại mật khẩu").fill(PASSWORD);
    await page.getByRole("button", { name: "Tạo tài khoản" }).click();
    await page.waitForURL(/\/alerts/);
    pages = await fill();
  });
  // Colours depend on the theme, words on the language, room on the screen: each of them meets each of the others.
  for (const [locale, theme, size] of [["vi", "dark", DESK], ["vi", "light", PHONE], ["en", "light", DESK], ["en", "dark", PHONE]]) {
    const look_of = `${locale}-${theme}`;
    await step(page, `every page, ${size === DESK ? "and the dialogs, at a desk" : "on a phone"}: ${look_of}`, async () => {
      await wear(locale, theme);
      if (size === DESK) await dialogs(look_of);
      await every(pages, look_of, size);
      judge();
    });
  }
  await step(page, "the log-in page", async () => {
    await ask(page, "DELETE", "/session");
    await page.goto(`${origin}/login`);
    await page.getByLabel("User name").or(page.getByLabel("Tên đăng nhập")).first().waitFor();
    await look("login");
    judge();
  });
});
