// One's own account: a new password, a link with an identity provider, coming in by it and going out again, and what is
// said when it lets nobody in.
//
// Usage: access.mjs LINK SCREENSHOTS PORT; the console is configured with a provider at that port.
import { strict as assert } from "node:assert";
import { faults, openBrowser, settled } from "./browser.mjs";
import { startProvider } from "./provider.mjs";

const [link, screenshots, port] = process.argv.slice(2);
const origin = new URL(link).origin;
const NAME = "truc-ban";
const FIRST = "Mot mat khau dai cho buoi kiem tra 1";
const SECOND = "Mot mat khau dai cho buoi kiem tra 2";

const provider = await startProvider(Number(port), "luytre");
const { newPage, step, walk } = await openBrowser(origin, screenshots, [provider.issuer]);
const page = await newPage();
const button = (name) => page.getByRole("button", { name });
const shot = (name) => page.screenshot({ path: `${screenshots}/access-${name}.png`, fullPage: true });
const usable = async () => assert.deepEqual(await faults(page), []);

async function logOut() {
  await button("Tài khoản").click();
  await page.getByRole("menuitem", { name: "Đăng xuất" }).click();
  await page.getByRole("heading", { name: "Đăng nhập" }).waitFor();
}

await walk(async () => {
  await step(page, "the first administrator is made by the one-time link", async () => {
    await page.goto(link);
    await page.getByLabel("Tên đăng nhập").fill(NAME);
    await page.getByLabel("Mật khẩu", { exact: true }).fill(FIRST);
    await page.getByLabel("Nhập lại mật khẩu").fill(FIRST);
    await button("Tạo tài khoản").click();
    await page.waitForURL(/\/alerts/);
  });
  await step(page, "a wrong password until now is told, the right one is taken", async () => {
    await page.goto(`${origin}/account`);
    await settled(page);
    await button("Đổi mật khẩu").click();
    const fill = async (current, next) => {
      await page.getByLabel("Mật khẩu hiện tại", { exact: true }).fill(current);
      await page.getByLabel("Mật khẩu mới", { exact: true }).fill(next);
      await page.getByLabel("Nhập lại mật khẩu").fill(next);
      await page.locator("form").getByRole("button", { name: "Đổi mật khẩu" }).click();
    };
    await fill("khong phai mat khau nay", SECOND);
    await page.getByRole("alert").getByText("Mật khẩu hiện tại: không phải mật khẩu hiện tại").waitFor();
    await fill(FIRST, FIRST);
    await page.getByRole("alert").getByText("chọn mật khẩu khác với 10 mật khẩu gần nhất").waitFor();
    await shot("password");
    await usable();
    await fill(FIRST, SECOND);
    await page.getByText("Đã đổi mật khẩu").waitFor();
  });
  await step(page, "the account is linked with one at the provider", async () => {
    await button("Liên kết tài khoản").click();
    await page.getByRole("link", { name: "Tiếp tục" }).click();
    await page.waitForURL(`${origin}/account`);
    await page.getByText("Đã liên kết", { exact: true }).waitFor();
    await settled(page);
    await shot("linked");
    await usable();
  });
  await step(page, "by the provider one comes in, to the page that was wanted", async () => {
    await logOut();
    await page.goto(`${origin}/rules`);
    await button("Đăng nhập bằng tài khoản công vụ").waitFor();
    await shot("log-in");
    await usable();
    await button("Đăng nhập bằng tài khoản công vụ").click();
    await page.getByRole("link", { name: "Tiếp tục" }).click();
    await page.waitForURL(`${origin}/rules`);
    await page.getByRole("navigation").first().waitFor();
    await logOut();
  });
  await step(page, "an account that nobody linked, and a refusal, are told with what to do", async () => {
    provider.next.subject = "sub-khac";
    await button("Đăng nhập bằng tài khoản công vụ").click();
    await page.getByRole("link", { name: "Tiếp tục" }).click();
    await page.getByRole("alert").getByText(/Chưa có tài khoản nào ở đây liên kết/).waitFor();
    await shot("unknown");
    await usable();
    await page.getByRole("link", { name: "Về trang đăng nhập" }).click();
    provider.next.subject = null;
    await button("Đăng nhập bằng tài khoản công vụ").click();
    await page.getByRole("link", { name: "Tiếp tục" }).click();
    await page.getByRole("alert").getByText(/không cho đăng nhập/).waitFor();
    await page.reload();
    await page.getByRole("alert").getByText(/không bắt đầu từ trình duyệt này/).waitFor();
    await page.getByRole("link", { name: "Về trang đăng nhập" }).click();
  });
  await step(page, "the new password works, and the log tells of all of it", async () => {
    await page.getByLabel("Tên đăng nhập").fill(NAME);
    await page.getByLabel("Mật khẩu", { exact: true }).fill(SECOND);
    await page.getByRole("button", { name: "Đăng nhập", exact: true }).click();
    await page.getByRole("navigation").first().waitFor();
    await page.goto(`${origin}/audit`);
    for (const action of ["Đổi mật khẩu", "Liên kết với nhà cung cấp định danh", "Từ chối đăng nhập"]) {
      await page.getByText(action, { exact: true }).first().waitFor();
    }
    await shot("log");
  });
});
provider.close();
