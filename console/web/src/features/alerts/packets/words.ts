// Words of an alert's packets.
export const vi = {
  packets: {
    lead: "{{number}} gói tin của luồng này, như đã đi trên đường truyền.",
    download: "Tải về (pcapng)",
    none: "Không có gói tin",
    none_hint: "Gói tin của luồng này không còn trên thiết bị quan trắc: đã quá hạn lưu, hoặc thiết bị không lưu gói tin.",
    no_flow: "Cảnh báo này không gắn với một luồng.",
    not_allowed: "Chỉ người phân loại cảnh báo được xem gói tin.",
    streams: "Nội dung theo chiều",
    text: "Văn bản",
    hex: "Thập lục phân",
    missing: "thiếu {{number}} byte",
    cut: "còn {{number}} byte nữa; tải về để xem hết",
    list: "Từng gói tin",
    bytes: "{{number}} byte",
    more: "Còn {{number}} gói tin nữa trong tệp tải về.",
  },
};

export const en: typeof vi = {
  packets: {
    lead: "{{number}} packets of this flow, as they were on the wire.",
    download: "Download (pcapng)",
    none: "No packets",
    none_hint: "The sensor no longer has packets of this flow: their time is over, or it keeps none.",
    no_flow: "This alert is not about one flow.",
    not_allowed: "Only those who triage alerts may see packets.",
    streams: "Content of each direction",
    text: "Text",
    hex: "Hexadecimal",
    missing: "{{number}} bytes missing",
    cut: "{{number}} bytes more; download to see all",
    list: "Packet by packet",
    bytes: "{{number}} bytes",
    more: "{{number}} more packets are in the download.",
  },
};
