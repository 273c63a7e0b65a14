// Each role at a browser of its own: it sees the pages it may see and no others, finds no button for what it may not do,
// and is refused when it asks the API directly.
//
// Usage: roles.mjs ORIGIN SCREENSHOTS, after pages.mjs has made the administrator.
import { strict as assert } from "node:assert";
import { ask, openBrowser, settled } from "./browser.mjs";

const [origin, screenshots] = process.argv.slice(2);
const ADMIN = { name: "truc-ban", password: "Mot mat khau dai cho buoi kiem tra 1" };
const PASSWORD = "Tre gia mang moc tren bo de 2";

const READERS = ["analyst", "manager", "auditor", "admin"];
const TRIAGE = ["analyst", "admin"];
const CASES = ["analyst", "manager", "admin"];
const LEAD = ["manager", "admin"];
const AUDIT = ["auditor", "admin"];
const ONLY_ADMIN = ["admin"];

/** Page, who may see it. */
const PAGES = [
  ["/alerts", READERS],
  ["/hunt", READERS],
  ["/cases", READERS],
  ["/agencies", READERS],
  ["/sensors", READERS],
  ["/rules", READERS],
  ["/reports", READERS],
  ["/overview", READERS],
  ["/notices", READERS],
  ["/rosters", READERS],
  ["/handover", READERS],
  ["/assigned", ["agency"]],
  ["/suppressions", READERS],
  ["/audit", AUDIT],
  ["/users", ONLY_ADMIN],
  ["/account", [...READERS, "agency"]],
];

const { newPage, step, walk } = await openBrowser(origin, screenshots);

/** Page, what stands on it, who may press it. */
const buttons = (found) => [
  [`/alerts?alert=${encodeURIComponent(found.alert)}`, /^Kết thúc/, TRIAGE],
  [`/alerts?alert=${encodeURIComponent(found.alert)}`, /^Lập hồ sơ/, TRIAGE],
  [`/alerts?alert=${encodeURIComponent(found.alert)}`, /^Tiếp nhận/, TRIAGE],
  [`/alerts?alert=${encodeURIComponent(found.alert)}`, /^Tạm bỏ qua/, TRIAGE],
  ["/suppressions", /^Dừng/, TRIAGE],
  ["/cases", /^Lập hồ sơ/, CASES],
  [`/cases/${found.case}`, /^Thêm ghi chú/, CASES],
  ["/notices?tab=rules", /^Thêm quy tắc/, ONLY_ADMIN],
  ["/notices?tab=channels", /^Thêm webhook/, ONLY_ADMIN],
  ["/rosters", /^Thêm lịch trực/, LEAD],
  ["/handover", /^Ký và bàn giao/, CASES],
  [`/cases/${found.case}?tab=agencies`, /^Gửi thông báo/, CASES],
  ["/agencies", /^Thêm đơn vị/, CASES],
  ["/agencies", /^Nhập từ tệp/, CASES],
  ["/sensors", /^Thêm thiết bị/, ONLY_ADMIN],
  ["/sensors", /^Thu hồi/, ONLY_ADMIN],
];

/** Requests that change nothing even for those who may make them: their bodies are empty. */
const requests = (found) => [
  ["GET", "/alerts", READERS],
  ["GET", `/cases/${found.case}`, READERS],
  ["GET", "/users", READERS],
  ["POST", `/alerts/${encodeURIComponent(found.alert)}/close`, TRIAGE],
  ["POST", `/alerts/${encodeURIComponent(found.alert)}/escalate`, TRIAGE],
  ["POST", "/alerts/bulk", TRIAGE],
  ["GET", "/alerts/groups", READERS],
  ["POST", "/acts/none/undo", TRIAGE],
  ["POST", "/suppressions", TRIAGE],
  ["POST", "/views", CASES],
  ["POST", `/cases/${found.case}/notes`, CASES],
  ["PATCH", `/cases/${found.case}`, CASES],
  ["GET", "/audit", AUDIT],
  ["GET", "/audit/verify", AUDIT],
  ["GET", "/audit/export", AUDIT],
  ["GET", "/tokens", READERS],
  ["GET", "/case-data", READERS],
  ["POST", `/cases/${found.case}/tasks`, CASES],
  ["POST", `/cases/${found.case}/evidence`, TRIAGE],
  ["PUT", `/cases/${found.case}/access`, CASES],
  ["GET", "/overview/state", READERS],
  ["POST", "/notice-rules", ONLY_ADMIN],
  ["POST", "/rosters", LEAD],
  ["GET", "/shift", READERS],
  ["GET", "/agency-work", ["agency"]],
  ["POST", "/handovers", CASES],
  ["POST", `/cases/${found.case}/agency-notices`, CASES],
  ["GET", "/agencies", READERS],
  ["GET", "/agency-records", READERS],
  ["POST", "/agencies", CASES],
  ["POST", "/register/import/agencies?format=csv", CASES],
  ["POST", "/users", ONLY_ADMIN],
  ["POST", "/sensors/tokens", ONLY_ADMIN],
];

async function logIn(page, { name, password }) {
  await page.goto(`${origin}/login`);
  await page.getByLabel(/^(Tên đăng nhập|User name)$/).fill(name);
  await page.getByLabel(/^(Mật khẩu|Password)$/).fill(password);
  await page.getByRole("button", { name: /^(Đăng nhập|Log in)$/ }).click();
  await page.getByRole("navigation").first().waitFor();
}

async function accept(page, link) {
  await page.goto(origin + link.slice(link.indexOf("/setup")));
  await page.getByLabel("Mật khẩu", { exact: true }).fill(PASSWORD);
  await page.getByLabel("Nhập lại mật khẩu").fill(PASSWORD);
  await page.getByRole("button", { name: "Đặt mật khẩu" }).click();
  await page.getByRole("navigation").first().waitFor({ state: "attached" });
}

async function look(page, role, found) {
  const forbidden = page.getByText("Tài khoản không có quyền xem trang này");
  for (const [path, may] of PAGES) {
    await page.goto(origin + path);
    await page.getByRole("banner").waitFor();
    await settled(page);
    const link = page.getByRole("navigation").locator(`a[href="${path}"]`);
    if (may.includes(role)) {
      assert.equal(await forbidden.count(), 0, `${role} sees ${path}`);
      assert.equal(await page.getByText("Không tải được dữ liệu").count(), 0, `${path} loads for ${role}`);
    } else {
      await forbidden.waitFor();
      assert.equal(await link.count(), 0, `${role} is not shown the way to ${path}`);
    }
  }
  await page.screenshot({ path: `${screenshots}/role-${role}.png` });
  if (!READERS.includes(role)) return;
  for (const [path, name, may] of buttons(found)) {
    await page.goto(origin + path);
    await page.getByRole("banner").waitFor();
    await settled(page);
    if (may.includes(role)) await page.getByRole("button", { name }).first().waitFor();
    else assert.equal(await page.getByRole("button", { name }).count(), 0, `${role} is not offered ${name} on ${path}`);
  }
}

async function askDirectly(page, role, found) {
  for (const [method, path, may] of requests(found)) {
    const { status } = await ask(page, method, path, method === "GET" ? undefined : {});
    assert.equal(status === 403, !may.includes(role), `${role}: ${method} ${path} answers ${status}`);
  }
}

await walk(async () => {
  const admin = await newPage();
  const found = {};
  const links = {};
  await step(admin, "the administrator invites one of each role", async () => {
    await logIn(admin, ADMIN);
    await ask(admin, "PATCH", "/session", { locale: "vi" });
    found.alert = (await ask(admin, "GET", "/alerts?status=open&limit=1")).body.items[0].id;
    found.case = (await ask(admin, "GET", "/cases?status=all")).body.items[0].id;
    for (const role of ["analyst", "manager", "auditor", "agency"]) {
      const invited = await ask(admin, "POST", "/users", { name: `thu-${role}`, display_name: `Thử ${role}`, role });
      assert.equal(invited.status, 200, `${role} is invited`);
      links[role] = invited.body.link;
    }
  });
  for (const role of ["analyst", "manager", "auditor", "agency"]) {
    const page = await newPage();
    await step(page, `${role}: sees its own, is offered its own, is refused the rest`, async () => {
      await accept(page, links[role]);
      await look(page, role, found);
      await askDirectly(page, role, found);
    });
    await page.context().close();
  }
  await step(admin, "admin: sees, is offered and may ask for everything", async () => {
    await look(admin, "admin", found);
    await askDirectly(admin, "admin", found);
  });
});
