// The hunt's state, all of it in the address: query, range, columns.
import { useMemo } from "react";
import { useSearchParams } from "react-router";

export const RANGES = { "15m": 15, "1h": 60, "24h": 1_440, "7d": 10_080, "30d": 43_200 } as const;
export type RangeName = keyof typeof RANGES | "all";
export const RANGE_NAMES: readonly RangeName[] = ["15m", "1h", "24h", "7d", "30d", "all"];

export interface HuntState {
  query: string;
  range: RangeName | "custom";
  from: string | undefined;
  to: string | undefined;
  columns: readonly string[];
}

const DEFAULT_RANGE: RangeName = "24h";
const MINUTE_MS = 60_000;

export function readState(params: URLSearchParams): HuntState {
  const from = params.get("from") ?? undefined;
  const to = params.get("to") ?? undefined;
  const named = RANGE_NAMES.find((name) => name === params.get("range"));
  const range = from !== undefined || to !== undefined ? "custom" : (named ?? DEFAULT_RANGE);
  const columns = (params.get("cols") ?? "").split(",").filter((name) => name !== "");
  return { query: params.get("q") ?? "", range, from, to, columns };
}

/** The moments a range stands for right now. */
export function bounds(state: HuntState, now: number): { from?: string; to?: string } {
  if (state.range === "custom") return { ...(state.from ? { from: state.from } : {}), ...(state.to ? { to: state.to } : {}) };
  if (state.range === "all") return {};
  return { from: new Date(now - RANGES[state.range] * MINUTE_MS).toISOString(), to: new Date(now).toISOString() };
}

type Key = "q" | "range" | "from" | "to" | "cols";

export function useHunt() {
  const [params, setParams] = useSearchParams();
  const state = useMemo(() => readState(params), [params]);
  const change = (changes: Partial<Record<Key, string | undefined>>) =>
    setParams((old) => {
      const next = new URLSearchParams(old);
      for (const [key, value] of Object.entries(changes)) {
        if (value === undefined || value === "") next.delete(key);
        else next.set(key, value);
      }
      return next;
    });
  return {
    state,
    setQuery: (q: string) => change({ q }),
    setRange: (range: RangeName) => change({ range: range === DEFAULT_RANGE ? undefined : range, from: undefined, to: undefined }),
    setBounds: (from: string | undefined, to: string | undefined) => change({ from, to, range: undefined }),
    setColumns: (columns: readonly string[]) => change({ cols: columns.join(",") }),
  };
}
