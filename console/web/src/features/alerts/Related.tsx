// Events of the same flow and those the alert stands on, as a timeline; each opens into its fields.
import { Button } from "@mantine/core";
import { IconZoomScan } from "@tabler/icons-react";
import type { UseQueryResult } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { phrase } from "../../api/phrases";
import { term } from "../../api/query";
import { sideOf, summary } from "../../api/summary";
import type { Alert, EventDocument } from "../../api/types";
import { FieldTable } from "../../ui/FieldTable";
import { pickText } from "../../ui/flatten";
import { clockTime } from "../../ui/format";
import { Empty, Failed, Partial, SkeletonRows } from "../../ui/States";
import styles from "./Evidence.module.css";

interface RelatedAnswer {
  events: EventDocument[];
  total: number;
  partial: string[];
}

export function Related({ alert, query }: { alert: Alert; query: UseQueryResult<RelatedAnswer> }) {
  const { t, i18n } = useTranslation();
  if (query.isPending) return <SkeletonRows rows={4} height={24} />;
  if (query.isError) return <Failed error={query.error} retry={() => void query.refetch()} />;
  const { events, partial } = query.data;
  const own = new Set(alert.event_ids);
  return (
    <section aria-label={t("alerts.related.title")}>
      <Partial reasons={partial.map((reason) => phrase(i18n.language, reason))} />
      {events.length === 0 ? (
        <Empty title={t("alerts.related.none")}>{t("alerts.related.none_hint")}</Empty>
      ) : (
        <ol className={styles.timeline}>
          {events.map((event, at) => (
            <RelatedEvent key={pickText(event, "event.id") ?? at} event={event} own={own.has(pickText(event, "event.id") ?? "")} />
          ))}
        </ol>
      )}
      {alert.community_id && (
        <Button component={Link} to={`/hunt?${new URLSearchParams({ q: term("network.community_id", alert.community_id), range: "all" }).toString()}`} size="xs" variant="default" leftSection={<IconZoomScan size={14} />}>
          {t("alerts.related.hunt")}
        </Button>
      )}
    </section>
  );
}

function RelatedEvent({ event, own }: { event: EventDocument; own: boolean }) {
  const [open, setOpen] = useState(false);
  return (
    <li data-self={own || undefined}>
      <button type="button" className={styles.eventLine} aria-expanded={open} onClick={() => setOpen(!open)}>
        <span className="mono dim">{clockTime(pickText(event, "@timestamp") ?? "")}</span>
        <span className={styles.dataset}>{pickText(event, "event.dataset")}</span>
        <span className={styles.eventText}>
          <span className="mono">{summary(event)}</span>{" "}
          <span className="dim mono">
            {sideOf(event, "source")} → {sideOf(event, "destination")}
          </span>
        </span>
      </button>
      {open && <FieldTable document={event} />}
    </li>
  );
}
