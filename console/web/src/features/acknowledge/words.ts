// Words of the page that a link in a message opens.
export const vi = {
  acknowledge: {
    title: "Tiếp nhận cảnh báo",
    lead: "Mở trang này chưa phải là tiếp nhận: bấm nút bên dưới.",
    none: "Đường dẫn không đúng hoặc đã hết hạn",
    none_hint: "Đăng nhập để xem cảnh báo và tiếp nhận trên trang.",
    for: "Gọi cho {{name}}",
    alerts: "{{number}} cảnh báo cùng loại",
    button: "Tiếp nhận",
    done: "Đã tiếp nhận. Hệ thống không gọi người tiếp theo.",
    done_by: "{{name}} đã tiếp nhận",
    handled: "Đã có người xử lý cảnh báo này; không cần tiếp nhận.",
    see: "Xem cảnh báo (cần đăng nhập)",
  },
};

export const en: typeof vi = {
  acknowledge: {
    title: "Acknowledge an alert",
    lead: "Opening this page acknowledges nothing yet: press the button below.",
    none: "The link is wrong or has lapsed",
    none_hint: "Log in to see the alert and to acknowledge it in the console.",
    for: "{{name}} is asked",
    alerts: "{{number}} alerts of this kind",
    button: "Acknowledge",
    done: "Acknowledged. Nobody else is asked.",
    done_by: "{{name}} has acknowledged",
    handled: "Somebody works on this alert already; there is nothing to acknowledge.",
    see: "See the alert (log-in needed)",
  },
};
