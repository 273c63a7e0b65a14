// Bytes for people: place, digits, text, sixteen to a line.

const PER_LINE = 16;

/** Lines of what hexadecimal digits stand for; the first byte has the number `from`. */
export function dump(digits: string, from: number): string {
  const bytes = (digits.match(/../g) ?? []).map((pair) => parseInt(pair, 16)).filter((byte) => !Number.isNaN(byte));
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += PER_LINE) {
    const part = bytes.slice(at, at + PER_LINE);
    const hex = part.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const text = part.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".")).join("");
    lines.push(`${String(from + at).padStart(6)}  ${hex.padEnd(PER_LINE * 3 - 1)}  ${text}`);
  }
  return lines.join("\n");
}
