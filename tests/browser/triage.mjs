// Triage of a queue in groups, by two analysts at browsers of their own: a group says what it hides and opens, a decision
// on it reaches all members and is taken back, not so once somebody else has built upon it; keys, marks and ranges, notes
// and watching, saved views, the menu of a value; a suppression shows first what it would have hidden.
//
// Usage: triage.mjs LINK SCREENSHOTS. LINK is the first administrator's; the story must have been played.
import { strict as assert } from "node:assert";
import { ask, openBrowser, settled } from "./browser.mjs";

const [link, screenshots] = process.argv.slice(2);
const origin = new URL(link).origin;
const PASSWORD = "Mot mat khau dai cho buoi kiem tra 1";

const { newPage, step, walk } = await openBrowser(origin, screenshots);
const page = await newPage();
const other = await newPage();

const queue = (at = page) => at.getByRole("listbox", { name: /^(Danh sách cảnh báo|Alert queue)$/ });
const rows = (at = page) => queue(at).getByRole("option");
const decision = (at = page) => at.getByRole("complementary", { name: /^(Quyết định|Decision)$/ });
const evidence = (at = page) => at.getByRole("article", { name: /^(Chứng cứ|Evidence)$/ });
const shot = (name) => page.screenshot({ path: `${screenshots}/${name}.png` });
const parameter = (name) => new URL(page.url()).searchParams.get(name);

async function open(at, path) {
  await at.goto(origin + path);
  await at.getByRole("banner").waitFor();
  await settled(at);
}

const groups = async (question = "") => (await ask(page, "GET", `/alerts/groups?limit=200${question}`)).body;

/** The words of a number in a sentence. */
const numberIn = (text) => Number(/\d[\d.,]*/.exec(text)[0].replace(/[.,]/g, ""));

await walk(async () => {
  let largest;
  await step(page, "two analysts come in", async () => {
    await page.goto(link);
    await page.getByLabel("Tên đăng nhập").fill("truc-ban");
    await page.getByLabel("Mật khẩu", { exact: true }).fill(PASSWORD);
    await page.getByLabel("Nhập lại mật khẩu").fill(PASSWORD);
    await page.getByRole("button", { name: "Tạo tài khoản" }).click();
    await page.waitForURL(/\/alerts/);
    const invited = await ask(page, "POST", "/users", { name: "ca-hai", display_name: "Trực ca hai", role: "analyst" });
    assert.equal(invited.status, 200);
    await other.goto(origin + invited.body.link.slice(invited.body.link.indexOf("/setup")));
    await other.getByLabel("Mật khẩu", { exact: true }).fill(PASSWORD);
    await other.getByLabel("Nhập lại mật khẩu").fill(PASSWORD);
    await other.getByRole("button", { name: "Đặt mật khẩu" }).click();
    await other.getByRole("banner").waitFor();
  });

  await step(page, "a group says exactly what it hides, and shows the evidence of its worst", async () => {
    await open(page, "/alerts?by=rule&sort=severity");
    const list = await groups("&by=rule");
    largest = list.items.reduce((most, group) => (group.alerts > most.alerts ? group : most));
    assert.ok(largest.alerts > 1, "the story has a rule that fired several times");
    await rows().first().waitFor();
    const row = rows().filter({ hasText: `${largest.alerts} cảnh báo` }).filter({ hasText: largest.lead.rule_name_vi }).first();
    await row.click();
    assert.equal(parameter("group"), largest.key, "the group stands in the address");
    await decision().getByText(`cả nhóm: ${largest.alerts} cảnh báo`).waitFor();
    await evidence().getByText("Vì sao có cảnh báo này").first().waitFor();
    await shot("vi-group");
  });

  await step(page, "the group opens to its members by key, and closes", async () => {
    await page.keyboard.press("ArrowRight");
    await queue().locator('[aria-expanded="true"]').waitFor();
    await queue().locator("[data-member]").nth(largest.alerts - 1).waitFor();
    assert.equal(await queue().locator("[data-member]").count(), largest.alerts);
    await page.keyboard.press("j");
    await page.waitForFunction(() => !new URL(location.href).searchParams.has("group"));
    await decision().getByText("cả nhóm").waitFor({ state: "hidden" });
    await shot("vi-group-open");
    await page.keyboard.press("k");
    await page.keyboard.press("ArrowLeft");
    await queue().locator("[data-member]").first().waitFor({ state: "detached" });
  });

  await step(page, "a decision on the group reaches all members and is taken back exactly", async () => {
    const open_before = (await groups()).counts.open;
    await decision().getByRole("radio", { name: "Hoạt động hợp lệ" }).click();
    await decision().getByRole("textbox", { name: "Lý do" }).fill("Đợt quét đã thông báo");
    await decision().getByRole("button", { name: new RegExp(`^Kết thúc ${largest.alerts} cảnh báo`) }).click();
    const said = page.getByText(`Đã kết thúc ${largest.alerts}, 0 đã đóng từ trước, 0 không thực hiện được`);
    await said.waitFor();
    assert.equal((await groups()).counts.open, open_before - largest.alerts);
    await shot("vi-group-closed");
    await page.getByRole("button", { name: "Hoàn tác" }).click();
    await page.getByText(`Đã hoàn tác: ${largest.alerts} cảnh báo trở lại như trước`).waitFor();
    assert.equal((await groups()).counts.open, open_before);
    await rows().filter({ hasText: largest.lead.rule_name_vi }).first().waitFor();
  });

  await step(page, "what somebody else has built upon is not taken back, and it says so", async () => {
    await open(page, `/alerts?by=rule&alert=${encodeURIComponent(largest.lead.id)}&group=${largest.key}`);
    await decision().getByText(`cả nhóm: ${largest.alerts} cảnh báo`).waitFor();
    await decision().getByRole("radio", { name: "Cảnh báo sai" }).click();
    await decision().getByRole("textbox", { name: "Lý do" }).fill("Nhầm");
    await page.keyboard.press("Control+Enter");
    await page.getByText(`Đã kết thúc ${largest.alerts},`).waitFor();
    const closed = await ask(other, "GET", `/alerts/${encodeURIComponent(largest.lead.id)}`);
    const reopened = await ask(other, "POST", `/alerts/${encodeURIComponent(largest.lead.id)}/reopen`, { reason: "Chưa rõ", version: closed.body.triage.version });
    assert.equal(reopened.status, 200);
    await page.getByRole("button", { name: "Hoàn tác" }).click();
    await page.getByText(`1 trong ${largest.alerts} cảnh báo đã được thay đổi sau đó, gần nhất bởi Trực ca hai`).waitFor();
    await shot("vi-undo-refused");
  });

  await step(page, "rows are marked by key and as a range, and given to a colleague", async () => {
    await open(page, "/alerts?by=none");
    await rows().nth(3).waitFor();
    await rows().first().click();
    await page.keyboard.press("x");
    await rows().nth(2).click({ modifiers: ["Shift"] });
    const bar = page.getByRole("region", { name: "Đã chọn 3 cảnh báo" });
    await bar.waitFor();
    await bar.getByRole("button", { name: "Phân công" }).click();
    const dialog = page.getByRole("dialog", { name: "Phân công 3 cảnh báo" });
    await dialog.getByLabel("Người phụ trách").click();
    await page.getByRole("option", { name: /^Trực ca hai/ }).click();
    await shot("vi-assign");
    await dialog.getByRole("button", { name: "Phân công" }).click();
    await page.getByText("Đã phân công 3, 0 đã như vậy, 0 không thực hiện được").waitFor();
    await page.keyboard.press("Escape");
    const me = (await ask(other, "GET", "/session")).body.user.id;
    assert.equal((await ask(other, "GET", `/alerts?assignee=${me}`)).body.total, 3);
  });

  await step(page, "a note and a watch by key; the watcher hears of a change", async () => {
    await open(page, "/alerts?by=none");
    await rows().nth(1).click();
    const watched = parameter("alert");
    await decision().getByRole("button", { name: "Theo dõi" }).waitFor();
    await page.keyboard.press("w");
    await decision().getByRole("button", { name: "Thôi theo dõi" }).waitFor();
    await page.keyboard.press("m");
    await decision().getByRole("textbox", { name: "Ghi chú" }).fill("Đã gọi đơn vị vận hành");
    await page.keyboard.press("Control+Enter");
    await page.getByText("Đã thêm ghi chú").waitFor();
    await evidence().getByRole("tab", { name: "Lịch sử" }).click();
    await evidence().getByText("Đã gọi đơn vị vận hành").waitFor();
    assert.equal(parameter("tab"), "history", "the tab stands in the address");
    await rows().nth(3).click();
    await page.waitForFunction((id) => new URL(location.href).searchParams.get("alert") !== id, watched);
    const noted = await ask(other, "POST", `/alerts/${encodeURIComponent(watched)}/notes`, { text: "Đơn vị đã trả lời" });
    assert.equal(noted.status, 200);
    await page.getByText("Cảnh báo đang theo dõi vừa thay đổi").waitFor();
  });

  await step(page, "a value leaves its alerts out, the view is saved, shared and used by a colleague", async () => {
    await open(page, "/alerts?by=none");
    await rows().first().click();
    await page.waitForFunction(() => new URL(location.href).searchParams.has("alert"));
    const { ip } = (await ask(page, "GET", `/alerts/${encodeURIComponent(parameter("alert"))}`)).body.alert.source;
    await evidence().getByRole("button", { name: ip, exact: true }).first().click();
    await shot("vi-value-menu");
    await page.getByRole("menuitem", { name: "Loại trừ giá trị này" }).click();
    await page.waitForFunction(() => new URL(location.href).searchParams.get("not")?.startsWith("ip:"));
    const not = parameter("not");
    await page.getByRole("button", { name: "Lưu bộ lọc này" }).click();
    await page.getByLabel("Tên bộ lọc").fill("Ca đêm");
    await page.getByLabel("Cho mọi người dùng chung").check();
    await page.getByRole("dialog").getByRole("button", { name: "Lưu bộ lọc này" }).click();
    await page.getByText("Đã lưu bộ lọc Ca đêm").waitFor();
    await open(other, "/alerts");
    await other.getByRole("button", { name: "Bộ lọc đã lưu" }).click();
    await other.getByRole("menuitem", { name: /^Ca đêm/ }).click();
    await other.waitForFunction((wanted) => new URL(location.href).searchParams.get("not") === wanted, not);
  });

  await step(page, "a suppression shows first what it would have hidden, then hides with a mark", async () => {
    await open(page, "/alerts?by=rule");
    await rows().first().click();
    await decision().getByRole("button", { name: /^Tạm bỏ qua/ }).waitFor();
    await page.keyboard.press("s");
    const dialog = page.getByRole("dialog", { name: "Tạm bỏ qua cảnh báo của luật này" });
    const told = dialog.getByText(/Trong 30 ngày qua, lệnh này sẽ giấu/);
    await told.or(dialog.getByText(/Không có cảnh báo nào như vậy/)).first().waitFor();
    await shot("vi-suppress");
    const waiting = numberIn(await dialog.getByText(/^Giấu cả/).innerText());
    assert.ok(waiting > 0, "at least the alert itself waits");
    assert.ok(await dialog.getByRole("button", { name: "Tạm bỏ qua" }).isDisabled(), "a reason is required");
    await dialog.getByRole("textbox", { name: "Lý do" }).fill("Máy quét đã đăng ký");
    await dialog.getByRole("button", { name: "Tạm bỏ qua" }).click();
    await page.getByText(`Đã tạm bỏ qua; ${waiting} cảnh báo được giấu khỏi danh sách`).waitFor();
    assert.equal((await ask(page, "GET", "/alerts?status=suppressed")).body.total, waiting);
    await open(page, "/suppressions");
    await page.getByText("Máy quét đã đăng ký").waitFor();
    await shot("vi-suppressions");
    await page.getByRole("link", { name: new RegExp(`^Xem ${waiting} cảnh báo`) }).click();
    await rows().first().waitFor();
    assert.equal(await rows().count(), waiting);
    await open(page, "/suppressions");
    await page.getByRole("button", { name: "Dừng" }).click();
    await page.getByLabel("Lý do dừng").fill("Hết đợt quét");
    await page.getByRole("dialog").getByRole("button", { name: "Dừng" }).click();
    await page.getByText("Đã dừng", { exact: true }).waitFor();
  });

  await step(page, "a group becomes one case with all its alerts", async () => {
    await open(page, "/alerts");
    const list = await groups();
    const group = list.items.find(({ alerts }) => alerts > 1) ?? list.items[0];
    await open(page, `/alerts?alert=${encodeURIComponent(group.lead.id)}&group=${group.key}`);
    await decision().getByRole("button", { name: /^Lập hồ sơ/ }).waitFor();
    await page.keyboard.press("e");
    await page.getByRole("dialog").getByRole("button", { name: "Lập hồ sơ" }).click();
    await page.getByText(/hồ sơ số \d+/).first().waitFor();
    const { items } = (await ask(page, "GET", "/cases?status=all")).body;
    assert.equal(items[0].alert_count, group.alerts);
    await page.keyboard.press("z");
    await page.getByText(/^Đã hoàn tác:/).waitFor();
    assert.equal((await ask(page, "GET", "/cases?status=all")).body.items[0].status, "closed", "the case that came of it is closed");
  });

  await step(page, "the same queue speaks English", async () => {
    await ask(page, "PATCH", "/session", { locale: "en", theme: "light" });
    await open(page, "/alerts?by=rule");
    await rows().first().click();
    await decision().getByRole("button", { name: /^Suppress/ }).waitFor();
    await page.getByText(/\d+ groups · \d+ alerts/).waitFor();
    await shot("en-group");
  });

  await step(page, "on a phone a group opens in place and an alert is a page", async () => {
    await ask(page, "PATCH", "/session", { locale: "vi", theme: "dark" });
    await page.setViewportSize({ width: 390, height: 844 });
    await open(page, "/alerts?by=rule");
    const grouped = queue().locator('[data-kind="group"]').first();
    if ((await grouped.count()) > 0) {
      await grouped.click();
      await queue().locator("[data-member]").first().waitFor();
      await shot("vi-phone-group");
    }
    await queue().locator('[data-kind="alert"]').first().click();
    await page.waitForURL(/\/alerts\/[0-9a-f]/);
    await decision().waitFor();
    await shot("vi-phone-alert");
  });
});
