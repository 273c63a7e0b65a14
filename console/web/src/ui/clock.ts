// One clock for all relative times of the page: it ticks every fifteen seconds.
import { useSyncExternalStore } from "react";

const TICK_MS = 15_000;
let now = Date.now();
let timer: ReturnType<typeof setInterval> | null = null;
const listeners = new Set<() => void>();

function subscribe(listener: () => void) {
  listeners.add(listener);
  timer ??= setInterval(() => {
    now = Date.now();
    for (const each of listeners) each();
  }, TICK_MS);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0 && timer !== null) {
      clearInterval(timer);
      timer = null;
    }
  };
}

/** The time, in milliseconds since 1970, as of the last tick. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => now);
}
