// Triage: queue, evidence, decision, and the keys that move through them.
import { useDisclosure, useHotkeys, useMediaQuery } from "@mantine/hooks";
import { IconPointer } from "@tabler/icons-react";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { usePermissions } from "../../api/session";
import type { AlertRow } from "../../api/types";
import { usePageTitle } from "../../ui/Page";
import { Empty, Failed, SkeletonRows } from "../../ui/States";
import { BulkBar, BulkDialog } from "./Bulk";
import { Decision, type DecisionHandle } from "./Decision";
import { useDraft } from "./drafts";
import { EscalateDialog } from "./EscalateDialog";
import { EvidencePane } from "./Evidence";
import { FilterBar } from "./FilterBar";
import { isNarrowed, toQuery, useFilters } from "./filters";
import { KeysHelp } from "./KeysHelp";
import { Queue } from "./Queue";
import { useAlert, useLiveQueue, useQueue } from "./queries";
import styles from "./AlertsPage.module.css";

const LEAVING_MS = 140;
/** Below this there is room for the queue alone, as AlertsPage.module.css says. */
const NARROW = "(max-width: 900px)";

/** Rows that were decided here leave; rows that others decide stay where they are. */
function useRows(key: string, all: readonly AlertRow[]) {
  const [gone, setGone] = useState<{ key: string; ids: ReadonlySet<string> }>({ key, ids: new Set() });
  const [leaving, setLeaving] = useState<ReadonlySet<string>>(new Set());
  const ids = gone.key === key ? gone.ids : new Set<string>();
  const rows = all.filter((row) => !ids.has(row.id));
  const leave = (left: readonly string[]) => {
    setLeaving((old) => new Set([...old, ...left]));
    setTimeout(() => {
      setGone((old) => ({ key, ids: new Set([...(old.key === key ? old.ids : []), ...left]) }));
      setLeaving((old) => new Set([...old].filter((each) => !left.includes(each))));
    }, LEAVING_MS);
  };
  return { rows, leaving, leave };
}

type Intent = "close" | "reopen" | "assign" | "escalate";

/** Keys are quicker than servers: what was wished for an alert that is still loading is done when it is there. */
function useIntent(loaded: string | null, selected: string | null, actions: Record<Intent, () => unknown>) {
  const wish = useRef<{ id: string; intent: Intent } | null>(null);
  const current = useRef(actions);
  current.current = actions;
  useEffect(() => {
    const due = wish.current;
    if (loaded === null || due === null) return;
    wish.current = null;
    if (due.id === loaded) current.current[due.intent]();
  }, [loaded]);
  return (intent: Intent) => {
    if (loaded !== null) actions[intent]();
    else if (selected !== null) wish.current = { id: selected, intent };
  };
}

export default function AlertsPage() {
  const { t } = useTranslation();
  usePageTitle(t("alerts.title"));
  const may = usePermissions();
  const navigate = useNavigate();
  const state = useFilters();
  const { filters, change } = state;
  const key = JSON.stringify(toQuery(filters));
  const queue = useQueue(filters);
  const live = useLiveQueue(filters);
  const all = useMemo(() => queue.data?.pages.flatMap((page) => page.items) ?? [], [queue.data]);
  const { rows, leaving, leave } = useRows(key, all);
  const [marked, setMarked] = useState<ReadonlySet<string>>(new Set());
  const [escalating, escalation] = useDisclosure(false);
  const [bulk, bulkDialog] = useDisclosure(false);
  const [help, helpDialog] = useDisclosure(false);
  const search = useRef<HTMLInputElement>(null);
  const decision = useRef<DecisionHandle>(null);

  // In an empty queue nothing can move under the cursor: what arrives is shown at once.
  const { arrived, take } = live;
  const idle = queue.isSuccess && rows.length === 0 && !queue.isFetching;
  useEffect(() => {
    if (idle && arrived > 0) take();
  }, [idle, arrived, take]);

  const narrow = useMediaQuery(NARROW, false, { getInitialValueInEffect: false });
  const selectedId = narrow ? null : (state.selected ?? rows[0]?.id ?? null);
  const detail = useAlert(selectedId);
  const draft = useDraft(selectedId ?? "");
  const at = rows.findIndex((row) => row.id === selectedId);
  const current = rows[at];

  const { fetchNextPage } = queue;
  const more = useCallback(() => void fetchNextPage(), [fetchNextPage]);
  const open = (row: AlertRow) => {
    if (narrow) void navigate(`/alerts/${encodeURIComponent(row.id)}`);
    else change({ alert: row.id });
  };
  const step = (by: number) => {
    const next = rows[Math.min(Math.max(at + by, 0), rows.length - 1)];
    if (next) open(next);
  };
  const mark = (row: AlertRow | undefined) => {
    if (!row || !may.triage) return;
    setMarked((old) => {
      const next = new Set(old);
      if (!next.delete(row.id)) next.add(row.id);
      return next;
    });
  };
  const decided = (id: string) => {
    if (filters.status === "all") return;
    const index = rows.findIndex((row) => row.id === id);
    const next = rows[index + 1] ?? rows[index - 1];
    if (next && selectedId === id) open(next);
    leave([id]);
  };

  const act = useIntent(detail.data?.alert.id === selectedId ? selectedId : null, selectedId, {
    close: () => decision.current?.focusClose(),
    reopen: () => decision.current?.reopen(),
    assign: () => decision.current?.assign(),
    escalate: () => may.triage && detail.data?.triage.status === "open" && escalation.open(),
  });

  useHotkeys([
    ["j", () => step(1)],
    ["k", () => step(-1)],
    ["ArrowDown", () => step(1)],
    ["ArrowUp", () => step(-1)],
    ["Enter", () => selectedId !== null && void navigate(`/alerts/${encodeURIComponent(selectedId)}`)],
    ["c", () => act("close")],
    ["r", () => act("reopen")],
    ["a", () => act("assign")],
    ["e", () => act("escalate")],
    ["x", () => mark(current)],
    ["n", live.take],
    ["/", () => search.current?.focus()],
    ["shift+?", helpDialog.open],
    ["?", helpDialog.open],
  ]);

  const total = queue.data?.pages[0]?.total ?? 0;
  return (
    <main className={styles.page}>
      <h1 className="visually-hidden">{t("alerts.title")}</h1>
      <FilterBar state={state} searchRef={search} />
      <div className={styles.panes}>
        <div className={styles.left}>
          {queue.isPending ? (
            <SkeletonRows rows={12} height={38} />
          ) : queue.isError ? (
            <Failed error={queue.error} retry={() => void queue.refetch()} />
          ) : (
            <Queue rows={rows} total={Math.max(0, total - (all.length - rows.length))} selected={selectedId} marked={marked} leaving={leaving} arrived={live.arrived} narrowed={isNarrowed(filters)} canMark={may.triage} hasMore={queue.hasNextPage} loadingMore={queue.isFetchingNextPage} onTake={live.take} onOpen={open} onMark={mark} onMore={more} onClear={state.clear} />
          )}
          {marked.size > 0 && <BulkBar ids={[...marked]} shown={rows.length} onClose={bulkDialog.open} onAll={() => setMarked(new Set(rows.map((row) => row.id)))} onClear={() => setMarked(new Set())} />}
        </div>
        {narrow ? null : selectedId === null ? (
          <Empty icon={<IconPointer size={28} className="dim" />} title={t("alerts.select_hint")} />
        ) : detail.isError ? (
          <Failed error={detail.error} retry={() => void detail.refetch()} />
        ) : !detail.data ? (
          <SkeletonRows rows={8} height={44} />
        ) : (
          <>
            <EvidencePane key={selectedId} detail={detail.data} onUse={(reason) => draft.change({ reason })} />
            <Decision detail={detail.data} handle={decision} onEscalate={escalation.open} onDecided={decided} />
            <EscalateDialog key={`case-${selectedId}`} detail={detail.data} opened={escalating} onClose={escalation.close} onDone={decided} />
          </>
        )}
      </div>
      <BulkDialog
        ids={[...marked]}
        opened={bulk}
        onClose={bulkDialog.close}
        onDone={(closed) => {
          const gone = new Set(closed);
          const next = rows.slice(at + 1).find((row) => !gone.has(row.id)) ?? rows.find((row) => !gone.has(row.id));
          if (filters.status !== "all" && filters.status !== "closed") {
            if (selectedId !== null && gone.has(selectedId)) change({ alert: next?.id });
            leave(closed);
          }
          setMarked(new Set());
          bulkDialog.close();
        }}
      />
      <KeysHelp opened={help} onClose={helpDialog.close} />
    </main>
  );
}
