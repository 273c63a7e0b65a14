// When: a named range up to now, or two moments.
import { Button, Popover, Stack } from "@mantine/core";
import { DateTimePicker } from "@mantine/dates";
import { IconClock } from "@tabler/icons-react";
import dayjs from "dayjs";
import timezone from "dayjs/plugin/timezone";
import utc from "dayjs/plugin/utc";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { fullTime, timeZone } from "../../ui/format";
import { RANGE_NAMES, type HuntState, type RangeName } from "./state";
import styles from "./Hunt.module.css";

dayjs.extend(utc);
dayjs.extend(timezone);

const PICKER = "YYYY-MM-DD HH:mm:ss";

/** The picker speaks wall-clock text of the installation's zone. */
function toPicker(text: string | undefined): string | null {
  return text === undefined ? null : dayjs(text).tz(timeZone()).format(PICKER);
}

function fromPicker(text: string | null): string | undefined {
  return text === null || text === "" ? undefined : dayjs.tz(text, timeZone()).toISOString();
}

interface RangePickerProps {
  state: HuntState;
  onRange: (range: RangeName) => void;
  onBounds: (from: string | undefined, to: string | undefined) => void;
}

export function RangePicker({ state, onRange, onBounds }: RangePickerProps) {
  const { t } = useTranslation();
  const [opened, setOpened] = useState(false);
  const [from, setFrom] = useState<string | null>(null);
  const [to, setTo] = useState<string | null>(null);
  const label = state.range === "custom" ? `${state.from ? fullTime(state.from) : "…"} – ${state.to ? fullTime(state.to) : "…"}` : t(`hunt.ranges.${state.range}`);
  const open = () => {
    setFrom(toPicker(state.from));
    setTo(toPicker(state.to));
    setOpened(!opened);
  };
  return (
    <Popover opened={opened} onChange={setOpened} position="bottom-end" shadow="md">
      <Popover.Target>
        <Button variant="default" size="sm" h={40} onClick={open} leftSection={<IconClock size={16} />} aria-label={`${t("hunt.range")}: ${label}`} fw={400}>
          {label}
        </Button>
      </Popover.Target>
      <Popover.Dropdown p="sm">
        <div className={styles.ranges}>
          <Stack gap={2}>
            {RANGE_NAMES.map((name) => (
              <Button
                key={name}
                variant={state.range === name ? "light" : "subtle"}
                color={state.range === name ? "bamboo" : "gray"}
                size="compact-sm"
                justify="flex-start"
                onClick={() => {
                  setOpened(false);
                  onRange(name);
                }}
              >
                {t(`hunt.ranges.${name}`)}
              </Button>
            ))}
          </Stack>
          <Stack gap="xs" w={230}>
            <DateTimePicker label={t("hunt.from")} value={from} onChange={setFrom} valueFormat="DD/MM/YYYY HH:mm:ss" withSeconds clearable size="xs" popoverProps={{ withinPortal: false }} />
            <DateTimePicker label={t("hunt.to")} value={to} onChange={setTo} valueFormat="DD/MM/YYYY HH:mm:ss" withSeconds clearable size="xs" popoverProps={{ withinPortal: false }} />
            <Button
              size="xs"
              onClick={() => {
                setOpened(false);
                onBounds(fromPicker(from), fromPicker(to));
              }}
            >
              {t("hunt.apply")}
            </Button>
          </Stack>
        </div>
      </Popover.Dropdown>
    </Popover>
  );
}
