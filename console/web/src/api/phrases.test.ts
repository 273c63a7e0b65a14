import { expect, test } from "vitest";
import { phrase, problemText } from "./phrases";

test("problems are said by their code, by their field or by their sentence", () => {
  expect(problemText("vi", { code: "forbidden", message: "your role may not do this; ask an administrator" })).toMatch(/^Vai trò/);
  expect(problemText("vi", { code: "bad_request", message: "password: use at least 10 characters", fields: { password: "use at least 10 characters" } })).toBe("Mật khẩu: dùng ít nhất 10 ký tự");
  expect(problemText("vi", { code: "locked", message: "too many tries; try again in 12 seconds" })).toBe("Thử quá nhiều lần. Thử lại sau 12 giây.");
  expect(problemText("vi", { code: "not_found", message: "there is no such alert" })).toMatch(/^Không có cảnh báo này/);
  expect(problemText("vi", { code: "bad_query", message: "expected a value after `source.ip:`" })).toBe("cần giá trị sau `source.ip:`");
});

test("English and what is not known stay as they are", () => {
  expect(problemText("en", { code: "forbidden", message: "your role may not do this" })).toBe("your role may not do this");
  expect(problemText("vi", { code: "new_problem", message: "something new" })).toBe("something new");
  expect(problemText("vi", { code: "bad_request", message: "something new" })).toBe("Yêu cầu chưa hợp lệ: something new");
  expect(phrase("vi", "something else")).toBe("something else");
});
