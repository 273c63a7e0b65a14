// The queue: rows in the order the server gave, never moving under the cursor. What arrives is announced at the top
// edge and taken in by a click; what somebody else decides changes in place. Only the rows in sight are drawn, and the
// next page is fetched when its end comes into sight, so that ten thousand alerts scroll like ten.
import { Button, Checkbox, Loader, Tooltip } from "@mantine/core";
import { IconArrowUp, IconChevronRight, IconFilterOff, IconMoodCheck } from "@tabler/icons-react";
import { useVirtualizer } from "@tanstack/react-virtual";
import { memo, useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import type { AlertGroup, AlertRow, Endpoint } from "../../api/types";
import { count } from "../../ui/format";
import { SeverityBadge } from "../../ui/Severity";
import { Empty } from "../../ui/States";
import { Time } from "../../ui/Time";
import type { Row } from "./rows";
import { useRuleName } from "./ruleName";
import styles from "./Queue.module.css";

interface QueueProps {
  rows: readonly Row[];
  /** How many rows there are in all, shown or not. */
  total: number;
  /** How many alerts all of them are, when they are groups. */
  alerts?: number | undefined;
  /** When groups were made of so many of the newest alerts only. */
  newestOnly?: number | undefined;
  selected: string | null;
  marked: ReadonlySet<string>;
  leaving: ReadonlySet<string>;
  arrived: number;
  narrowed: boolean;
  canMark: boolean;
  hasMore: boolean;
  loadingMore: boolean;
  onTake: () => void;
  onOpen: (row: Row) => void;
  /** `through` means: everything from the row marked last. */
  onMark: (row: Row, through: boolean) => void;
  onToggle: (row: Row) => void;
  onMore: () => void;
  onClear: () => void;
}

/** The height of a row, as Queue.module.css says. */
const ROW_PX = 56;
/** Rows drawn beyond the edges. */
const OVERSCAN = 12;

const optionId = (id: string) => `alert-${id}`;

export function Queue(props: QueueProps) {
  const { t } = useTranslation();
  const { rows, total, selected, marked, leaving, arrived, canMark, hasMore, loadingMore, onMore } = props;
  const list = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => list.current,
    estimateSize: () => ROW_PX,
    getItemKey: (at) => rows[at]?.id ?? at,
    overscan: OVERSCAN,
  });

  // Only a change of the selection moves the list; what arrives or leaves does not.
  const at = useRef(-1);
  at.current = rows.findIndex((row) => row.id === selected);
  useEffect(() => {
    if (at.current >= 0) virtual.scrollToIndex(at.current, { align: "auto" });
  }, [selected, virtual]);

  const inSight = virtual.getVirtualItems();
  const end = (inSight.at(-1)?.index ?? -1) >= rows.length - 1;
  useEffect(() => {
    if (end && hasMore && !loadingMore && rows.length > 0) onMore();
  }, [end, hasMore, loadingMore, rows.length, onMore]);

  return (
    <section className={styles.queue} aria-label={t("alerts.queue")}>
      {arrived > 0 && (
        <Tooltip label={t("alerts.new_alerts_hint")}>
          <button type="button" className={styles.arrived} onClick={props.onTake}>
            <IconArrowUp size={14} aria-hidden />
            {t("alerts.new_alerts", { number: count(arrived) })}
          </button>
        </Tooltip>
      )}
      {rows.length === 0 ? (
        <NoRows narrowed={props.narrowed} onClear={props.onClear} />
      ) : (
        <>
          <div className={styles.list} ref={list} role="listbox" tabIndex={0} aria-label={t("alerts.queue")} aria-activedescendant={inSight.some((item) => rows[item.index]?.id === selected) && selected !== null ? optionId(selected) : undefined}>
            <div className={styles.whole} style={{ height: virtual.getTotalSize() }} role="presentation">
              {inSight.map((item) => {
                const row = rows[item.index];
                return row && <Line key={item.key} row={row} start={item.start} position={item.index + 1} total={Math.max(total, rows.length)} selected={row.id === selected} marked={marked.has(row.id)} leaving={leaving.has(row.id)} canMark={canMark && row.kind !== "rest"} marking={marked.size > 0} onOpen={props.onOpen} onMark={props.onMark} onToggle={props.onToggle} />;
              })}
            </div>
          </div>
          <div className={styles.foot}>
            {props.alerts === undefined ? t("alerts.count", { shown: count(rows.length), total: count(total) }) : t("alerts.group.count", { groups: count(total), alerts: count(props.alerts) })}
            {props.newestOnly !== undefined && <span>{t("alerts.group.newest_only", { number: count(props.newestOnly) })}</span>}
            {loadingMore && <Loader size={12} aria-label={t("ui.loading")} />}
          </div>
        </>
      )}
    </section>
  );
}

function NoRows({ narrowed, onClear }: { narrowed: boolean; onClear: () => void }) {
  const { t } = useTranslation();
  if (!narrowed) {
    return (
      <Empty icon={<IconMoodCheck size={30} color="var(--lt-accent)" />} title={t("alerts.empty")}>
        {t("alerts.empty_hint")}
      </Empty>
    );
  }
  return (
    <Empty icon={<IconFilterOff size={28} className="dim" />} title={t("alerts.empty_filtered")}>
      <Button size="xs" variant="default" onClick={onClear} mt="xs">
        {t("alerts.clear_filters")}
      </Button>
    </Empty>
  );
}

interface LineProps {
  row: Row;
  /** Where the row begins, in pixels from the top of the list. */
  start: number;
  /** Its place in the whole list, from 1. */
  position: number;
  total: number;
  selected: boolean;
  marked: boolean;
  leaving: boolean;
  canMark: boolean;
  marking: boolean;
  onOpen: (row: Row) => void;
  onMark: (row: Row, through: boolean) => void;
  onToggle: (row: Row) => void;
}

function place(endpoint: Endpoint | null | undefined): string {
  if (!endpoint) return "—";
  if (endpoint.port === undefined || endpoint.port === null) return endpoint.ip;
  return endpoint.ip.includes(":") ? `[${endpoint.ip}]:${endpoint.port}` : `${endpoint.ip}:${endpoint.port}`;
}

const Line = memo(function Line({ row, start, position, total, selected, marked, leaving, canMark, marking, onOpen, onMark, onToggle }: LineProps) {
  const { t } = useTranslation();
  const level = row.kind === "alert" ? row.alert.severity : row.group.severity;
  const status = row.kind === "alert" ? row.alert.status : row.group.alerts === 0 ? "closed" : undefined;
  const name = useRuleName();
  return (
    <div className={styles.row} style={{ transform: `translateY(${start}px)` }} id={optionId(row.id)} role="option" aria-selected={selected} aria-checked={canMark ? marked : undefined} aria-expanded={row.kind === "group" ? row.open : undefined} aria-setsize={total} aria-posinset={position} data-kind={row.kind} data-member={(row.kind === "alert" && row.member) || undefined} data-level={level} data-status={status} data-leaving={leaving || undefined} data-marking={marking || undefined} onClick={(click) => (click.shiftKey && canMark ? onMark(row, true) : onOpen(row))}>
      {canMark && (
        <span
          className={styles.mark}
          title={`${t("alerts.select")} (x)`}
          onClick={(click) => {
            click.stopPropagation();
            onMark(row, click.shiftKey);
          }}
        >
          <Checkbox.Indicator size="xs" checked={marked} />
        </span>
      )}
      {row.kind === "rest" ? (
        <div className={styles.rest}>{t("alerts.group.rest", { number: count(row.group.alerts) })}</div>
      ) : row.kind === "group" ? (
        <GroupLines group={row.group} open={row.open} name={name({ name: row.group.lead.rule_name, name_vi: row.group.lead.rule_name_vi })} onToggle={() => onToggle(row)} />
      ) : (
        <AlertLines row={row.alert} name={name({ name: row.alert.rule_name, name_vi: row.alert.rule_name_vi })} />
      )}
    </div>
  );
});

function AlertLines({ row, name }: { row: AlertRow; name: string }) {
  const { t } = useTranslation();
  return (
    <>
      <div className={styles.first}>
        <SeverityBadge level={row.severity} compact />
        <span className={styles.name} title={name}>
          {name}
        </span>
        <span className={styles.time}>
          <Time at={row.time} style="short" />
        </span>
      </div>
      <div className={styles.second}>
        <span className={styles.addresses}>
          {row.source?.ip ?? "—"} <span className={styles.arrow}>→</span> {place(row.destination)}
        </span>
        {row.event_count > 1 && <span title={t("alerts.events", { number: count(row.event_count) })}>×{count(row.event_count)}</span>}
        <span className={styles.agency}>{row.agency?.name ?? row.sensor}</span>
        {row.status !== "open" && <span className={styles.chip}>{row.verdict ? t(`verdict.${row.verdict}`) : t(`alerts.status.${row.status}`)}</span>}
        {row.assignee && <Initials name={row.assignee.display_name} />}
      </div>
    </>
  );
}

/** What a group hides, in numbers. */
export function useGroupWords() {
  const { t } = useTranslation();
  return ({ alerts, rules, sources, new_destinations }: AlertGroup): string =>
    [
      t("alerts.group.alerts", { number: count(alerts) }),
      rules > 1 ? t("alerts.group.rules", { number: count(rules) }) : "",
      sources === 1 ? t("alerts.group.one_source") : t("alerts.group.sources", { number: count(sources) }),
      new_destinations === 1 ? t("alerts.group.one_new_destination") : new_destinations > 1 ? t("alerts.group.new_destinations", { number: count(new_destinations) }) : "",
    ]
      .filter((part) => part !== "")
      .join(" · ");
}

function GroupLines({ group, open, name, onToggle }: { group: AlertGroup; open: boolean; name: string; onToggle: () => void }) {
  const { t } = useTranslation();
  const words = useGroupWords()(group);
  const { lead } = group;
  const who = group.host ?? (group.sources === 1 ? lead.source?.ip : undefined);
  return (
    <>
      <div className={styles.first}>
        <SeverityBadge level={group.severity} compact />
        <span className={styles.name} title={name}>
          {name}
        </span>
        {who !== undefined && <span className={styles.host}>{who}</span>}
        <span className={styles.time}>
          <Time at={group.last} style="short" />
        </span>
      </div>
      <div className={styles.second}>
        <span
          className={styles.toggle}
          data-open={open || undefined}
          title={open ? t("alerts.group.close") : t("alerts.group.open")}
          onClick={(click) => {
            click.stopPropagation();
            onToggle();
          }}
        >
          <IconChevronRight size={14} aria-hidden />
          <b>{words}</b>
        </span>
        <span className={styles.agency}>{group.alerts === 0 ? t("alerts.group.empty") : group.agencies > 1 ? t("alerts.group.agencies", { number: count(group.agencies) }) : (lead.agency?.name ?? lead.sensor)}</span>
        {lead.assignee && <Initials name={lead.assignee.display_name} />}
      </div>
    </>
  );
}

function Initials({ name }: { name: string }) {
  const letters = name.split(/\s+/).slice(-2).map((word) => word.charAt(0).toUpperCase()).join("");
  return (
    <span className={styles.initials} title={name}>
      {letters}
    </span>
  );
}
