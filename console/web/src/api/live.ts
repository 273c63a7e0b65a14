// What the server says by itself. One stream for the page: an `EventSource` that resumes where it was (the browser
// sends `Last-Event-ID`). While it is broken, subscribers are told to load again every half minute, so that a proxy
// that breaks streams costs freshness but nothing else.
import { sessionLapse } from "./client";
import type { AlertRow, VisibilityNow } from "./types";

/** What can be heard; `resync` means: load again, something may have been missed. */
export interface LiveEvents {
  alert: AlertRow;
  alert_changed: AlertRow;
  /** Many at once. */
  alerts_changed: { ids: string[]; changed: number };
  case_changed: { id: string; version: number };
  /** Something about notices, rosters or escalations. */
  notices_changed: Record<string, never>;
  /** A shift was handed over, taken or refused. */
  handovers_changed: Record<string, never>;
  visibility: VisibilityNow;
  resync: null;
  connection: boolean;
}

type Handlers = { [K in keyof LiveEvents]: Set<(data: LiveEvents[K]) => void> };

const handlers: Handlers = {
  alert: new Set(),
  alert_changed: new Set(),
  alerts_changed: new Set(),
  case_changed: new Set(),
  notices_changed: new Set(),
  handovers_changed: new Set(),
  visibility: new Set(),
  resync: new Set(),
  connection: new Set(),
};

const POLL_MS = 30_000;
const RETRY_MS = 5_000;

let source: EventSource | null = null;
let polling: ReturnType<typeof setInterval> | null = null;
let retry: ReturnType<typeof setTimeout> | null = null;
let users = 0;

function tell<K extends keyof LiveEvents>(kind: K, data: LiveEvents[K]) {
  for (const handler of handlers[kind]) handler(data);
}

function setBroken(broken: boolean) {
  if (broken && polling === null) {
    polling = setInterval(() => tell("resync", null), POLL_MS);
    tell("connection", false);
  }
  if (!broken && polling !== null) {
    clearInterval(polling);
    polling = null;
    tell("connection", true);
    tell("resync", null);
  }
}

function listen<K extends keyof LiveEvents>(stream: EventSource, kind: K) {
  stream.addEventListener(kind, (message: MessageEvent<string>) => {
    const data: LiveEvents[K] = message.data === "" ? null : JSON.parse(message.data);
    tell(kind, data);
  });
}

function open() {
  if (source !== null || users === 0) return;
  const stream = new EventSource("/api/v1/live");
  source = stream;
  stream.onopen = () => setBroken(false);
  stream.onerror = () => {
    setBroken(true);
    if (stream.readyState === EventSource.CLOSED) close(true);
  };
  listen(stream, "alert");
  listen(stream, "alert_changed");
  listen(stream, "alerts_changed");
  listen(stream, "case_changed");
  listen(stream, "notices_changed");
  listen(stream, "handovers_changed");
  listen(stream, "visibility");
  listen(stream, "resync");
}

function close(again: boolean) {
  source?.close();
  source = null;
  if (retry !== null) clearTimeout(retry);
  retry = again ? setTimeout(open, RETRY_MS) : null;
}

/** Opens the stream for as long as somebody wants it. */
export function holdLive(): () => void {
  users += 1;
  open();
  const unsubscribe = sessionLapse.subscribe(() => {
    if (!sessionLapse.get()) open();
  });
  return () => {
    users -= 1;
    unsubscribe();
    if (users > 0) return;
    close(false);
    if (polling !== null) clearInterval(polling);
    polling = null;
  };
}

/** Hears one kind of event until the returned function is called. */
export function hear<K extends keyof LiveEvents>(kind: K, handler: (data: LiveEvents[K]) => void): () => void {
  const set: Set<(data: LiveEvents[K]) => void> = handlers[kind];
  set.add(handler);
  return () => set.delete(handler);
}
