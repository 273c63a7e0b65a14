// Numbers, sizes and times as people read them. Times are absolute in the zone of the installation
// (dd/MM/yyyy HH:mm:ss) and relative in lists; the language only changes words, never the order of a date.

let zone = "Asia/Ho_Chi_Minh";
let lang = "vi";

/** Sets the time zone and language of everything below. */
export function setFormats(timeZone: string, language: string) {
  zone = timeZone;
  lang = language;
}

export function timeZone(): string {
  return zone;
}

function parts(time: Date): Record<string, string> {
  const format = new Intl.DateTimeFormat("en-GB", {
    timeZone: zone,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
  });
  return Object.fromEntries(format.formatToParts(time).map((part) => [part.type, part.value]));
}

/** `dd/MM/yyyy HH:mm:ss`; with `ms` also the milliseconds. */
export function fullTime(text: string, ms = false): string {
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) return text;
  const p = parts(time);
  const tail = ms ? `.${String(time.getUTCMilliseconds()).padStart(3, "0")}` : "";
  return `${p["day"]}/${p["month"]}/${p["year"]} ${p["hour"]}:${p["minute"]}:${p["second"]}${tail}`;
}

/** `HH:mm:ss`. */
export function clockTime(text: string): string {
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) return text;
  const p = parts(time);
  return `${p["hour"]}:${p["minute"]}:${p["second"]}`;
}

const DAY_MS = 86_400_000;

/** A moment on an axis: `HH:mm:ss` where marks are less than a minute apart, `dd/MM` where they are days, else both. */
export function axisTime(ms: number, apartMs: number): string {
  const p = parts(new Date(ms));
  if (apartMs < 60_000) return `${p["hour"]}:${p["minute"]}:${p["second"]}`;
  const day = `${p["day"]}/${p["month"]}`;
  return apartMs >= DAY_MS ? day : `${day} ${p["hour"]}:${p["minute"]}`;
}

/** Today in the zone, `YYYY-MM-DD`. */
export function today(): string {
  const p = parts(new Date());
  return `${p["year"]}-${p["month"]}-${p["day"]}`;
}

const STEPS: ReadonlyArray<[Intl.RelativeTimeFormatUnit, number]> = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

/** "5 phút trước", or "5 phút" when `short`; anything below a minute is "vừa xong" / "just now". */
export function relativeTime(text: string, now: number, short = false): string {
  const time = Date.parse(text);
  if (Number.isNaN(time)) return text;
  const seconds = Math.round((time - now) / 1000);
  const format = new Intl.RelativeTimeFormat(lang, { numeric: "always", style: "short" });
  for (const [unit, size] of STEPS) {
    if (Math.abs(seconds) < size) continue;
    const number = Math.trunc(seconds / size);
    if (!short) return format.format(number, unit);
    return new Intl.NumberFormat(lang, { style: "unit", unit, unitDisplay: "short" }).format(Math.abs(number));
  }
  return lang === "vi" ? "vừa xong" : "just now";
}

/** A whole number with the language's separators. */
export function count(value: number): string {
  return new Intl.NumberFormat(lang).format(value);
}

/** A number with up to two decimals: a mean, a percentile. */
export function measure(value: number): string {
  return new Intl.NumberFormat(lang, { maximumFractionDigits: 2 }).format(value);
}

/** A share between 0 and 1 in per cent; never rounded up to 100 when it is not. */
export function percent(share: number): string {
  const floored = share >= 1 ? 1 : Math.min(share, 0.9999);
  const number = new Intl.NumberFormat(lang, { maximumFractionDigits: 2 }).format(floored * 100);
  return lang === "vi" ? `${number}\u00a0%` : `${number}%`;
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

/** Bytes in binary units. */
export function bytes(value: number): string {
  let size = value;
  let unit = 0;
  while (size >= 1024 && unit < UNITS.length - 1) {
    size /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || size >= 100 ? 0 : 1;
  return `${new Intl.NumberFormat(lang, { maximumFractionDigits: digits }).format(size)} ${UNITS[unit] ?? ""}`;
}

/** A length of time in its largest sensible unit. */
export function duration(ms: number): string {
  const format = (value: number, unit: string) =>
    new Intl.NumberFormat(lang, { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: 1 }).format(value);
  if (ms > 0 && ms < 1) return `< ${format(1, "millisecond")}`;
  if (ms < 1000) return format(Math.round(ms), "millisecond");
  if (ms < 60_000) return format(ms / 1000, "second");
  if (ms < 3_600_000) return format(ms / 60_000, "minute");
  if (ms < 86_400_000) return format(ms / 3_600_000, "hour");
  return format(ms / 86_400_000, "day");
}

/** Prose that was wrapped for a file: its lines joined again; blank lines and list items stay apart. */
export function reflow(text: string): string {
  return text.trim().replace(/[ \t]*\n(?![ \t]*(?:\n|[-*•]\s|\d+[.)]\s))(?<!\n\n)[ \t]*/g, " ");
}
