// Words of the e-mail notices.
export const vi = {
  notices: {
    title: "Thư thông báo",
    lead: "Thư được xếp hàng trong cơ sở dữ liệu, gửi lại khi lỗi, lưu biên nhận của máy chủ thư.",
    created: "Tạo lúc",
    to: "Người nhận",
    subject: "Tiêu đề",
    state: "Trạng thái",
    attempts: "Lần gửi",
    receipt: "Biên nhận, lỗi",
    states: { queued: "Chờ gửi", sent: "Đã gửi", failed: "Không gửi được" },
    next: "gửi lại",
    empty: "Chưa có thư nào",
    empty_hint: "Cảnh báo mức cao trở lên sẽ tạo thư khi máy chủ thư đã được cấu hình.",
    open: "Mở cảnh báo",
  },
};

export const en: typeof vi = {
  notices: {
    title: "Notices",
    lead: "E-mail is queued in the database, retried when it fails, and the mail server's receipt is kept.",
    created: "Created",
    to: "To",
    subject: "Subject",
    state: "State",
    attempts: "Tries",
    receipt: "Receipt or error",
    states: { queued: "Queued", sent: "Sent", failed: "Failed" },
    next: "next try",
    empty: "There is no notice yet",
    empty_hint: "Alerts of high severity and above make one as soon as a mail server is configured.",
    open: "Open the alert",
  },
};
