// An agency's contact answers, end to end: the team writes to an agency from a case, with a document; the mail server gets
// a mail that names no particulars; the contact opens its link on a phone, confirms, answers, uploads logs and reports
// what was done; the team sees each of it come in and takes the upload out behind a password. A contact of another agency
// sees nothing. Then the shift is handed over and signed by both.
//
// Usage: answers.mjs LINK SCREENSHOTS RECEIVED; RECEIVED is where the mail server puts what it gets.
import { strict as assert } from "node:assert";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { ask, faults, openBrowser, settled } from "./browser.mjs";

const [link, screenshots, received] = process.argv.slice(2);
const origin = new URL(link).origin;
const PASSWORD = "Mot mat khau dai cho buoi kiem tra 1";
const DESK = { width: 1366, height: 768 };
const PHONE = { width: 390, height: 844 };
const MAIL_MS = 120_000;
const LOG = Buffer.from("2026-11-22 10:42:07 mailsrv sshd: Failed password for root from 203.0.113.9\n".repeat(20_000));

const { newPage, step, walk } = await openBrowser(origin, screenshots);
const page = await newPage();
const phone = await newPage();
const other = await newPage();
const minh = await newPage();
const shot = (name, at = page) => at.screenshot({ path: `${screenshots}/${name}.png` });
const dialog = () => page.getByRole("dialog");
const links = {};
let caseId;

async function open(path, at = page) {
  await at.goto(origin + path);
  await settled(at);
}

async function accept(at, invitation) {
  await at.goto(origin + invitation.slice(invitation.indexOf("/setup")));
  await at.getByLabel("Mật khẩu", { exact: true }).fill(PASSWORD);
  await at.getByLabel("Nhập lại mật khẩu").fill(PASSWORD);
  await at.getByRole("button", { name: "Đặt mật khẩu" }).click();
  await at.getByRole("navigation").first().waitFor({ state: "attached" });
  await settled(at);
}

async function fits(at) {
  const beyond = await at.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  assert.ok(beyond <= 0, `${at.url()} is ${beyond} pixels wider than the screen`);
}

/** The mails that have arrived: to whom, the whole, and the text part decoded. */
function mails() {
  const decode = (text) => Buffer.from(text.replace(/=\r?\n/g, "").replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16))), "latin1").toString("utf8");
  return readdirSync(received)
    .filter((name) => name.endsWith(".eml"))
    .map((name) => {
      const raw = readFileSync(`${received}/${name}`, "latin1");
      const [, plain] = raw.split(/Content-Type: text\/plain[^\n]*\n/);
      const [head, ...rest] = plain.split(/\r?\n\r?\n/);
      const body = rest.join("\n\n").split(/\r?\n--/)[0];
      return { to: raw.match(/^To: (.*?)\r?$/m)[1], text: /base64/.test(head) ? Buffer.from(body, "base64").toString("utf8") : decode(body) };
    });
}

async function mailTo(to) {
  const until = Date.now() + MAIL_MS;
  for (;;) {
    const found = mails().find((mail) => mail.to === to && mail.text.includes("/assigned/"));
    if (found) return found.text;
    if (Date.now() > until) throw new Error(`no mail to ${to}; there are ${JSON.stringify(mails())}`);
    await new Promise((go) => setTimeout(go, 500));
  }
}

await walk(async () => {
  await step(page, "the administrator invites contacts of two agencies and the team", async () => {
    await page.goto(link);
    await page.getByLabel("Tên đăng nhập").fill("truc-ban");
    await page.getByLabel("Tên hiển thị").fill("Trực ban");
    await page.getByLabel("Mật khẩu", { exact: true }).fill(PASSWORD);
    await page.getByLabel("Nhập lại mật khẩu").fill(PASSWORD);
    await page.getByRole("button", { name: "Tạo tài khoản" }).click();
    await page.waitForURL(/\/alerts/);
    // The collector names its agencies; the register takes them over.
    await open("/agencies");
    await page.getByText("Sở Tài chính").first().waitFor();
    for (const [name, display_name, role, agency_id] of [["dau-moi-stc", "Đầu mối Sở Tài chính", "agency", "stc"], ["dau-moi-syt", "Đầu mối Sở Y tế", "agency", "syt"], ["ca-sau", "Trực ca sau", "manager"]]) {
      const invited = await ask(page, "POST", "/users", { name, display_name, role, agency_id });
      assert.equal(invited.status, 200, `${name} is invited`);
      links[name] = invited.body.link;
      if (agency_id) assert.equal((await ask(page, "PUT", `/notice-addresses/${invited.body.user.id}`, { mail: `${name}@tinh.example` })).status, 200);
    }
    const made = await ask(page, "POST", "/cases", { title: "Máy chủ thư bị chiếm", severity: "high", agency_id: "stc", summary: "Chuyện nội bộ của đội" });
    caseId = made.body.id;
  });

  await step(page, "the team writes to the agency, with a document", async () => {
    await open(`/cases/${caseId}?tab=agencies`);
    await page.getByText("Chưa gửi thông báo nào cho đơn vị").waitFor();
    await shot("agencies-empty");
    await page.getByRole("button", { name: "Gửi thông báo" }).click();
    await dialog().getByLabel("Về việc").fill("Máy chủ thư gửi thư rác");
    await dialog().getByLabel("Nội dung").fill("Máy chủ thư 198.51.100.25 gửi thư rác từ 10:42. Đề nghị cô lập, gửi nhật ký và báo cáo khắc phục.");
    for (const wish of ["Gửi nhật ký hệ thống", "Báo cáo khắc phục"]) await dialog().getByLabel(wish).check();
    await dialog().getByLabel("Hạn").fill("2035-11-30T17:00");
    await dialog().locator('input[type="file"]').setInputFiles({ name: "huong-dan.pdf", mimeType: "application/pdf", buffer: Buffer.from("%PDF-1.7 huong dan") });
    await dialog().getByText("huong-dan.pdf").waitFor();
    assert.deepEqual(await faults(page), []);
    await shot("agency-form");
    await dialog().getByRole("button", { name: "Gửi", exact: true }).click();
    await page.getByText("Đã gửi thông báo cho Sở Tài chính").waitFor();
    await page.getByText("Thư báo gửi tới dau-moi-stc@tinh.example").waitFor();
    await page.getByText("Chờ phản hồi").first().waitFor();
    await shot("agency-sent");
  });

  await step(phone, "the mail says that there is something, and no particulars; its link leads to the notice", async () => {
    const text = await mailTo("dau-moi-stc@tinh.example");
    assert.ok(text.includes("Sở Tài chính") && text.includes("30/11/2035"), text);
    assert.ok(!text.includes("thư rác") && !text.includes("198.51.100.25"), text);
    await phone.setViewportSize(PHONE);
    await accept(phone, links["dau-moi-stc"]);
    await phone.waitForURL(/\/assigned$/);
    await phone.getByText("Máy chủ thư gửi thư rác").waitFor();
    await fits(phone);
    await shot("work-phone", phone);
    await open(text.match(/\/assigned\/[\w-]+/)[0], phone);
    await phone.getByRole("heading", { name: "Máy chủ thư gửi thư rác" }).waitFor();
    const said = await phone.locator("body").innerText();
    assert.ok(!said.includes("nội bộ") && !said.includes("bị chiếm"), "nothing of the case itself is there");
    await fits(phone);
    assert.deepEqual(await faults(phone), []);
    await shot("notice-phone", phone);
  });

  await step(phone, "the contact saves the document, confirms, answers, uploads and reports", async () => {
    const saved = phone.waitForEvent("download");
    await phone.getByRole("button", { name: "Tải về huong-dan.pdf" }).click();
    assert.equal((await saved).suggestedFilename(), "huong-dan.pdf");
    await phone.getByRole("button", { name: "Xác nhận đã nhận" }).click();
    await phone.getByText(/Đầu mối Sở Tài chính xác nhận lúc/).waitFor();
    await phone.getByLabel("Nội dung trả lời").fill("Đã ngắt máy chủ thư khỏi mạng lúc 11:05.");
    await phone.getByRole("button", { name: "Gửi trả lời" }).click();
    await phone.getByText("Đã gửi trả lời").first().waitFor();
    await phone.locator('input[type="file"]').setInputFiles({ name: "maillog.txt", mimeType: "text/plain", buffer: LOG });
    await phone.getByText("Đã gửi maillog.txt").waitFor();
    await phone.getByText(createHash("sha256").update(LOG).digest("hex")).waitFor();
    await phone.getByLabel("Đã khắc phục những gì").fill("Đổi mật khẩu, cài bản vá, khôi phục từ bản sao lưu.");
    await phone.getByLabel("Hoàn thành lúc").fill("2026-11-20T09:30");
    await phone.getByRole("button", { name: "Gửi báo cáo khắc phục" }).click();
    await phone.getByText("Đã đủ").first().waitFor();
    await fits(phone);
    await shot("notice-done-phone", phone);
  });

  await step(page, "the team sees all of it without loading the page again", async () => {
    const notice = page.getByRole("listitem", { name: /^1-1 Sở Tài chính/ });
    await notice.getByText("Đã đủ").waitFor();
    await notice.getByText("Đã ngắt máy chủ thư khỏi mạng lúc 11:05.").waitFor();
    await notice.getByText("Đã báo cáo khắc phục").first().waitFor();
    await notice.getByText("Chưa quét mã độc").waitFor();
    await notice.getByText("text/plain").waitFor();
    await page.getByRole("button", { name: /^Nhắc việc: / }).waitFor();
    await notice.getByRole("button", { name: "Lấy tệp: maillog.txt" }).click();
    await dialog().getByLabel("Lý do").fill("Phân tích nguồn tấn công");
    const saved = page.waitForEvent("download");
    await dialog().getByRole("button", { name: "Lấy tệp" }).click();
    const archive = readFileSync(await (await saved).path());
    assert.equal(archive.subarray(0, 2).toString(), "PK", "an archive");
    assert.ok(!archive.includes("sshd"), "what is in it cannot be read without the password");
    assert.ok((await dialog().getByLabel("Mật khẩu mở tệp").innerText()).length >= 16, "the password is told once");
    await shot("agency-file");
    await dialog().getByRole("button", { name: "Đóng" }).last().click();
    await shot("agency-answered");
    assert.deepEqual(await faults(page), []);
    await page.getByRole("tab", { name: /^Diễn biến/ }).click();
    for (const act of ["Gửi thông báo cho đơn vị", "Đơn vị gửi tệp", "Lấy tệp của đơn vị"]) await page.getByText(act).first().waitFor();
    await page.getByText(/Sở Tài chính \(1-1\): Trả lời/).waitFor();
    await shot("agency-timeline");
  });

  await step(other, "a contact of another agency sees nothing of it", async () => {
    await accept(other, links["dau-moi-syt"]);
    await other.getByText("Chưa có thông báo nào").waitFor();
    await shot("work-empty", other);
    const { body } = await ask(phone, "GET", "/agency-work");
    const id = body.items[0].id;
    for (const [method, path] of [["GET", `/agency-work/${id}`], ["POST", `/agency-work/${id}/confirm`], ["GET", `/cases/${caseId}`], ["GET", "/alerts"]]) {
      const { status } = await ask(other, method, path, method === "GET" ? undefined : {});
      assert.ok(status === 404 || status === 403, `${method} ${path} answers ${status}`);
    }
    await open(`/assigned/${id}`, other);
    await other.getByRole("alert").waitFor();
    assert.ok(!(await other.locator("body").innerText()).includes("thư rác"));
  });

  await step(page, "one shift hands over to the next, and both sign", async () => {
    await open("/handover");
    await page.getByText("Hạn đang chạy").waitFor();
    await page.getByRole("combobox", { name: "Người nhận ca" }).or(page.getByRole("textbox", { name: "Người nhận ca" })).first().click();
    await page.getByRole("option", { name: "Trực ca sau" }).click();
    await page.getByLabel("Điều người nhận cần biết").fill("Sở Tài chính hẹn báo lại sau khi khôi phục máy chủ thư.");
    await shot("handover-form");
    await page.getByRole("button", { name: "Ký và bàn giao" }).click();
    await page.getByRole("heading", { name: "Bàn giao ca số 1" }).waitFor();
    await page.getByText("Chờ ký nhận").first().waitFor();
    await accept(minh, links["ca-sau"]);
    await minh.getByText("Trực ban bàn giao ca, đang chờ ký nhận.").waitFor();
    await minh.getByRole("link", { name: "Xem và ký" }).click();
    await minh.getByText("Sở Tài chính hẹn báo lại").waitFor();
    await settled(minh);
    await shot("handover-take", minh);
    assert.deepEqual(await faults(minh), []);
    await minh.getByRole("button", { name: "Ký nhận ca" }).click();
    await minh.getByText("Đã ký nhận ca").first().waitFor();
    await minh.getByText("đang chờ ký nhận").waitFor({ state: "detached" });
    await open("/handover");
    await page.getByText("Đã ký cả hai").waitFor();
    await open("/audit?kind=shift");
    for (const act of ["Ký bàn giao ca", "Ký nhận ca"]) await page.getByText(act).first().waitFor();
  });

  await step(page, "every part can be used by everybody", async () => {
    const found = [];
    const { body } = await ask(phone, "GET", "/agency-work");
    const handovers = await ask(page, "GET", "/handovers");
    const parts = [
      [phone, "work", "/assigned"],
      [phone, "notice", `/assigned/${body.items[0].id}`],
      [page, "case-agencies", `/cases/${caseId}?tab=agencies`],
      [page, "case-review", `/cases/${caseId}?tab=review`],
      [page, "handover", "/handover"],
      [page, "handover-signed", `/handover/${handovers.body.items[0].id}`],
      [page, "template", "/notices?tab=templates&template=agency"],
    ];
    for (const [locale, theme, size, name] of [["vi", "dark", DESK, "desk"], ["en", "light", DESK, "desk"], ["vi", "light", PHONE, "phone"], ["en", "dark", PHONE, "phone"]]) {
      for (const at of [page, phone]) {
        await ask(at, "PATCH", "/session", { locale, theme });
        await at.setViewportSize(size);
      }
      for (const [at, what, path] of parts) {
        await open(path, at);
        await shot(`${what}-${locale}-${theme}-${name}`, at);
        found.push(...(await faults(at)).map((fault) => `${what} ${locale} ${theme} ${name}: ${fault}`));
        const beyond = await at.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        if (beyond > 0) found.push(`${what} ${name} is ${beyond} pixels wider than the screen`);
      }
    }
    assert.deepEqual(found, []);
  });
});
