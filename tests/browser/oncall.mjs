// On call, end to end: an administrator writes who is reached where, a roster and a rule with a ladder; an attack comes
// in; whoever is on call gets a mail and does nothing; the next one gets theirs and acknowledges by its link on a phone.
// Programs that only open the link acknowledge nothing. Then a manager reads the state of the province on one screen and
// opens the list behind a number.
//
// Usage: oncall.mjs LINK SCREENSHOTS prepare|call RECEIVED. The sensor plays the story between the two parts; RECEIVED is
// where the mail server puts what it gets.
import { strict as assert } from "node:assert";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { ask, faults, openBrowser, settled } from "./browser.mjs";

const [link, screenshots, part, received] = process.argv.slice(2);
const origin = new URL(link).origin;
const NAME = "truc-ban";
const PASSWORD = "Mot mat khau dai cho buoi kiem tra 1";
const DESK = { width: 1366, height: 768 };
const PHONE = { width: 390, height: 844 };
/** A ladder's step waits a minute: so long a mail may take, and then some. */
const LONG_MS = 180_000;

const { newPage, step, walk } = await openBrowser(origin, screenshots);
const page = await newPage();
const shot = (name, at = page) => at.screenshot({ path: `${screenshots}/${name}.png` });
const dialog = () => page.getByRole("dialog");

async function open(path, at = page) {
  await at.goto(origin + path);
  await settled(at);
}

/** Chooses in a list that opens below its field. */
async function choose(field, option) {
  await field.click();
  await page.getByRole("option", { name: option, exact: true }).click();
}

async function logIn(at, name, password) {
  await at.goto(`${origin}/login`);
  await at.getByLabel("Tên đăng nhập").fill(name);
  await at.getByLabel("Mật khẩu", { exact: true }).fill(password);
  await at.getByRole("button", { name: "Đăng nhập" }).click();
  await at.getByRole("navigation").first().waitFor();
}

/** The mails that have arrived: to whom, and the text part decoded. */
function mails() {
  const decode = (text) => Buffer.from(text.replace(/=\r?\n/g, "").replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16))), "latin1").toString("utf8");
  return readdirSync(received)
    .filter((name) => name.endsWith(".eml"))
    .sort((a, b) => Number(a.match(/\d+/)) - Number(b.match(/\d+/)))
    .map((name) => {
      const raw = readFileSync(`${received}/${name}`, "latin1");
      const [, plain] = raw.split(/Content-Type: text\/plain[^\n]*\n/);
      const [head, ...rest] = plain.split(/\r?\n\r?\n/);
      const body = rest.join("\n\n").split(/\r?\n--/)[0];
      return { to: raw.match(/^To: (.*?)\r?$/m)[1], text: /base64/.test(head) ? Buffer.from(body, "base64").toString("utf8") : decode(body) };
    });
}

/** Waits for the mail that asks somebody. */
async function askedOf(to) {
  const until = Date.now() + LONG_MS;
  for (;;) {
    const found = mails().find((mail) => mail.to === to && mail.text.includes("/acknowledge#token="));
    if (found) return found.text.match(/\/acknowledge#token=[\w-]+/)[0];
    if (Date.now() > until) throw new Error(`no mail to ${to}; there are ${JSON.stringify(mails())}`);
    await new Promise((go) => setTimeout(go, 500));
  }
}

async function prepare() {
  await step(page, "the administrator invites two and writes where notices reach them", async () => {
    await page.goto(link);
    await page.getByLabel("Tên đăng nhập").fill(NAME);
    await page.getByLabel("Mật khẩu", { exact: true }).fill(PASSWORD);
    await page.getByLabel("Nhập lại mật khẩu").fill(PASSWORD);
    await page.getByRole("button", { name: "Tạo tài khoản" }).click();
    await page.waitForURL(/\/alerts/);
    for (const [name, display_name, role] of [["ca-mot", "Trực ca một", "analyst"], ["ca-hai", "Trực ca hai", "analyst"], ["lanh-dao", "Lãnh đạo", "manager"]]) {
      const invited = await ask(page, "POST", "/users", { name, display_name, role });
      assert.equal(invited.status, 200, `${name} is invited`);
      if (role === "manager") writeFileSync(`${screenshots}/manager-link.txt`, invited.body.link);
    }
    await open("/notices?tab=addresses");
    for (const [who, mail] of [["Trực ca một", "ca-mot@tinh.example"], ["Trực ca hai", "ca-hai@tinh.example"]]) {
      await page.getByLabel(`Địa chỉ thư của ${who}`).fill(mail);
      await page.getByRole("button", { name: "Lưu" }).click();
      await page.getByText("Đã lưu địa chỉ").first().waitFor();
      await page.getByRole("button", { name: "Lưu" }).waitFor({ state: "detached" });
    }
    await shot("notices-addresses");
  });

  await step(page, "a roster says who is on call", async () => {
    await open("/rosters");
    await page.getByRole("button", { name: "Thêm lịch trực" }).click();
    await dialog().getByLabel("Tên").fill("Trực chính");
    await choose(dialog().getByRole("combobox", { name: "Người nhận ca" }).or(dialog().getByRole("textbox", { name: "Người nhận ca" })).first(), "Trực ca một");
    await shot("roster-form");
    await dialog().getByRole("button", { name: "Lưu" }).click();
    await page.getByText("Đang trực").first().waitFor();
    await page.getByText("Trực ca một").first().waitFor();
    await shot("rosters");
  });

  await step(page, "a rule asks whoever is on call and then the other", async () => {
    await open("/notices?tab=rules");
    await page.getByText("Cảnh báo mức cao trở lên").waitFor();
    await page.getByRole("button", { name: "Sửa" }).click();
    for (const at of [0, 1]) {
      await dialog().getByRole("button", { name: "Thêm bậc" }).click();
      await dialog().getByLabel("Chờ (phút)").nth(at).fill("1");
    }
    const field = (name, at) => dialog().getByRole("combobox", { name, exact: true }).or(dialog().getByRole("textbox", { name, exact: true })).nth(at);
    // The first recipient is that of the configuration; the steps come after it.
    await choose(field("Loại người nhận", 1), "Người trực của lịch");
    await choose(field("Người nhận", 0), "Trực chính");
    await choose(field("Người nhận", 1), "Trực ca hai");
    await shot("notice-rule-form");
    assert.deepEqual(await faults(page), []);
    await dialog().getByRole("button", { name: "Lưu" }).click();
    await page.getByText("Đã lưu quy tắc").waitFor();
    await page.getByText("Bậc 2: Trực ca hai").waitFor();
    await shot("notice-rules");
    const { body } = await ask(page, "GET", "/notice-rules");
    assert.deepEqual(body.items[0].rule.ladder.map((one) => [one.target.kind, one.wait_minutes]), [["roster", 1], ["user", 1]]);
    assert.deepEqual(body.items[0].problems, []);
  });

  await step(page, "a test of the rule arrives", async () => {
    await page.getByRole("button", { name: "Gửi thử" }).click();
    await page.getByText(/Đã xếp 3 tin thử/).waitFor();
    await open("/notices");
    await page.getByText(/250 2\.0\.0 kept/).nth(2).waitFor();
    await shot("notices-sent");
    assert.deepEqual(mails().map(({ to }) => to).sort(), ["ca-hai@tinh.example", "ca-mot@tinh.example", "truc-ban@tinh.example"]);
  });
}

async function call() {
  const phone = await newPage();
  await phone.setViewportSize(PHONE);
  let address;

  await step(phone, "the first is asked and does nothing, so the next is asked", async () => {
    const first = await askedOf("ca-mot@tinh.example");
    address = await askedOf("ca-hai@tinh.example");
    assert.notEqual(first, address, "each link is its own");
  });

  await step(phone, "opening the link acknowledges nothing; the button does, once", async () => {
    for (const turn of [1, 2]) {
      await phone.goto("about:blank");
      await open(address, phone);
      await phone.getByRole("button", { name: "Tiếp nhận" }).waitFor();
      if (turn === 1) await shot("acknowledge-phone", phone);
    }
    assert.deepEqual(await faults(phone), []);
    const beyond = await phone.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    assert.ok(beyond <= 0, "it fits a phone");
    await phone.getByRole("button", { name: "Tiếp nhận" }).click();
    await phone.getByText("Trực ca hai đã tiếp nhận").waitFor();
    await shot("acknowledge-done", phone);
    await phone.goto("about:blank");
    await open(address, phone);
    await phone.getByText("Trực ca hai đã tiếp nhận").waitFor();
    assert.equal(await phone.getByRole("button", { name: "Tiếp nhận" }).count(), 0);
  });

  await step(page, "the console says who was asked and who acknowledged, and so does the log", async () => {
    await logIn(page, NAME, PASSWORD);
    await open("/notices?tab=escalations");
    const row = page.getByRole("row").filter({ hasText: "Đã tiếp nhận" }).first();
    await row.waitFor();
    for (const said of ["gọi Trực ca một", "gọi Trực ca hai", "qua đường dẫn"]) assert.match(await row.innerText(), new RegExp(said));
    await shot("escalations");
    await open("/audit?kind=escalation");
    await page.getByText("Gọi người trực").first().waitFor();
    await page.getByText("Tiếp nhận").first().waitFor();
  });

  const found = [];
  await step(page, "every part of notices, rosters and the overview can be used by everybody", async () => {
    const parts = { sent: "/notices", escalations: "/notices?tab=escalations", rules: "/notices?tab=rules", channels: "/notices?tab=channels", addresses: "/notices?tab=addresses", templates: "/notices?tab=templates&template=escalation", chat: "/notices?tab=templates&shape=telegram", rosters: "/rosters", work: "/overview?view=work", state: "/overview?view=state" };
    for (const [locale, theme, size, name] of [["vi", "dark", DESK, "desk"], ["en", "light", DESK, "desk"], ["vi", "light", PHONE, "phone"], ["en", "dark", PHONE, "phone"]]) {
      await ask(page, "PATCH", "/session", { locale, theme });
      await page.setViewportSize(size);
      for (const [what, path] of Object.entries(parts)) {
        await open(path);
        await shot(`${what}-${locale}-${theme}-${name}`);
        found.push(...(await faults(page)).map((fault) => `${what} ${locale} ${theme} ${name}: ${fault}`));
        const beyond = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        if (beyond > 0) found.push(`${what} ${name} is ${beyond} pixels wider than the screen`);
      }
    }
    await ask(page, "PATCH", "/session", { locale: "vi", theme: "dark" });
    await page.setViewportSize(DESK);
    assert.deepEqual(found, []);
  });

  await step(page, "a manager sees the state on one screen, and a number opens its list", async () => {
    const manager = await newPage();
    const invitation = readFileSync(`${screenshots}/manager-link.txt`, "utf8");
    await manager.goto(origin + invitation.slice(invitation.indexOf("/setup")));
    await manager.getByLabel("Mật khẩu", { exact: true }).fill(PASSWORD);
    await manager.getByLabel("Nhập lại mật khẩu").fill(PASSWORD);
    await manager.getByRole("button", { name: "Đặt mật khẩu" }).click();
    await manager.getByRole("navigation").first().waitFor();
    await open("/overview?days=90", manager);
    await manager.getByText("Đơn vị cần hỗ trợ").waitFor();
    await shot("manager", manager);
    const hidden = await manager.evaluate(() => {
      const main = document.querySelector("main");
      return main.scrollHeight - main.clientHeight;
    });
    assert.ok(hidden <= 0, `the whole state is on one screen; ${hidden} pixels are not`);
    const { body } = await ask(manager, "GET", "/overview/state?days=90");
    assert.ok(body.attack.some(({ techniques }) => techniques.length > 0), "techniques were seen");
    const card = manager.locator('section[data-area="alerts"]');
    const shown = (await card.getByRole("link").first().innerText()).replace(/\D/g, "");
    await card.getByRole("link").first().click();
    await manager.waitForURL(/\/alerts\?.*from=/);
    await settled(manager);
    const query = new URL(manager.url()).searchParams;
    const list = await ask(manager, "GET", `/alerts?${new URLSearchParams({ status: "all", from: query.get("from"), to: query.get("to") })}`);
    assert.equal(String(list.body.total), shown, "the list has as many as the number said");
    await shot("manager-list", manager);
  });
}

await walk(part === "prepare" ? prepare : call);
