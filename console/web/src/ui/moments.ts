// Moments between the pickers, which speak the page's time zone without naming it, and the server, which speaks UTC.
import dayjs from "dayjs";
import timezone from "dayjs/plugin/timezone";
import utc from "dayjs/plugin/utc";
import { timeZone } from "./format";

dayjs.extend(utc);
dayjs.extend(timezone);

export function toPicker(at: string | null | undefined): string | null {
  return at ? dayjs(at).tz(timeZone()).format("YYYY-MM-DD HH:mm:ss") : null;
}

export function fromPicker(value: string): string {
  return dayjs.tz(value, timeZone()).toISOString();
}

/** The present moment as the browser's own field for date and time writes it, in the page's zone. */
export function nowLocal(): string {
  return dayjs().tz(timeZone()).format("YYYY-MM-DDTHH:mm");
}
