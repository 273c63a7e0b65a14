// Words of the reports.
export const vi = {
  reports: {
    title: "Báo cáo",
    which: "Loại báo cáo",
    date: "Ngày",
    lang: "Ngôn ngữ",
    lang_vi: "Tiếng Việt",
    lang_en: "Tiếng Anh",
    pdf: "Tải PDF",
    print: "In",
    made: "Lập lúc {{time}}",
    open: "Xem dữ liệu",
  },
};

export const en: typeof vi = {
  reports: {
    title: "Reports",
    which: "Report",
    date: "Date",
    lang: "Language",
    lang_vi: "Vietnamese",
    lang_en: "English",
    pdf: "Download PDF",
    print: "Print",
    made: "Made at {{time}}",
    open: "Show the data",
  },
};
