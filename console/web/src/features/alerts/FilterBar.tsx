// The line above the queue: status, severities with what is open, agency, sensor, text, order. All of it in the URL.
import { Button, Chip, CloseButton, Group, Pill, SegmentedControl, Select, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { IconAdjustmentsHorizontal, IconSearch } from "@tabler/icons-react";
import { useEffect, useState, type RefObject } from "react";
import { useTranslation } from "react-i18next";
import { useCaller } from "../../api/session";
import { useAgencies, useSensors } from "../../api/shared";
import { SEVERITIES } from "../../api/types";
import { count, fullTime } from "../../ui/format";
import { SeverityShape } from "../../ui/Severity";
import { GROUPINGS, STATUS_FILTERS, usualBy, type useFilters } from "./filters";
import { useCounts } from "./queries";
import { Views } from "./Views";
import styles from "./FilterBar.module.css";

type Filters = ReturnType<typeof useFilters>;

export function FilterBar({ state, searchRef }: { state: Filters; searchRef: RefObject<HTMLInputElement | null> }) {
  const { t } = useTranslation();
  const { filters, change } = state;
  const counts = useCounts();
  // On a phone the queue matters more than what narrows it.
  const [unfolded, setUnfolded] = useState(false);
  return (
    <div className={styles.bar} data-unfolded={unfolded || undefined} role="search" aria-label={t("alerts.title")}>
      <SegmentedControl
        size="xs"
        withItemsBorders={false}
        aria-label={t("alerts.filter.status")}
        value={filters.status}
        onChange={(status) => change({ status: status === "open" ? undefined : status, by: undefined, alert: undefined, group: undefined, open: undefined })}
        data={STATUS_FILTERS.map((status) => ({
          value: status,
          label: status === "open" && counts.data ? `${t("alerts.filter.open")} ${count(counts.data.open)}` : t(`alerts.filter.${status}`),
        }))}
      />
      <Chip.Group multiple value={filters.severity} onChange={(severity) => change({ severity: severity.join(",") })}>
        <Group gap={4} role="group" aria-label={t("alerts.filter.severity")} wrap="nowrap">
          {SEVERITIES.map((level) => (
            <Chip key={level} value={level} size="xs" radius={6} variant="outline" title={t(`severity.${level}`)} aria-label={`${t(`severity.${level}`)} ${counts.data?.by_severity[level] ?? 0}`} classNames={{ label: styles.chip }}>
              <SeverityShape level={level} size={9} />
              <span className={styles.word}>{t(`severity.${level}`)}</span>
              <b>{count(counts.data?.by_severity[level] ?? 0)}</b>
            </Chip>
          ))}
        </Group>
      </Chip.Group>
      <Button size="compact-sm" variant="default" className={styles.fold} leftSection={<IconAdjustmentsHorizontal size={14} />} aria-expanded={unfolded} onClick={() => setUnfolded(!unfolded)}>
        {t("alerts.filter.more")}
      </Button>
      <div className={styles.part}>
        <Who state={state} />
        <SearchField state={state} inputRef={searchRef} />
      </div>
      <div className={styles.part} data-second>
        <Select
          size="xs"
          w={138}
          aria-label={t("alerts.filter.sort")}
          value={filters.sort}
          onChange={(sort) => change({ sort: sort === "severity" ? "severity" : undefined })}
          data={[
            { value: "time", label: t("alerts.filter.by_time") },
            { value: "severity", label: t("alerts.filter.by_severity") },
          ]}
        />
        <Select
          size="xs"
          w={150}
          aria-label={t("alerts.group.label")}
          value={filters.by}
          onChange={(by) => change({ by: by === usualBy(filters.status) ? undefined : (by ?? undefined), within: undefined, within_by: undefined, group: undefined, open: undefined })}
          data={GROUPINGS.map((by) => ({ value: by, label: t(`alerts.group.by.${by}`) }))}
          comboboxProps={{ width: 170 }}
        />
        <Narrowing state={state} />
        <Views view={state.view} onUse={state.use} />
      </div>
    </div>
  );
}

const ANY = "*";

function Who({ state: { filters, change } }: { state: Filters }) {
  const { t } = useTranslation();
  const agencies = useAgencies();
  const sensors = useSensors();
  return (
    <>
      <Select
        size="xs"
        w={136}
        searchable
        aria-label={t("alerts.filter.agency")}
        value={filters.agency ?? ANY}
        onChange={(agency) => change({ agency: agency === ANY ? undefined : (agency ?? undefined) })}
        data={[{ value: ANY, label: t("alerts.filter.any_agency") }, ...(agencies.data ?? []).map(({ id, name }) => ({ value: id, label: name }))]}
      />
      <Select
        size="xs"
        w={128}
        aria-label={t("alerts.filter.sensor")}
        value={filters.sensor ?? ANY}
        onChange={(sensor) => change({ sensor: sensor === ANY ? undefined : (sensor ?? undefined) })}
        data={[{ value: ANY, label: t("alerts.filter.any_sensor") }, ...(sensors.data ?? []).map(({ name }) => ({ value: name, label: name }))]}
      />
    </>
  );
}

const TYPING_MS = 300;

function SearchField({ state: { filters, change }, inputRef }: { state: Filters; inputRef: RefObject<HTMLInputElement | null> }) {
  const { t } = useTranslation();
  const [text, setText] = useState(filters.text);
  useEffect(() => setText(filters.text), [filters.text]);
  const apply = useDebouncedCallback((value: string) => change({ text: value }), TYPING_MS);
  const set = (value: string) => {
    setText(value);
    apply(value);
  };
  return (
    <TextInput
      ref={inputRef}
      size="xs"
      className={styles.search}
      aria-label={t("alerts.filter.text")}
      placeholder={t("alerts.filter.text_placeholder")}
      leftSection={<IconSearch size={14} />}
      rightSection={text !== "" && <CloseButton size="xs" onClick={() => set("")} aria-label={t("alerts.clear_filters")} />}
      value={text}
      onChange={(event) => set(event.currentTarget.value)}
      onKeyDown={(event) => event.key === "Escape" && event.currentTarget.blur()}
    />
  );
}

/** Narrowings that come from elsewhere: a rule, an address, "mine". */
function Narrowing({ state: { filters, change } }: { state: Filters }) {
  const { t } = useTranslation();
  const caller = useCaller();
  const pills = [
    { key: "rule", label: t("alerts.filter.rule"), value: filters.rule },
    { key: "ip", label: t("alerts.filter.ip"), value: filters.ip },
    { key: "host", label: t("alerts.filter.host"), value: filters.host },
    { key: "suppression", label: t("alerts.filter.suppression"), value: filters.suppression && "" },
    { key: "within", label: t("alerts.filter.within"), value: filters.within && "" },
    { key: "from", label: t("alerts.filter.from"), value: filters.from && fullTime(filters.from).slice(0, 16) },
    { key: "to", label: t("alerts.filter.to"), value: filters.to && fullTime(filters.to).slice(0, 16) },
  ] as const;
  return (
    <>
      <Chip size="xs" radius={6} variant="outline" checked={filters.assignee === caller.id} onChange={(on) => change({ assignee: on ? caller.id : undefined })} classNames={{ label: styles.chip }}>
        {t("alerts.filter.mine")}
      </Chip>
      <Chip size="xs" radius={6} variant="outline" checked={filters.watcher === caller.id} onChange={(on) => change({ watcher: on ? caller.id : undefined })} classNames={{ label: styles.chip }}>
        {t("alerts.filter.watched")}
      </Chip>
      {pills.map(({ key, label, value }) =>
        value === undefined ? null : (
          <Pill key={key} withRemoveButton removeButtonProps={{ "aria-label": `${t("ui.remove")}: ${label}`, "aria-hidden": false, tabIndex: 0 }} onRemove={() => change(key === "within" ? { within: undefined, within_by: undefined } : { [key]: undefined })}>
            {value === "" ? label : `${label}: ${value}`}
          </Pill>
        ),
      )}
      {filters.not.map((each) => {
        const value = each.slice(each.indexOf(":") + 1);
        return (
          <Pill key={each} withRemoveButton removeButtonProps={{ "aria-label": `${t("ui.remove")}: ${t("alerts.filter.not")} ${value}`, "aria-hidden": false, tabIndex: 0 }} onRemove={() => change({ not: filters.not.filter((other) => other !== each).join(",") })}>
            {t("alerts.filter.not")} {value}
          </Pill>
        );
      })}
    </>
  );
}
