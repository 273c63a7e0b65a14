// What a rule wanted, in Vietnamese. The engine says it in English with a small fixed grammar; what does not fit the
// grammar stays as it is.

type Phrase = readonly [pattern: RegExp, vi: string];

const PHRASES: readonly Phrase[] = [
  [/^is absent$/, "không có"],
  [/^is present$/, "có mặt"],
  [/^is one of (.+)$/s, "là một trong $1"],
  [/^is in (.+)$/s, "thuộc $1"],
  [/^is the same as (.+)$/s, "giống $1"],
  [/^is >= ?(.+)$/s, "ít nhất $1"],
  [/^is <= ?(.+)$/s, "nhiều nhất $1"],
  [/^is > ?(.+)$/s, "lớn hơn $1"],
  [/^is < ?(.+)$/s, "nhỏ hơn $1"],
  [/^is (.+)$/s, "là $1"],
  [/^contains (.+)$/s, "chứa $1"],
  [/^begins with (.+)$/s, "bắt đầu bằng $1"],
  [/^ends with (.+)$/s, "kết thúc bằng $1"],
  [/^matches (.+)$/s, "khớp mẫu $1"],
  [/^satisfies (.+)$/s, "thỏa $1"],
  [/^the same in all events$/, "giống nhau ở mọi sự kiện"],
  [/^reached the rule's threshold within (\d+) s$/, "đạt ngưỡng của luật trong $1 giây"],
  [/^string (\S+) at offset (\d+)$/, "chuỗi $1 ở vị trí $2"],
  [/^at byte (\d+)$/, "từ byte thứ $1"],
  [/^file matches (.+)$/s, "tệp khớp $1"],
  [/^domain (.+)$/s, "tên miền trong danh sách: $1"],
  [/^(?:ip|cidr) (.+)$/s, "địa chỉ trong danh sách: $1"],
  [/^url (.+)$/s, "URL trong danh sách: $1"],
  [/^hash (.+)$/s, "mã băm trong danh sách: $1"],
  [/^(ja3s?|ja4) (.+)$/s, "$1 trong danh sách: $2"],
];

/** The engine's phrase in the language of the page. */
export function wantedIn(language: string, wanted: string): string {
  if (language !== "vi") return wanted;
  const negated = /^not: (.+)$/s.exec(wanted);
  if (negated?.[1] !== undefined) return `không: ${wantedIn(language, negated[1])}`;
  for (const [pattern, vi] of PHRASES) {
    if (pattern.test(wanted)) return wanted.replace(pattern, vi).replace(" (source: ", " (nguồn: ");
  }
  return wanted;
}
