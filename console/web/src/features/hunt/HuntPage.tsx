// The hunt: query, range, timeline, facets, results. Everything in the address.
import { Button, Loader } from "@mantine/core";
import { useHotkeys } from "@mantine/hooks";
import { IconColumnInsertRight, IconColumnRemove, IconFilterMinus, IconFilterPlus, IconListSearch, IconSearchOff, IconSum, IconZoomOut } from "@tabler/icons-react";
import { useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { ApiFailure } from "../../api/client";
import { phrase } from "../../api/phrases";
import { narrow, splitStages, term } from "../../api/query";
import type { SearchAnswer } from "../../api/types";
import { count, duration } from "../../ui/format";
import { Histogram } from "../../ui/Histogram";
import { usePageTitle } from "../../ui/Page";
import { Empty, Failed, Partial, SkeletonRows } from "../../ui/States";
import { ValueActions, type ValueAction } from "../../ui/Value";
import { Facets } from "./Facets";
import { QueryBar, type QueryError } from "./QueryBar";
import { useSearch } from "./queries";
import { RangePicker } from "./RangePicker";
import { ColumnPicker, AnswerTable, Results } from "./Results";
import { useHunt } from "./state";
import styles from "./Hunt.module.css";

type Hunt = ReturnType<typeof useHunt>;

function useValueActions({ state, setQuery, setColumns }: Hunt): ValueAction[] {
  const { t } = useTranslation();
  return useMemo(() => {
    const { query, columns } = state;
    return [
      { key: "include", label: t("hunt.include"), icon: <IconFilterPlus size={15} />, run: (field, value) => setQuery(narrow(query, term(field, value))) },
      { key: "exclude", label: t("hunt.exclude"), icon: <IconFilterMinus size={15} />, run: (field, value) => setQuery(narrow(query, `NOT ${term(field, value)}`)) },
      { key: "only", label: t("hunt.only"), icon: <IconListSearch size={15} />, run: (field, value) => setQuery(term(field, value)) },
      { key: "group", label: t("hunt.group"), icon: <IconSum size={15} />, run: (field) => setQuery(`${splitStages(query).filter} | count by ${field}`.trim()) },
      {
        key: "column",
        label: t("hunt.add_column"),
        icon: <IconColumnInsertRight size={15} />,
        run: (field) => setColumns(columns.includes(field) ? columns : [...columns, field]),
      },
      { key: "no-column", label: t("hunt.remove_column"), icon: <IconColumnRemove size={15} />, run: (field) => setColumns(columns.filter((each) => each !== field)) },
    ] satisfies ValueAction[];
    // setQuery and setColumns are as fresh as the state they come with
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [state, t]);
}

function queryError(error: Error | null, query: string): QueryError | null {
  if (!(error instanceof ApiFailure) || error.status !== 400) return null;
  return { message: error.message, position: error.body.position ?? undefined, query };
}

export default function HuntPage() {
  const { t } = useTranslation();
  usePageTitle(t("hunt.title"));
  const hunt = useHunt();
  const { state } = hunt;
  const [sent, setSent] = useState(() => Date.now());
  const search = useSearch(state, sent);
  const input = useRef<HTMLTextAreaElement>(null);
  const actions = useValueActions(hunt);
  const bad = queryError(search.error, state.query);
  useHotkeys([["/", () => input.current?.focus()]]);

  const run = (query: string) => {
    setSent(Date.now());
    if (query !== state.query) hunt.setQuery(query);
  };

  const first = search.data?.pages[0];
  return (
    <ValueActions actions={actions}>
      <main className={styles.page}>
        <h1 className="visually-hidden">{t("hunt.title")}</h1>
        <div className={styles.top}>
          <QueryBar value={state.query} busy={search.isFetching} error={bad} inputRef={input} onRun={run} />
          <RangePicker
            state={state}
            onRange={(range) => {
              setSent(Date.now());
              hunt.setRange(range);
            }}
            onBounds={hunt.setBounds}
          />
        </div>
        {search.isPending ? (
          <SkeletonRows rows={12} height={26} />
        ) : search.isError && !first ? (
          bad ? null : (
            <Failed error={search.error} retry={() => void search.refetch()} />
          )
        ) : (
          first && <Answer hunt={hunt} pages={search.data?.pages ?? []} first={first} stale={search.isPlaceholderData} more={search.hasNextPage ? () => void search.fetchNextPage() : undefined} loadingMore={search.isFetchingNextPage} />
        )}
        {search.isError && first && !bad && <Failed error={search.error} retry={() => void search.refetch()} />}
      </main>
    </ValueActions>
  );
}

interface AnswerProps {
  hunt: Hunt;
  pages: readonly SearchAnswer[];
  first: SearchAnswer;
  stale: boolean;
  more: (() => void) | undefined;
  loadingMore: boolean;
}

function Answer({ hunt, pages, first, stale, more, loadingMore }: AnswerProps) {
  const { t, i18n } = useTranslation();
  const { state, setBounds, setRange, setColumns } = hunt;
  const events = pages.flatMap((page) => page.events);
  const { timeline, table, facets } = first;
  const bars = (timeline?.bars ?? []).map((bar) => ({ start: Date.parse(bar.start), count: bar.count }));
  return (
    <div className={styles.answer} data-stale={stale || undefined}>
      <Partial reasons={first.partial.map((reason) => phrase(i18n.language, reason))} />
      {timeline && bars.length > 0 && (
        <div className={styles.timeline} title={t("hunt.timeline_hint")}>
          <Histogram label={t("hunt.timeline")} bars={bars} stepMs={timeline.step_ms} onRange={(from, to) => setBounds(new Date(from).toISOString(), new Date(to).toISOString())} />
        </div>
      )}
      <div className={styles.status}>
        <b>{t("hunt.total", { number: count(first.total) })}</b>
        <span className="dim">{t("hunt.took", { time: duration(first.took_ms) })}</span>
        {stale && <Loader size={12} />}
        <span className={styles.grow} />
        {state.range === "custom" && (
          <Button size="compact-sm" variant="default" leftSection={<IconZoomOut size={14} />} onClick={() => setRange("all")}>
            {t("hunt.whole")}
          </Button>
        )}
        {!table && <ColumnPicker columns={state.columns} onChange={setColumns} />}
      </div>
      <div className={styles.columns} data-facets={facets.length > 0 || undefined}>
        {facets.length > 0 && <Facets facets={facets} total={first.total} />}
        <div className={styles.results}>
          {table && table.rows.length > 0 ? (
            <AnswerTable table={table} />
          ) : events.length > 0 ? (
            <Results events={events} columns={state.columns} />
          ) : (
            !(timeline && first.total > 0) && (
              <Empty icon={<IconSearchOff size={28} className="dim" />} title={t("hunt.empty")}>
                {t("hunt.empty_hint")}
              </Empty>
            )
          )}
          {more && !table && (
            <div className={styles.more}>
              <Button size="xs" variant="default" loading={loadingMore} onClick={more}>
                {t("hunt.more")}
              </Button>
            </div>
          )}
        </div>
      </div>
    </div>
  );
}
