// What was typed about an alert and not sent yet. Kept outside the components, so that moving through the queue and
// a lapsed session lose nothing; gone with the page.
import { useCallback, useSyncExternalStore } from "react";
import type { Verdict } from "../../api/types";

export interface Draft {
  verdict: Verdict | null;
  reason: string;
}

const EMPTY: Draft = { verdict: null, reason: "" };
const MAX_DRAFTS = 200;
const drafts = new Map<string, Draft>();
const listeners = new Set<() => void>();

function write(id: string, draft: Draft | null) {
  drafts.delete(id);
  if (draft !== null) drafts.set(id, draft);
  const oldest = drafts.keys().next();
  if (drafts.size > MAX_DRAFTS && !oldest.done) drafts.delete(oldest.value);
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void) {
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
}

export function useDraft(id: string) {
  const draft = useSyncExternalStore(subscribe, () => drafts.get(id) ?? EMPTY);
  const change = useCallback((changes: Partial<Draft>) => write(id, { ...(drafts.get(id) ?? EMPTY), ...changes }), [id]);
  const drop = useCallback(() => write(id, null), [id]);
  return { draft, change, drop };
}
