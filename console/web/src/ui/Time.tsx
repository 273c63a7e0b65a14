// A moment: relative in lists, absolute when hovered; or the other way round.
import { Tooltip } from "@mantine/core";
import { useNow } from "./clock";
import { clockTime, fullTime, relativeTime } from "./format";

type Style = "relative" | "short" | "full" | "clock";

export function Time({ at, style = "relative" }: { at: string; style?: Style }) {
  const now = useNow();
  const relative = relativeTime(at, now);
  const full = fullTime(at);
  const shown = style === "relative" ? relative : style === "short" ? relativeTime(at, now, true) : style === "clock" ? clockTime(at) : full;
  return (
    <Tooltip label={style === "full" ? relative : full}>
      <time dateTime={at} className={style === "relative" || style === "short" ? undefined : "mono"} style={{ whiteSpace: "nowrap" }}>
        {shown}
      </time>
    </Tooltip>
  );
}
