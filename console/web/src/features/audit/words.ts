// Words of the audit log.
export const vi = {
  audit: {
    title: "Nhật ký kiểm toán",
    lead: "Ai đã làm gì, lúc nào, từ đâu. Mới nhất ở trên.",
    at: "Thời điểm",
    by: "Người thực hiện",
    action: "Hành động",
    subject: "Đối tượng",
    detail: "Chi tiết",
    address: "Địa chỉ",
    empty: "Chưa có bản ghi nào",
  },
};

export const en: typeof vi = {
  audit: {
    title: "Audit log",
    lead: "Who did what, when, from where. Newest first.",
    at: "When",
    by: "Who",
    action: "Action",
    subject: "Subject",
    detail: "Detail",
    address: "Address",
    empty: "There is no record yet",
  },
};
