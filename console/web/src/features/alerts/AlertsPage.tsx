// Triage: queue, evidence, decision, and the keys that move through them.
import { useDisclosure, useHotkeys, useMediaQuery } from "@mantine/hooks";
import { IconPointer } from "@tabler/icons-react";
import { useCallback, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { usePermissions } from "../../api/session";
import type { AlertGroup, Grouping } from "../../api/types";
import { fullTime } from "../../ui/format";
import { usePageTitle } from "../../ui/Page";
import { Empty, Failed, SkeletonRows } from "../../ui/States";
import { ValueActions } from "../../ui/Value";
import { AssignDialog, BulkBar, CloseManyDialog } from "./Bulk";
import { Decision, type DecisionHandle } from "./Decision";
import { useDraft } from "./drafts";
import { EscalateDialog, EscalateManyDialog, useCaseTitle } from "./EscalateDialog";
import { EvidencePane, TABS, type Tab } from "./Evidence";
import { FilterBar } from "./FilterBar";
import { isNarrowed, useFilters } from "./filters";
import { KeysHelp } from "./KeysHelp";
import { Queue, useGroupWords } from "./Queue";
import { groupFilter, useAlert, useLiveQueue } from "./queries";
import { alertOf, useRows, type Row } from "./rows";
import { SuppressDialog } from "./SuppressDialog";
import { ofGroup, targetsOf } from "./targets";
import { useUndoOffer } from "./undo";
import { useAlertValueActions } from "./valueActions";
import { useWatched } from "./watched";
import styles from "./AlertsPage.module.css";
import evidence from "./Evidence.module.css";

/** Below this there is room for the queue alone, as AlertsPage.module.css says. */
const NARROW = "(max-width: 900px)";

type Intent = "close" | "reopen" | "assign" | "escalate" | "suppress" | "watch" | "note";

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

/** Rows that were marked, and the one marked last, from which a range goes on. */
function useMarks(rows: readonly Row[], allowed: boolean) {
  const [marked, setMarked] = useState<ReadonlyMap<string, Row>>(new Map());
  const anchor = useRef<string | null>(null);
  const mark = (row: Row | undefined, through: boolean) => {
    if (!row || !allowed || row.kind === "rest") return;
    const from = through ? rows.findIndex((each) => each.id === anchor.current) : -1;
    const to = rows.findIndex((each) => each.id === row.id);
    setMarked((old) => {
      const next = new Map(old);
      if (from >= 0) for (const each of rows.slice(Math.min(from, to), Math.max(from, to) + 1)) next.set(each.id, each);
      else if (!next.delete(row.id)) next.set(row.id, row);
      return next;
    });
    anchor.current = row.id;
  };
  const all = () => setMarked(new Map(rows.filter((row) => row.kind === "group" || (row.kind === "alert" && !row.member)).map((row) => [row.id, row])));
  return { marked, mark, all, clear: () => setMarked(new Map()) };
}

export default function AlertsPage() {
  const { t } = useTranslation();
  usePageTitle(t("alerts.title"));
  const may = usePermissions();
  const navigate = useNavigate();
  const state = useFilters();
  const { filters, change, opened } = state;
  const list = useRows(filters, opened);
  const { rows, source } = list;
  const live = useLiveQueue(filters);
  const marks = useMarks(rows, may.triage);
  const [escalating, escalation] = useDisclosure(false);
  const [suppressing, suppression] = useDisclosure(false);
  const [bulk, setBulk] = useState<"close" | "escalate" | "assign" | null>(null);
  const [help, helpDialog] = useDisclosure(false);
  const search = useRef<HTMLInputElement>(null);
  const decision = useRef<DecisionHandle>(null);
  const undo = useUndoOffer(list.stay);
  const values = useAlertValueActions(state);
  const caseTitle = useCaseTitle();
  useWatched(state.selected);

  // In an empty queue nothing can move under the cursor: what arrives is shown at once.
  const { arrived, take } = live;
  const idle = source.isSuccess && rows.length === 0 && !source.isFetching;
  useEffect(() => {
    if (idle && arrived > 0) take();
  }, [idle, arrived, take]);

  const narrow = useMediaQuery(NARROW, false, { getInitialValueInEffect: false });
  const found = indexOf(rows, state.group, state.selected);
  const at = Math.max(0, found);
  const row = narrow || (found < 0 && state.selected !== null) ? undefined : rows[at];
  const selectedId = narrow ? null : (state.selected ?? (row ? alertOf(row).id : null));
  const group: AlertGroup | undefined = row?.kind === "group" && row.group.alerts > 1 ? row.group : undefined;
  const until = list.until;
  const target = group && until !== undefined ? ofGroup(group, groupFilter(filters, until)) : undefined;
  const marked = targetsOf([...marks.marked.values()], until === undefined ? undefined : groupFilter(filters, until));
  const detail = useAlert(selectedId);
  const draft = useDraft(target?.groups[0] ?? selectedId ?? "");
  const tab: Tab = TABS.find((each) => each === state.tab) ?? "why";

  const { fetchNextPage } = source;
  const more = useCallback(() => void fetchNextPage(), [fetchNextPage]);
  const toggle = (which: Row | undefined, open?: boolean) => {
    if (which?.kind !== "group" || (open !== undefined && open === which.open)) return;
    const keys = which.open ? opened.filter((key) => key !== which.group.key) : [...opened, which.group.key];
    change({ open: keys.join(","), alert: which.group.lead.id, group: which.group.key });
  };
  const open = (which: Row) => {
    if (which.kind === "rest") change({ within: which.group.key, within_by: filters.by as Grouping, by: undefined, alert: undefined, group: undefined, open: undefined }, false);
    else if (narrow && which.kind === "group") toggle(which);
    else if (narrow) void navigate(`/alerts/${encodeURIComponent(which.id)}`);
    else change({ alert: alertOf(which).id, group: which.kind === "group" ? which.group.key : undefined });
  };
  const step = (by: number) => {
    const next = rows[Math.min(Math.max(at + by, 0), rows.length - 1)];
    if (next && next.kind !== "rest") change({ alert: alertOf(next).id, group: next.kind === "group" ? next.group.key : undefined });
    else if (next) step(by + Math.sign(by));
  };
  const decided = (ids: readonly string[]) => {
    if (filters.status === "all" || ids.length === 0) return;
    const gone = new Set(ids);
    // With a group go its members.
    for (const [index, each] of rows.entries()) {
      if (each.kind !== "group" || !gone.has(each.id)) continue;
      for (let inside = index + 1; rows[inside]?.kind !== "group" && isInside(rows[inside]); inside += 1) gone.add(rows[inside]?.id ?? "");
    }
    const next = rows.slice(at + 1).find((each) => !gone.has(each.id)) ?? rows.slice(0, at).findLast((each) => !gone.has(each.id));
    if (row && gone.has(row.id)) change({ alert: next && next.kind !== "rest" ? alertOf(next).id : undefined, group: next?.kind === "group" ? next.group.key : undefined });
    list.leave([...gone]);
    marks.clear();
  };
  const loaded = detail.data?.alert.id === selectedId ? selectedId : null;
  const act = useIntent(loaded, selectedId, {
    close: () => decision.current?.focusClose(),
    reopen: () => decision.current?.reopen(),
    assign: () => decision.current?.assign(),
    watch: () => may.triage && decision.current?.watch(),
    note: () => may.triage && decision.current?.note(),
    escalate: () => may.triage && detail.data?.triage.status === "open" && escalation.open(),
    suppress: () => may.triage && detail.data?.triage.status === "open" && suppression.open(),
  });
  const many = marks.marked.size > 0;
  const setTab = (by: number) => change({ tab: TABS[(TABS.indexOf(tab) + by + TABS.length) % TABS.length] });

  useHotkeys([
    ["j", () => step(1)],
    ["k", () => step(-1)],
    ["ArrowDown", () => step(1)],
    ["ArrowUp", () => step(-1)],
    ["ArrowRight", () => toggle(row, true)],
    ["ArrowLeft", () => toggle(row, false)],
    ["Enter", () => selectedId !== null && void navigate(`/alerts/${encodeURIComponent(selectedId)}`)],
    ["c", () => (many ? setBulk("close") : act("close"))],
    ["r", () => act("reopen")],
    ["a", () => (many ? setBulk("assign") : act("assign"))],
    ["e", () => (many ? setBulk("escalate") : act("escalate"))],
    ["s", () => act("suppress")],
    ["w", () => act("watch")],
    ["m", () => act("note")],
    ["z", () => may.triage && undo.last()],
    ["[", () => setTab(-1)],
    ["]", () => setTab(1)],
    ["x", () => marks.mark(row, false)],
    ["shift+x", () => marks.mark(row, true)],
    ["Escape", marks.clear],
    ["n", live.take],
    ["/", () => search.current?.focus()],
    ["shift+?", helpDialog.open],
    ["?", helpDialog.open],
  ]);

  return (
    <ValueActions actions={values}>
      <main className={styles.page}>
        <h1 className="visually-hidden">{t("alerts.title")}</h1>
        <FilterBar state={state} searchRef={search} />
        <div className={styles.panes}>
          <div className={styles.left}>
            {source.isPending ? (
              <SkeletonRows rows={12} height={38} />
            ) : source.isError ? (
              <Failed error={source.error} retry={() => void source.refetch()} />
            ) : (
              <Queue rows={rows} total={Math.max(0, list.total - list.left)} alerts={list.grouped ? list.alerts : undefined} newestOnly={list.newestOnly} selected={row?.id ?? null} marked={new Set(marks.marked.keys())} leaving={list.leaving} arrived={live.arrived} narrowed={isNarrowed(filters)} canMark={may.triage} hasMore={source.hasNextPage} loadingMore={source.isFetchingNextPage} onTake={live.take} onOpen={open} onMark={marks.mark} onToggle={toggle} onMore={more} onClear={state.clear} />
            )}
            {many && <BulkBar size={marked.size} shown={rows.length} all={marks.marked.size >= rows.length} onClose={() => setBulk("close")} onEscalate={() => setBulk("escalate")} onAssign={() => setBulk("assign")} onAll={marks.all} onClear={marks.clear} />}
          </div>
          {narrow ? null : selectedId === null ? (
            <Empty icon={<IconPointer size={28} className="dim" />} title={t("alerts.select_hint")} />
          ) : detail.isError ? (
            <Failed error={detail.error} retry={() => void detail.refetch()} />
          ) : !detail.data ? (
            <SkeletonRows rows={8} height={44} />
          ) : (
            <>
              <EvidencePane key={selectedId} detail={detail.data} tab={tab} onTab={(next) => change({ tab: next === "why" ? undefined : next })} onUse={(reason) => draft.change({ reason })} above={group && <GroupLine group={group} />} />
              <Decision detail={detail.data} group={target} undo={undo} handle={decision} onEscalate={escalation.open} onSuppress={suppression.open} onDecided={decided} />
              {target ? (
                <EscalateManyDialog targets={target} title={caseTitle(detail.data)} undo={undo} opened={escalating} onClose={escalation.close} onDone={decided} />
              ) : (
                <EscalateDialog key={`case-${selectedId}`} detail={detail.data} undo={undo} opened={escalating} onClose={escalation.close} onDone={decided} />
              )}
              <SuppressDialog detail={detail.data} undo={undo} opened={suppressing} onClose={suppression.close} onDone={live.take} />
            </>
          )}
        </div>
        <CloseManyDialog targets={marked} undo={undo} opened={bulk === "close"} onClose={() => setBulk(null)} onDone={decided} />
        <AssignDialog targets={marked} undo={undo} opened={bulk === "assign"} onClose={() => setBulk(null)} />
        <EscalateManyDialog targets={marked} title={detail.data ? caseTitle(detail.data) : ""} undo={undo} opened={bulk === "escalate"} onClose={() => setBulk(null)} onDone={decided} />
        <KeysHelp opened={help} onClose={helpDialog.close} />
      </main>
    </ValueActions>
  );
}

/** Where the selection is: the group, the alert's own row, or the group that it leads. */
function indexOf(rows: readonly Row[], group: string | null, alert: string | null): number {
  if (group !== null) {
    const index = rows.findIndex((row) => row.kind === "group" && row.id === group);
    if (index >= 0) return index;
  }
  const own = rows.findIndex((row) => row.id === alert);
  return own >= 0 ? own : rows.findIndex((row) => row.kind === "group" && row.group.lead.id === alert);
}

function isInside(row: Row | undefined): boolean {
  return row !== undefined && (row.kind === "rest" || (row.kind === "alert" && row.member));
}

/** What the group hides whose worst alert is shown. */
function GroupLine({ group }: { group: AlertGroup }) {
  const { t } = useTranslation();
  const words = useGroupWords()(group);
  return (
    <div className={evidence.groupLine} title={t("alerts.group.lead")}>
      <b>{words}</b>
      <span className="dim">{t("alerts.group.span", { first: fullTime(group.first), last: fullTime(group.last) })}</span>
    </div>
  );
}
