// What the server says, in Vietnamese. The server answers in English with a stable code and a small fixed set of
// sentences; what is not known here stays as it is, so that a newer server is never silent.
import type { ProblemBody } from "./types";

type Phrase = readonly [pattern: RegExp, vi: string];

/** Problems that their code alone explains. */
const BY_CODE: Readonly<Record<string, string>> = {
  not_logged_in: "Chưa đăng nhập hoặc phiên làm việc đã hết hạn. Đăng nhập rồi làm lại.",
  wrong_password: "Tên đăng nhập hoặc mật khẩu không đúng.",
  forbidden: "Vai trò hiện tại không được làm việc này. Liên hệ quản trị viên nếu cần.",
  csrf: "Trang đã cũ so với phiên làm việc. Tải lại trang rồi làm lại.",
  conflict: "Người khác vừa thay đổi nội dung này. Xem lại bản mới rồi làm lại.",
  not_open: "Cảnh báo đã được kết thúc với kết luận khác. Mở lại trước khi đổi kết luận.",
  in_other_case: "Cảnh báo đã thuộc hồ sơ khác. Mở lại cảnh báo trước khi chuyển.",
  already_undone: "Quyết định này đã được hoàn tác trước đó.",
  case_worked_on: "Đã có người xử lý tiếp trong hồ sơ. Không hoàn tác gì.",
  not_yours: "Bộ lọc này của người khác. Đề nghị người lập xóa.",
  not_active: "Lệnh tạm bỏ qua này đã hết hiệu lực.",
  case_closed: "Hồ sơ đã đóng. Mở lại hồ sơ trước khi thêm.",
  case_merged: "Hồ sơ đã gộp vào hồ sơ khác. Làm tiếp ở hồ sơ đó.",
  last_admin: "Đây là quản trị viên cuối cùng. Chỉ định quản trị viên khác trước.",
  link_lapsed: "Đường dẫn đã được dùng hoặc đã hết hạn. Đề nghị quản trị viên tạo đường dẫn mới.",
  press_failed: "Chưa xuất được tệp PDF. Bản xem trên trang vẫn dùng được; báo quản trị viên nếu lặp lại.",
  too_large: "Nội dung gửi đi quá lớn. Rút gọn rồi gửi lại.",
  too_many_followers: "Quá nhiều trang đang mở cùng lúc. Đóng bớt rồi thử lại.",
  collector_slow: "Bộ thu thập trả lời quá lâu. Thu hẹp câu hỏi hoặc khoảng thời gian.",
  collector_unreachable: "Bộ thu thập không trả lời. Cảnh báo và hồ sơ vẫn dùng được, tìm kiếm thì chưa.",
  collector_nonsense: "Không hiểu được trả lời của bộ thu thập. Báo quản trị viên.",
  internal: "Máy chủ gặp lỗi; dữ liệu đã lưu không bị ảnh hưởng. Nguyên nhân nằm trong nhật ký của chương trình.",
};

/** Sentences with particulars, as a whole. */
const PHRASES: readonly Phrase[] = [
  [/^too many tries; try again in (\d+) seconds$/, "Thử quá nhiều lần. Thử lại sau $1 giây."],
  [/^there are (\d+) users, which is the limit$/, "Đã đủ $1 người dùng, là số lượng tối đa."],
  [/^use at least (\d+) characters$/, "dùng ít nhất $1 ký tự"],
  [/^use at most (\d+) characters$/, "dùng nhiều nhất $1 ký tự"],
  [/^use (\d+) to (\d+) characters$/, "dùng từ $1 đến $2 ký tự"],
  [/^use at least (\d+) different characters$/, "dùng ít nhất $1 ký tự khác nhau"],
  [/^do not use the name in the password$/, "không dùng tên đăng nhập trong mật khẩu"],
  [/^use 1 to 64 small letters a-z, digits, '\.', '-', '_'$/, "dùng 1 đến 64 chữ thường không dấu, chữ số, dấu chấm, gạch nối, gạch dưới"],
  [/^there is a user of this name already$/, "tên này đã có người dùng"],
  [/^this user does not work on alerts$/, "người này không xử lý cảnh báo"],
  [/^say why, in 1 to (\d+) characters$/, "ghi lý do, từ 1 đến $1 ký tự"],
  [/^name (?:1 to|at most) (\d+) alerts$/, "chọn nhiều nhất $1 cảnh báo"],
  [/^name a case or a title for a new one$/, "chọn hồ sơ có sẵn hoặc đặt tiêu đề cho hồ sơ mới"],
  [/^name at most (\d+) groups$/, "chọn nhiều nhất $1 nhóm"],
  [/^these are more than (\d+) alerts.*; narrow the selection$/, "Nhiều hơn $1 cảnh báo một lần. Thu hẹp lựa chọn."],
  [/^(\d+) of (\d+) alerts were changed since, last by (.+); nothing was taken back$/, "$1 trong $2 cảnh báo đã được thay đổi sau đó, gần nhất bởi $3. Không hoàn tác gì."],
  [/^there are (\d+) views already; delete one first$/, "Đã có $1 bộ lọc. Xóa bớt rồi lưu lại."],
  [/^leave out at most (\d+) things$/, "loại trừ nhiều nhất $1 giá trị"],
  [/^choose a moment in the future$/, "chọn thời điểm trong tương lai"],
  [/^choose at most (\d+) days$/, "chọn nhiều nhất $1 ngày"],
  [/^there is no such suppression$/, "Không có lệnh tạm bỏ qua này."],
  [/^the alert is closed with another verdict; reopen it first$/, "Cảnh báo đã được kết thúc với kết luận khác. Mở lại trước khi đổi kết luận."],
  [/^the alert belongs to another case; reopen it first$/, "Cảnh báo đã thuộc hồ sơ khác. Mở lại cảnh báo trước khi chuyển."],
  [/^choose one of the list$/, "chọn trong danh sách"],
  [/^choose another case$/, "chọn hồ sơ khác"],
  [/^this user does not work on cases$/, "người này không xử lý hồ sơ"],
  [/^this user may not see the case; name them in it first$/, "người này chưa được xem hồ sơ; thêm vào danh sách người được xem trước"],
  [/^no address, domain, link or hash was recognised$/, "không nhận ra địa chỉ, tên miền, đường dẫn hay mã băm nào"],
  [/^these are more than (\d+) values; add fewer at once$/, "nhiều hơn $1 giá trị; thêm ít hơn mỗi lần"],
  [/^the case has (\d+) (?:of these, which|observables; (\d+)) is the limit$/, "Hồ sơ đã đạt số lượng tối đa ($1)."],
  [/^the alert is not part of this case$/, "cảnh báo không thuộc hồ sơ này"],
  [/^name at most (\d+) people$/, "chọn nhiều nhất $1 người"],
  [/^use 1 to 5$/, "dùng từ 1 đến 5"],
  [/^there is no such (?:task|observable|system|link|evidence)$/, "Không còn mục này; có thể người khác vừa bỏ."],
  [/^is missing$/, "còn thiếu"],
  [/^use YYYY-MM-DD$/, "dùng dạng năm-tháng-ngày"],
  [/^use RFC 3339, as in .*$/, "dùng thời điểm theo RFC 3339, ví dụ 2026-11-22T03:00:00Z"],
  [/^there is no such agency$/, "Không có đơn vị này."],
  [/^there is no such alert$/, "Không có cảnh báo này; có thể đã hết thời hạn lưu giữ."],
  [/^there is no such case$/, "Không có hồ sơ này."],
  [/^there is no such rule$/, "Không có luật này trong bộ luật đang áp dụng."],
  [/^there is no such sensor$/, "Không có thiết bị này."],
  [/^there is no such user$/, "Không có người dùng này."],
  [/^there is no such report$/, "Không có báo cáo này."],
  [/^there is no such .+$/, "Không tìm thấy."],
  // The query language.
  [/^the query is longer than (\d+) characters$/, "câu truy vấn dài hơn $1 ký tự"],
  [/^the query has more than (\d+) terms; expected fewer$/, "câu truy vấn có hơn $1 điều kiện; cần ít hơn"],
  [/^nested more than (\d+) deep; expected a simpler query$/, "lồng nhau quá $1 tầng; cần câu truy vấn đơn giản hơn"],
  [/^this quotation mark is never closed; expected another "$/, 'thiếu dấu " đóng'],
  [/^this range is never closed; expected \[a TO b\]$/, "khoảng chưa đóng; cần [a TO b]"],
  [/^a range is written \[a TO b\]; expected ` TO ` inside the brackets$/, "khoảng viết là [a TO b], có ` TO ` ở giữa"],
  [/^expected a character after the backslash$/, "cần một ký tự sau dấu \\"],
  [/^expected a value straight after (`.+`)$/, "cần giá trị ngay sau $1"],
  [/^expected a value after (`.+`)$/, "cần giá trị sau $1"],
  [/^expected a value$/, "cần một giá trị"],
  [/^this bracket closes nothing; expected the end or a `\|`$/, "dấu ngoặc này không đóng gì; cần hết câu hoặc `|`"],
  [/^expected the end of the query or a `\|`$/, "cần hết câu hoặc `|`"],
  [/^expected `\)`$/, "thiếu dấu `)`"],
  [/^expected a term before (`.+`)$/, "cần một điều kiện trước $1"],
  [/^expected a field before the range, as in (`.+`)$/, "cần tên trường trước khoảng, ví dụ $1"],
  [/^expected a term, found the end of the query$/, "câu truy vấn dừng giữa chừng; cần thêm một điều kiện"],
  [/^expected a term$/, "cần một điều kiện"],
  [/^expected count, sum, avg, .+ or join after `\|`$/, "sau `|` cần count, sum, avg, min, max, p95, distinct, first, last, top, rare, table, timeline hoặc join"],
  [/^expected `count` or another measure before `top` and `rare`$/, "cần `count` hoặc một phép tính khác trước `top` và `rare`"],
  [/^only one table or timeline can be made; expected the end, `top` or `rare`$/, "chỉ lập được một bảng hoặc một dòng thời gian; cần hết câu, `top` hoặc `rare`"],
  [/^expected `join` before the other stages$/, "`join` phải đứng trước các bước khác"],
  [/^expected at most (\d+) joins$/, "dùng nhiều nhất $1 lần `join`"],
  [/^(`.+`) cannot be shared; expected a keyword, an address or a number$/, "$1 không dùng để nối được; cần từ khóa, địa chỉ hoặc số"],
  [/^expected a query in brackets, as in (`.+`)$/, "cần câu truy vấn trong ngoặc, ví dụ $1"],
  [/^expected at most (\d+) measures$/, "dùng nhiều nhất $1 phép tính"],
  [/^this expression is never closed; expected another "$/, 'biểu thức chưa đóng; thiếu dấu "'],
  [/^expected a field before the expression, as in (`.+`)$/s, "cần tên trường trước biểu thức, ví dụ $1"],
  [/^(`.+`) is no text; only text has regular expressions$/, "$1 không phải văn bản; biểu thức chính quy chỉ dùng cho văn bản"],
  [/^the expression is longer than (\d+) bytes; expected a shorter one$/, "biểu thức dài hơn $1 byte; cần ngắn hơn"],
  [/^this is no regular expression: (.+)$/s, "biểu thức chính quy chưa đúng: $1"],
  [/^expected `by` and field names$/, "cần `by` và tên trường"],
  [/^at most (\d+) fields can be counted by$/, "đếm được theo nhiều nhất $1 trường"],
  [/^at most (\d+) fields can be shown$/, "hiện được nhiều nhất $1 trường"],
  [/^expected a field's name$/, "cần tên trường"],
  [/^(`.+`) is not a number; expected a field that is one$/, "$1 không phải số; cần một trường số"],
  [/^expected a number from 1 to (\d+) after (`.+`)$/, "sau $2 cần một số từ 1 đến $1"],
  [/^expected a step such as 30s, 5m, 1h or 1d after `timeline`$/, "sau `timeline` cần bước thời gian như 30s, 5m, 1h, 1d"],
  [/^expected an event id SENSOR:NUMBER, not (`.*`)$/s, "cần mã sự kiện THIẾT_BỊ:SỐ, không phải $1"],
  [/^expected true or false, not (`.*`)$/s, "cần true hoặc false, không phải $1"],
  [/^(`.+`) has no order; expected a number, a time or an address for a range$/, "$1 không có thứ tự; khoảng cần số, thời điểm hoặc địa chỉ"],
  [/^(`.*`) has no word to search for; expected letters or digits$/s, "$1 không có từ nào để tìm; cần chữ hoặc số"],
  [/^expected an address or a network such as 192\.0\.2\.0\/24, not (`.*`)$/s, "cần địa chỉ hoặc mạng như 192.0.2.0/24, không phải $1"],
  [/^expected an address, not (`.*`)$/s, "cần một địa chỉ, không phải $1"],
  [/^expected a whole number, not (`.*`)$/s, "cần một số nguyên, không phải $1"],
  [/^expected a number, not (`.*`)$/s, "cần một số, không phải $1"],
  [/^expected a time such as (.+), not (`.*`)$/s, "cần thời điểm như $1, không phải $2"],
  // Why an answer is not complete.
  [/^events of (.+) could not be searched: (.+)$/s, "không tìm được trong phần dữ liệu $1: $2"],
  [/^more than (\d+) different values: the rarest are not counted$/, "có hơn $1 giá trị khác nhau: những giá trị hiếm nhất không được đếm"],
  [/^the patterns stand for more than (\d+) different words: .+$/, "mẫu khớp với hơn $1 từ khác nhau: những từ sau đó không được tìm"],
  [/^more than (\d+) different values: what came after them is not counted$/, "có hơn $1 giá trị khác nhau: những giá trị đến sau không được đếm"],
  [/^only (\d+) values of (.+) were joined on$/, "chỉ nối theo $1 giá trị của $2"],
  [/^only the first (\d+) events were counted by a field without a column$/, "chỉ đếm $1 sự kiện đầu theo trường không có cột chỉ mục"],
];

/** Fields of requests that people fill in. */
const FIELDS: Readonly<Record<string, string>> = {
  name: "Tên đăng nhập",
  display_name: "Tên hiển thị",
  password: "Mật khẩu",
  reason: "Lý do",
  verdict: "Kết luận",
  title: "Tiêu đề",
  summary: "Tóm tắt",
  text: "Ghi chú",
  ids: "Cảnh báo",
  alert_ids: "Cảnh báo",
  user_id: "Người phụ trách",
  date: "Ngày",
  expires_at: "Hết hạn",
  owner_id: "Người chịu trách nhiệm",
  lead_id: "Người phụ trách",
  assignee_id: "Người thực hiện",
  due_at: "Hạn",
  level: "Cấp độ",
  case_id: "Hồ sơ",
  into: "Hồ sơ",
  alert_id: "Cảnh báo",
  user_ids: "Người được xem",
  note: "Ghi chú",
};

/** One sentence of the server in the language of the page. */
export function phrase(language: string, text: string): string {
  if (language !== "vi") return text;
  for (const [pattern, vi] of PHRASES) if (pattern.test(text)) return text.replace(pattern, vi);
  return text;
}

/** A problem in the language of the page. */
export function problemText(language: string, { code, message, fields }: ProblemBody): string {
  if (language !== "vi") return message;
  const known = BY_CODE[code];
  if (known !== undefined) return known;
  const wrong = Object.entries(fields ?? {});
  if (wrong.length > 0) return wrong.map(([field, text]) => `${FIELDS[field] ?? field}: ${phrase(language, text)}`).join("; ");
  const said = phrase(language, message);
  return said === message && code === "bad_request" ? `Yêu cầu chưa hợp lệ: ${message}` : said;
}
