// The queue: rows in the order the server gave, never moving under the cursor. What arrives is announced at the top
// edge and taken in by a click; what somebody else decides changes in place.
import { Button, Checkbox, Tooltip } from "@mantine/core";
import { IconArrowUp, IconMoodCheck, IconFilterOff } from "@tabler/icons-react";
import { memo, useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import type { AlertRow, Endpoint } from "../../api/types";
import { count } from "../../ui/format";
import { SeverityBadge } from "../../ui/Severity";
import { Empty } from "../../ui/States";
import { Time } from "../../ui/Time";
import { useRuleName } from "./ruleName";
import styles from "./Queue.module.css";

interface QueueProps {
  rows: readonly AlertRow[];
  total: number;
  selected: string | null;
  marked: ReadonlySet<string>;
  leaving: ReadonlySet<string>;
  arrived: number;
  narrowed: boolean;
  canMark: boolean;
  hasMore: boolean;
  loadingMore: boolean;
  onTake: () => void;
  onOpen: (row: AlertRow) => void;
  onMark: (row: AlertRow) => void;
  onMore: () => void;
  onClear: () => void;
}

export function Queue(props: QueueProps) {
  const { t } = useTranslation();
  const { rows, total, selected, marked, leaving, arrived, canMark } = props;
  const list = useRef<HTMLDivElement>(null);

  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }, [selected]);

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
      <div className={styles.list} ref={list} role="listbox" aria-label={t("alerts.queue")} aria-multiselectable={false}>
        {rows.map((row) => (
          <Row key={row.id} row={row} selected={row.id === selected} marked={marked.has(row.id)} leaving={leaving.has(row.id)} canMark={canMark} marking={marked.size > 0} onOpen={props.onOpen} onMark={props.onMark} />
        ))}
        {rows.length === 0 && <NoRows narrowed={props.narrowed} onClear={props.onClear} />}
        {rows.length > 0 && (
          <div className={styles.foot}>
            {t("alerts.count", { shown: count(rows.length), total: count(total) })}
            {props.hasMore && (
              <Button size="compact-xs" variant="default" loading={props.loadingMore} onClick={props.onMore}>
                {t("ui.more")}
              </Button>
            )}
          </div>
        )}
      </div>
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

interface RowProps {
  row: AlertRow;
  selected: boolean;
  marked: boolean;
  leaving: boolean;
  canMark: boolean;
  marking: boolean;
  onOpen: (row: AlertRow) => void;
  onMark: (row: AlertRow) => void;
}

function place(endpoint: Endpoint | null | undefined): string {
  if (!endpoint) return "—";
  if (endpoint.port === undefined || endpoint.port === null) return endpoint.ip;
  return endpoint.ip.includes(":") ? `[${endpoint.ip}]:${endpoint.port}` : `${endpoint.ip}:${endpoint.port}`;
}

const Row = memo(function Row({ row, selected, marked, leaving, canMark, marking, onOpen, onMark }: RowProps) {
  const { t } = useTranslation();
  const name = useRuleName()({ name: row.rule_name, name_vi: row.rule_name_vi });
  return (
    <div className={styles.row} role="option" aria-selected={selected} data-level={row.severity} data-status={row.status} data-leaving={leaving || undefined} data-marking={marking || undefined} onClick={() => onOpen(row)}>
      {canMark && (
        <span className={styles.mark} onClick={(click) => click.stopPropagation()}>
          <Checkbox size="xs" checked={marked} onChange={() => onMark(row)} aria-label={`${t("alerts.select")}: ${name}`} tabIndex={-1} />
        </span>
      )}
      <div className={styles.first}>
        <SeverityBadge level={row.severity} compact />
        <span className={styles.name}>{name}</span>
        <span className={styles.time}>
          <Time at={row.time} />
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
    </div>
  );
});

function Initials({ name }: { name: string }) {
  const letters = name.split(/\s+/).slice(-2).map((word) => word.charAt(0).toUpperCase()).join("");
  return (
    <span className={styles.initials} title={name}>
      {letters}
    </span>
  );
}
