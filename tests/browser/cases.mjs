// A case worked by two analysts at browsers of their own: from an alert, by a template, through its phases; tasks with
// somebody and a time; a comment that calls somebody; observables pasted defanged and where they were seen; evidence
// sealed and taken out with a reason; three classifications; a restricted case that the other does not find; two who
// change the same text, of whom the second loses nothing; the closing; and an auditor who verifies the log.
//
// Usage: cases.mjs LINK SCREENSHOTS. LINK is the first administrator's; the story must have been played.
import { strict as assert } from "node:assert";
import { ask, faults, openBrowser, settled } from "./browser.mjs";

const [link, screenshots] = process.argv.slice(2);
const origin = new URL(link).origin;
const PASSWORD = "Mot mat khau dai cho buoi kiem tra 1";
const TABS = ["overview", "tasks", "timeline", "observables", "alerts", "evidence", "review"];
const DESK = { width: 1366, height: 768 };
const PHONE = { width: 390, height: 844 };

const { newPage, step, walk } = await openBrowser(origin, screenshots);
const page = await newPage();
const other = await newPage();
const auditor = await newPage();

const tab = (name, at = page) => at.getByRole("tab", { name });
const shot = (name, at = page) => at.screenshot({ path: `${screenshots}/${name}.png` });

async function open(at, path) {
  await at.goto(origin + path);
  await at.getByRole("banner").waitFor();
  await settled(at);
}

async function invite(at, name, display_name, role) {
  const invited = await ask(page, "POST", "/users", { name, display_name, role });
  assert.equal(invited.status, 200);
  await at.goto(origin + invited.body.link.slice(invited.body.link.indexOf("/setup")));
  await at.getByLabel("Mật khẩu", { exact: true }).fill(PASSWORD);
  await at.getByLabel("Nhập lại mật khẩu").fill(PASSWORD);
  await at.getByRole("button", { name: "Đặt mật khẩu" }).click();
  await at.getByRole("banner").waitFor();
}

await walk(async () => {
  let path;
  const detail = async () => (await ask(page, "GET", path)).body;

  await step(page, "two analysts and an auditor come in", async () => {
    await page.goto(link);
    await page.getByLabel("Tên đăng nhập").fill("truc-ban");
    await page.getByLabel("Mật khẩu", { exact: true }).fill(PASSWORD);
    await page.getByLabel("Nhập lại mật khẩu").fill(PASSWORD);
    await page.getByRole("button", { name: "Tạo tài khoản" }).click();
    await page.waitForURL(/\/alerts/);
    await invite(other, "ca-hai", "Trực ca hai", "analyst");
    await invite(auditor, "kiem-toan", "Kiểm toán viên", "auditor");
  });

  await step(page, "a case is opened by hand from a template, with its tasks and checklist", async () => {
    await open(page, "/cases");
    await page.getByRole("button", { name: "Lập hồ sơ" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Tiêu đề").fill("Cổng dịch vụ công bị tải lên web shell");
    await dialog.getByLabel("Mẫu hồ sơ").click();
    await page.getByRole("option", { name: "Truy cập trái phép, web shell" }).click();
    await dialog.getByRole("button", { name: "Lập hồ sơ" }).click();
    await page.waitForURL(/\/cases\/[^/]+$/);
    path = new URL(page.url()).pathname;
    await tab(/^Việc cần làm/).click();
    await page.getByText("Niêm phong chứng cứ của các cảnh báo chính").waitFor();
    await page.getByRole("checkbox", { name: "Sao nhật ký máy chủ web và hệ điều hành" }).waitFor();
    const alerts = (await ask(page, "GET", "/alerts?limit=100")).body.items.slice(0, 4);
    const linked = await ask(page, "POST", `${path}/alerts`, { alert_ids: alerts.map((alert) => alert.id) });
    assert.equal(linked.body.alert_count, 4);
  });

  await step(page, "a phase begins, with its time and the citation it stands on", async () => {
    await page.getByText(/Điều 9 khoản 2/).waitFor();
    await page.getByRole("button", { name: /Phát hiện, xác định sự cố/ }).click();
    await page.getByRole("button", { name: "Bắt đầu giai đoạn" }).click();
    await page.locator('li[aria-current="step"]').filter({ hasText: "Phát hiện, xác định sự cố" }).waitFor();
    const now = await detail();
    assert.deepEqual([now.phase, now.status], ["detect", "in_progress"]);
  });

  await step(page, "a task is given to the other, who is told and ticks it off", async () => {
    await page.getByRole("button", { name: /^Giao việc Xác minh tệp lạ/ }).click();
    await page.getByRole("menuitem", { name: "Trực ca hai" }).click();
    await page.getByRole("button", { name: /^Giao việc Xác minh tệp lạ.*Trực ca hai/ }).waitFor();
    await open(other, "/cases?status=tasks");
    await other.getByRole("link", { name: /Xác minh tệp lạ/ }).waitFor();
    await other.getByRole("button", { name: /^Nhắc việc: 1 mục chưa xem/ }).click();
    await other.getByText(/giao việc trong #1/).waitFor();
    await shot("case-inbox", other);
    await other.getByText(/giao việc trong #1/).click();
    await other.getByRole("checkbox", { name: /^Xong: Xác minh tệp lạ/ }).click();
    await other.getByText(/Trực ca hai hoàn thành/).waitFor();
    await page.getByText(/Trực ca hai hoàn thành/).waitFor();
  });

  await step(page, "a comment calls somebody by name", async () => {
    await tab(/^Tổng quan/).click();
    const note = page.getByLabel("Nội dung ghi chú");
    await note.fill("");
    await note.pressSequentially("@ca-h");
    await page.getByRole("option", { name: /Trực ca hai/ }).click();
    await note.pressSequentially("xem giúp tệp up.php");
    await page.getByRole("button", { name: "Thêm ghi chú" }).click();
    await page.getByText("@ca-hai").waitFor();
    assert.equal((await ask(other, "GET", "/inbox")).body.items[0].kind, "mentioned");
  });

  await step(page, "three classifications are chosen side by side", async () => {
    for (const [label, option] of [
      ["Loại theo báo cáo quốc gia", "Truy cập trái phép, chiếm quyền điều khiển"],
      ["Phân loại RSIT", "Xâm nhập: ứng dụng"],
      ["Nhóm sự cố nội bộ", "N2 Truy cập trái phép, chiếm quyền"],
    ]) {
      await page.getByRole("textbox", { name: label }).or(page.getByRole("combobox", { name: label })).first().click();
      await page.getByRole("option", { name: option, exact: true }).click();
      await page.waitForFunction((option) => [...document.querySelectorAll("input")].some((input) => input.value === option), option);
    }
    const { facts } = await detail();
    assert.deepEqual([facts.national, facts.rsit, facts.internal], ["takeover", "intrusions/application-compromise", "n2"]);
  });

  await step(page, "observables come from the alerts and from a defanged paste, and tell where they were seen", async () => {
    await tab(/^Dấu hiệu/).click();
    await page.getByRole("button", { name: "Lấy từ cảnh báo" }).click();
    await page.getByText("từ cảnh báo").first().waitFor();
    await page.getByLabel("Dán dấu hiệu").fill("hxxp://cap-nhat[.]example/up.php 203[.]0[.]113[.]9 nhảm nhí");
    await page.getByRole("button", { name: "Thêm dấu hiệu" }).click();
    await page.getByText("http://cap-nhat.example/up.php").waitFor();
    assert.equal(await page.getByLabel("Dán dấu hiệu").inputValue(), "nhảm\nnhí", "what was not recognised stays");
    const ip = (await detail()).observables.find((one) => one.kind === "ip" && one.origin === "alert");
    await page.getByRole("button", { name: `Nơi đã thấy ${ip.value}` }).click();
    await page.getByText(/cảnh báo có dấu hiệu này/).waitFor();
    await page.getByRole("link", { name: /sự kiện trong lịch sử/ }).waitFor();
    await shot("case-observables");
  });

  await step(page, "evidence is sealed and taken out with a reason, and the custody says so", async () => {
    await tab(/^Chứng cứ/).click();
    await page.getByRole("button", { name: "Niêm phong chứng cứ" }).click();
    let dialog = page.getByRole("dialog");
    await dialog.getByLabel("Lý do").fill("chứng minh việc tải tệp lên");
    await dialog.getByRole("button", { name: "Niêm phong chứng cứ" }).click();
    await page.getByRole("table", { name: "Chuỗi lưu giữ" }).waitFor();
    await page.getByRole("button", { name: "Lấy ra" }).click();
    dialog = page.getByRole("dialog");
    await dialog.getByLabel("Lý do").fill("so sánh mẫu");
    const download = page.waitForEvent("download");
    await dialog.getByRole("button", { name: "Lấy ra" }).click();
    assert.match((await download).suggestedFilename(), /^evidence-[0-9a-f]{16}\.zip$/);
    await dialog.getByRole("button", { name: "Đóng" }).last().click();
    await page.getByRole("cell", { name: "so sánh mẫu" }).waitFor();
    await shot("case-evidence");
  });

  await step(page, "of two who write the summary the second sees what the first wrote and loses nothing", async () => {
    await open(page, path);
    await open(other, path);
    for (const at of [page, other]) await at.getByRole("button", { name: "Sửa: Tóm tắt" }).click();
    await other.getByLabel("Tóm tắt").fill("Bản của ca hai.");
    await page.getByLabel("Tóm tắt").fill("Bản của trực ban, còn đang gõ");
    await other.getByRole("button", { name: "Lưu" }).click();
    await page.getByText("Người khác vừa sửa phần này").waitFor();
    await page.getByText("Bản của ca hai.").waitFor();
    assert.equal(await page.getByLabel("Tóm tắt").inputValue(), "Bản của trực ban, còn đang gõ");
    await shot("case-conflict");
    await page.getByRole("button", { name: "Đã xem, tiếp tục với nội dung đang nhập" }).click();
    await page.getByLabel("Tóm tắt").fill("Bản của ca hai. Bản của trực ban.");
    await page.getByRole("button", { name: "Lưu" }).click();
    await other.getByText("Bản của ca hai. Bản của trực ban.").waitFor();
  });

  await step(page, "the timeline tells alerts, acts and what people put in, in order", async () => {
    await tab(/^Diễn biến/).click();
    const added = await ask(page, "POST", `${path}/events`, { at: new Date(Date.now() - 7_200_000).toISOString(), text: "Người dân báo trang bị lỗi" });
    assert.equal(added.status, 200);
    await page.getByText("Người dân báo trang bị lỗi").waitFor();
    await page.getByText("Chuyển giai đoạn").first().waitFor({ state: "detached" });
    const times = await page.getByRole("tabpanel", { name: /^Diễn biến/ }).locator("ol time").evaluateAll((all) => all.map((time) => Date.parse(time.dateTime)));
    assert.deepEqual(times, [...times].sort((a, b) => b - a), "newest first");
    await shot("case-timeline");
  });

  await step(page, "every part can be used by everybody, in both languages and themes, at a desk and on a phone", async () => {
    await ask(page, "POST", `${path}/systems`, { name: "Cổng dịch vụ công (dichvucong.example)", level: 3, operator: "Trung tâm tích hợp dữ liệu" });
    const found = [];
    for (const [locale, theme] of [["vi", "dark"], ["en", "light"]]) {
      await ask(page, "PATCH", "/session", { locale, theme });
      for (const [size, name] of [[DESK, "desk"], [PHONE, "phone"]]) {
        await page.setViewportSize(size);
        for (const each of TABS) {
          await open(page, each === "overview" ? path : `${path}?tab=${each}`);
          await shot(`case-${each}-${locale}-${theme}-${name}`);
          found.push(...(await faults(page)).map((fault) => `${each} ${locale} ${theme} ${name}: ${fault}`));
          const beyond = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
          if (beyond > 0) found.push(`${each} ${name} is ${beyond} pixels wider than the screen`);
        }
        await open(page, "/cases");
        await shot(`cases-${locale}-${theme}-${name}`);
      }
    }
    await ask(page, "PATCH", "/session", { locale: "vi", theme: "dark" });
    await page.setViewportSize(DESK);
    assert.deepEqual(found, []);
  });

  await step(page, "a restricted case is not there for the other", async () => {
    const made = await ask(page, "POST", "/cases", { title: "Tài liệu nội bộ bị chép ra ngoài", severity: "high", restricted: true });
    await open(other, "/cases?status=all");
    await other.getByText("Cổng dịch vụ công bị tải lên web shell").first().waitFor();
    assert.equal(await other.getByText("Tài liệu nội bộ bị chép ra ngoài").count(), 0);
    await other.goto(`${origin}/cases/${made.body.id}`);
    await other.getByText("Không có hồ sơ này").first().waitFor();
    await open(page, `/cases/${made.body.id}`);
    await page.getByText(/^Chỉ .* được xem$/).waitFor();
  });

  await step(page, "the closing says what is missing, and a closed case takes no work", async () => {
    await open(page, `${path}?tab=review`);
    await page.getByText(/Còn \d+ việc chưa xong/).waitFor();
    await page.getByLabel("Nguyên nhân gốc").fill("Lỗ hổng tải tệp chưa vá.");
    await page.getByLabel("Bài học").fill("Rà soát chức năng tải tệp hằng tháng.");
    await page.getByRole("button", { name: "Kết thúc hồ sơ" }).click();
    await page.getByRole("button", { name: "Mở lại hồ sơ" }).waitFor();
    const refused = await ask(page, "POST", `${path}/tasks`, { title: "x" });
    assert.equal(refused.body.code, "case_closed");
  });

  await step(auditor, "the auditor verifies the log in place and takes it along", async () => {
    await open(auditor, "/audit");
    await auditor.getByRole("button", { name: "Xác minh" }).click();
    await auditor.getByText("Chuỗi nguyên vẹn").waitFor();
    await shot("audit-verified", auditor);
    assert.deepEqual(await faults(auditor), []);
    const download = auditor.waitForEvent("download");
    await auditor.getByRole("link", { name: "Tải nhật ký" }).click();
    const taken = await download;
    assert.equal(taken.suggestedFilename(), "luytre-log.txt");
    assert.equal(await taken.failure(), null, "the file is whole");
    await open(auditor, "/audit?kind=evidence");
    await auditor.getByText("Lấy chứng cứ ra").first().waitFor();
  });
});
