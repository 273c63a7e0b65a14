// The walk of an analyst through the console, in Vietnamese and then in English: set up by the one-time link, watch
// alerts arrive, open one, close it with verdict and reason, find it again, hunt its events, see sensors and a report.
//
// Usage: walk.mjs LINK SCREENSHOTS. Everything is found by role and label. Any error on a page, any request to another
// host and anything that the content policy blocks makes the walk fail.
import { strict as assert } from "node:assert";
import { openBrowser } from "./browser.mjs";

const [link, screenshots] = process.argv.slice(2);
const origin = new URL(link).origin;
const PASSWORD = "Mot mat khau dai cho buoi kiem tra 1";

const VI = {
  language: "vi",
  queue: "Danh sách cảnh báo",
  arrived: /^\d[\d.]* mới$/,
  evidence: "Chứng cứ",
  why: "Vì sao có cảnh báo này",
  verdict: "Cảnh báo đúng",
  reason: "Lý do",
  because: "Quét từ Internet, đã chặn ở tường lửa",
  close: "Kết thúc",
  find: "Tìm trong cảnh báo",
  status: "Trạng thái",
  closed: "Đã đóng",
  packets: "Gói tin",
  streams: "Nội dung theo chiều",
  download: "Tải về (pcapng)",
  hunt: "Săn tìm",
  query: "Câu truy vấn",
  results: "Kết quả",
  sensors: "Thiết bị quan trắc",
  reports: "Báo cáo",
  alerts: "Cảnh báo",
  other: /Chuyển sang tiếng Anh$/,
};
const EN = {
  language: "en",
  queue: "Alert queue",
  arrived: /^\d[\d,]* new$/,
  evidence: "Evidence",
  why: "Why this alert fired",
  verdict: "Test or exercise",
  reason: "Reason",
  because: "Part of the exercise that was announced",
  close: "Close alert",
  find: "Search the alerts",
  status: "Status",
  closed: "Closed",
  packets: "Packets",
  streams: "Content of each direction",
  download: "Download (pcapng)",
  hunt: "Hunt",
  query: "Query",
  results: "Results",
  sensors: "Sensors",
  reports: "Reports",
  alerts: "Alerts",
  other: /Switch to Vietnamese$/,
};

const stage = await openBrowser(origin, screenshots);
const page = await stage.newPage();
const step = (name, work) => stage.step(page, name, work);

async function shot(name) {
  await page.screenshot({ path: `${screenshots}/${name}.png` });
}

const button = (name) => page.getByRole("button", { name, exact: typeof name === "string" });
const rows = (words) => page.getByRole("listbox", { name: words.queue }).getByRole("option");

/** What has arrived is announced at the top edge or, in an empty queue, listed at once. */
async function takeArrived(words) {
  const announced = button(words.arrived);
  await announced.or(rows(words).first()).first().waitFor();
  if (await announced.isVisible()) await announced.click();
  await rows(words).first().waitFor();
}

async function goTo(words, section) {
  await page.getByRole("navigation").getByRole("link", { name: words[section], exact: true }).click();
}

async function triage(words) {
  let closed = "";
  await step(`${words.language}: alerts arrive`, async () => {
    await takeArrived(words);
    await shot(`${words.language}-alerts`);
  });
  await step(`${words.language}: an alert is opened and explains itself`, async () => {
    await rows(words).first().click();
    const evidence = page.getByRole("article", { name: words.evidence });
    await evidence.getByText(words.why).first().waitFor();
    closed = new URL(page.url()).searchParams.get("alert") ?? "";
    assert.notEqual(closed, "", "the open alert stands in the address");
    await shot(`${words.language}-evidence`);
  });
  await step(`${words.language}: j and k move through the queue`, async () => {
    const open = () => new URL(page.url()).searchParams.get("alert");
    await page.keyboard.press("j");
    await page.waitForFunction((id) => new URL(location.href).searchParams.get("alert") !== id, closed);
    assert.notEqual(open(), closed);
    await page.keyboard.press("k");
    await page.waitForFunction((id) => new URL(location.href).searchParams.get("alert") === id, closed);
    assert.equal(await page.getByRole("option", { selected: true }).count(), 1, "one row is selected");
  });
  await step(`${words.language}: it is closed with verdict and reason`, async () => {
    await page.getByRole("radio", { name: words.verdict }).click();
    await page.getByRole("textbox", { name: words.reason, exact: true }).fill(words.because);
    const answered = page.waitForResponse((response) => response.url().endsWith(`/alerts/${encodeURIComponent(closed)}/close`));
    await button(new RegExp(`^${words.close}( Ctrl.*)?$`)).click();
    assert.equal((await answered).status(), 200, "the console takes the decision");
  });
  await step(`${words.language}: it is found again among the closed ones`, async () => {
    await page.goto(`${origin}/alerts?status=closed&alert=${encodeURIComponent(closed)}`);
    await rows(words).first().waitFor();
    await page.getByText(words.because).first().waitFor();
    await shot(`${words.language}-closed`);
  });
}

async function packets(words) {
  await step(`${words.language}: its packets are shown and can be taken away`, async () => {
    const evidence = page.getByRole("article", { name: words.evidence });
    await evidence.getByRole("tab", { name: words.packets }).click();
    await evidence.getByRole("region", { name: words.streams }).getByText(/→/).first().waitFor();
    const taken = page.waitForEvent("download");
    await evidence.getByRole("link", { name: words.download }).click();
    assert.match((await taken).suggestedFilename(), /\.pcapng$/);
    await shot(`${words.language}-packets`);
  });
}

async function hunt(words) {
  await step(`${words.language}: the hunt finds the attacker's events`, async () => {
    await goTo(words, "hunt");
    const query = page.getByRole("combobox", { name: words.query });
    await query.fill("source.ip:192.0.2.66 AND event.dataset:http");
    await query.press("Enter");
    const table = page.getByRole("table", { name: words.results });
    await table.getByText("192.0.2.66").first().waitFor();
    await shot(`${words.language}-hunt`);
  });
  await step(`${words.language}: the sensors' counters are shown`, async () => {
    await goTo(words, "sensors");
    await page.getByText("sensor-test").first().waitFor();
    await shot(`${words.language}-sensors`);
  });
  await step(`${words.language}: the daily report is shown`, async () => {
    await goTo(words, "reports");
    await page.getByRole("table").first().waitFor();
    await shot(`${words.language}-report`);
  });
}

await stage.walk(async () => {
  await step("the first administrator is made by the one-time link", async () => {
    await page.goto(link);
    await page.getByLabel("Tên đăng nhập").fill("truc-ban");
    await page.getByLabel("Mật khẩu", { exact: true }).fill(PASSWORD);
    await page.getByLabel("Nhập lại mật khẩu").fill(PASSWORD);
    await shot("setup");
    await button("Tạo tài khoản").click();
    await page.waitForURL(/\/alerts/);
  });
  await triage(VI);
  await packets(VI);
  await hunt(VI);
  await step("the language is switched", async () => {
    await button(VI.other).click();
    await page.getByRole("navigation").getByRole("link", { name: EN.alerts, exact: true }).click();
  });
  await triage(EN);
  await packets(EN);
  await hunt(EN);
  await step("log-out and log-in", async () => {
    await button("Account").click();
    await page.getByRole("menuitem", { name: "Log out" }).click();
    await page.getByLabel(/^(Tên đăng nhập|User name)$/).fill("truc-ban");
    await page.getByLabel(/^(Mật khẩu|Password)$/).fill(PASSWORD);
    await button(/^(Đăng nhập|Log in)$/).click();
    await page.getByRole("navigation").first().waitFor();
  });
});
