// Agencies: those that the collector names are there; a province of 252 is brought in from a file whose faults are shown
// first; the tree is found in by typing and walked with the keys; a contact, a network and a system are added; somebody who
// looks after one agency sees that one and nothing of the others; pages can be used in both languages and themes.
//
// Usage: agencies.mjs LINK SCREENSHOTS. LINK is the first administrator's; the story must have been played.
import { strict as assert } from "node:assert";
import { ask, faults, openBrowser, settled } from "./browser.mjs";

const [link, screenshots] = process.argv.slice(2);
const origin = new URL(link).origin;
const PASSWORD = "Mot mat khau dai cho buoi kiem tra 1";

const { newPage, step, walk } = await openBrowser(origin, screenshots);
const page = await newPage();
const other = await newPage();

const csv = (name, text) => ({ name, mimeType: "text/csv", buffer: Buffer.from(text) });
const shot = (name) => page.screenshot({ path: `${screenshots}/${name}.png` });

async function choose(title, table, file) {
  const dialog = page.getByRole("dialog");
  if ((await dialog.count()) === 0) await page.getByRole("button", { name: "Nhập từ tệp" }).click();
  await dialog.getByLabel("Bảng", { exact: true }).click();
  await page.getByRole("option", { name: title, exact: true }).click();
  await dialog.locator('input[type="file"]').setInputFiles(csv(`${table}.csv`, file));
  return dialog;
}

async function write(dialog) {
  await dialog.getByRole("button", { name: /^Ghi .* thay đổi$/ }).click();
  await dialog.waitFor({ state: "hidden" });
  await settled(page);
}

await walk(async () => {
  await step(page, "the agencies that the collector names are in the tree", async () => {
    await page.goto(link);
    await page.getByLabel("Tên đăng nhập").fill("truc-ban");
    await page.getByLabel("Mật khẩu", { exact: true }).fill(PASSWORD);
    await page.getByLabel("Nhập lại mật khẩu").fill(PASSWORD);
    await page.getByRole("button", { name: "Tạo tài khoản" }).click();
    await page.waitForURL(/\/alerts/);
    await page.getByRole("navigation").getByRole("link", { name: "Đơn vị" }).click();
    await page.getByRole("treeitem", { name: /Sở Y tế/ }).click();
    await page.getByRole("heading", { name: "Sở Y tế" }).waitFor();
    await page.getByRole("tab", { name: "Dải mạng (2)" }).click();
    await page.getByText("203.0.113.0/27").waitFor();
    await page.getByText("Thiết bị quan trắc nhìn thấy").waitFor();
    await shot("agency-network");
  });

  await step(page, "a table with faults is shown and not written", async () => {
    const dialog = await choose("Đơn vị", "agencies", "Mã hệ thống;Tên đơn vị;Đơn vị cấp trên\nSAI MÃ;Sở Sai;\nxa-1;;khong-co\n");
    await dialog.getByText(/^3 lỗi/).waitFor();
    await dialog.getByRole("row", { name: /2 Mã hệ thống SAI MÃ/ }).waitFor();
    assert.ok(await dialog.getByRole("button", { name: /^(Ghi|Không có gì)/ }).isDisabled(), "nothing can be written");
    assert.deepEqual(await faults(page), [], "everybody can use the dialog");
    await shot("import-faults");
  });

  await step(page, "a province is brought in after its preview", async () => {
    const rows = Array.from({ length: 248 }, (_, n) => `xa-${n + 1},UBND xã Tre ${n + 1},Commune,tinh`);
    const dialog = await choose("Đơn vị", "agencies", `id,name,kind,parent\ntinh,UBND tỉnh,other,\nsyt,Sở Y tế,department,tinh\n${rows.join("\n")}\n`);
    await dialog.getByText("Sẽ thêm 249, sửa 1, giữ nguyên 0.").waitFor();
    await shot("import-preview");
    await write(dialog);
    const again = await choose("Tài sản, dịch vụ", "assets", `agency,name,asset_kind\n${Array.from({ length: 1400 }, (_, n) => `syt,Dịch vụ ${n + 1},service`).join("\n")}\n`);
    await again.getByText(/^Sẽ thêm 1\.400/).waitFor();
    await write(again);
    await page.getByText("253 đơn vị").waitFor();
    await page.getByRole("tab", { name: "Tài sản (1.400)" }).click();
    await page.getByLabel("Tìm trong tài sản").fill("dich vu 1399");
    await page.getByRole("cell", { name: "Dịch vụ 1399", exact: true }).waitFor();
  });

  await step(page, "the tree is found in by typing and walked with the keys", async () => {
    await page.getByLabel("Tìm đơn vị").fill("tre 24");
    const tree = page.getByRole("tree", { name: "Cây đơn vị" });
    await tree.getByRole("treeitem", { name: "UBND xã Tre 24", exact: true }).waitFor();
    assert.equal(await tree.getByRole("treeitem").count(), 13, "24, 124, 224 and 240 to 248 under their province");
    await tree.focus();
    await page.keyboard.press("Home");
    await page.getByRole("heading", { name: "UBND tỉnh" }).waitFor();
    await page.keyboard.press("ArrowDown");
    await page.getByRole("heading", { name: "UBND xã Tre 124", exact: true }).waitFor();
    await page.getByLabel("Tìm đơn vị").fill("");
  });

  await step(page, "contacts, networks and systems are added, and a contact is verified", async () => {
    await page.goto(`${origin}/agencies?agency=syt`);
    await page.getByRole("button", { name: "Thêm đầu mối" }).click();
    await page.getByLabel("Họ tên").fill("Đầu mối trực ban");
    await page.getByLabel("Thư điện tử").fill("dau-moi@syt.example");
    await page.getByRole("button", { name: "Lưu" }).click();
    await page.getByText("Cần xác minh", { exact: true }).waitFor();
    await page.getByRole("button", { name: /^Đã xác minh/ }).click();
    await page.getByText("Cần xác minh", { exact: true }).waitFor({ state: "hidden" });
    await page.getByRole("tab", { name: /^Hệ thống/ }).click();
    await page.getByRole("button", { name: "Thêm hệ thống" }).click();
    await page.getByLabel("Tên hệ thống").fill("Hồ sơ sức khỏe");
    const level = { name: "Cấp độ", exact: true };
    await page.getByRole("combobox", level).or(page.getByRole("textbox", level)).first().click();
    await page.getByRole("option", { name: "Cấp độ 3" }).click();
    await page.getByRole("button", { name: "Lưu" }).click();
    await page.getByRole("cell", { name: "Cấp độ 3", exact: true }).waitFor();
    await page.getByRole("tab", { name: "Lịch sử" }).click();
    await page.getByRole("cell", { name: /^Thêm hệ thống/ }).waitFor();
    await shot("agency-history");
  });

  for (const [locale, theme] of [["vi", "dark"], ["vi", "light"], ["en", "dark"], ["en", "light"]]) {
    await step(page, `everybody can use the pages of agencies: ${locale}, ${theme}`, async () => {
      await ask(page, "PATCH", "/session", { locale, theme });
      for (const tab of ["contact", "network", "system", "asset", "history"]) {
        await page.goto(`${origin}/agencies?agency=syt&tab=${tab}`);
        await page.getByRole("tree").waitFor();
        await settled(page);
        await page.screenshot({ path: `${screenshots}/agency-${tab}-${locale}-${theme}.png` });
        assert.deepEqual(await faults(page), [], `${tab} can be used by everybody`);
      }
    });
  }

  await step(other, "somebody who looks after one agency sees that one alone", async () => {
    await ask(page, "PATCH", "/session", { locale: "vi", theme: "dark" });
    const invited = await ask(page, "POST", "/users", { name: "cua-stc", display_name: "Của Sở Tài chính", role: "analyst", agency_id: "stc" });
    assert.equal(invited.status, 200);
    await other.goto(origin + invited.body.link.slice(invited.body.link.indexOf("/setup")));
    await other.getByLabel("Mật khẩu", { exact: true }).fill(PASSWORD);
    await other.getByLabel("Nhập lại mật khẩu").fill(PASSWORD);
    await other.getByRole("button", { name: "Đặt mật khẩu" }).click();
    await other.getByRole("banner").waitFor();
    await other.goto(`${origin}/agencies`);
    await other.getByRole("treeitem", { name: /Sở Tài chính/ }).waitFor();
    assert.equal(await other.getByRole("treeitem").count(), 1);
    assert.equal(await other.getByRole("button", { name: "Nhập từ tệp" }).count(), 0);
    const everything = (await ask(page, "POST", "/search", { query: "*" })).body;
    const own = (await ask(page, "POST", "/search", { query: "organization.id:stc" })).body;
    const theirs = (await ask(other, "POST", "/search", { query: "* OR organization.id:syt", agencies: ["syt"], facets: ["organization.id"] })).body;
    assert.ok(own.total > 0 && own.total < everything.total, "the story has events of several agencies");
    assert.equal(theirs.total, own.total, "the collector answers of one agency only");
    assert.deepEqual(theirs.facets[0].values.map(({ value }) => value), ["stc"]);
    const alerts = (await ask(other, "GET", "/alerts?status=all&limit=200")).body;
    assert.ok(alerts.items.every(({ agency }) => agency.id === "stc"), "alerts of one agency only");
    for (const path of ["/alerts", "/cases", "/hunt", "/suppressions", "/rules"]) {
      await other.goto(origin + path);
      await settled(other);
      assert.equal(await other.getByText("Không tải được dữ liệu").count(), 0, `${path} loads`);
    }
    await other.screenshot({ path: `${screenshots}/one-agency.png` });
  });
});
