// The one way to the server: the generated client, with the CSRF token on every change and one answer to a lapsed
// session. When a request is answered 401 although somebody was logged in, it waits until they have logged in again
// (the dialog lies over the page, nothing typed is lost) and is then repeated once.
import i18next from "i18next";
import createClient, { type Middleware } from "openapi-fetch";
import { problemText } from "./phrases";
import type { paths } from "./schema";
import type { ProblemBody } from "./types";

/** A refused or failed request; `body` is the server's explanation, the message is in the language of the page. */
export class ApiFailure extends Error {
  readonly status: number;
  readonly body: ProblemBody;

  constructor(status: number, body: ProblemBody) {
    super(problemText(i18next.language, body));
    this.name = "ApiFailure";
    this.status = status;
    this.body = body;
  }
}

interface SessionState {
  csrf: string | null;
  lapsed: boolean;
}

let state: SessionState = { csrf: null, lapsed: false };
let waiting: Array<() => void> = [];
const listeners = new Set<() => void>();

/** Whether the session lapsed while somebody worked. */
export const sessionLapse = {
  get: () => state.lapsed,
  subscribe(listener: () => void) {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
};

function change(next: SessionState) {
  state = next;
  for (const listener of listeners) listener();
}

/** Somebody is logged in (or logged in again): requests that waited go on. */
export function sessionBegan(csrf: string) {
  change({ csrf, lapsed: false });
  const ready = waiting;
  waiting = [];
  for (const go of ready) go();
}

/** Nobody is logged in any more, by their own wish. */
export function sessionEnded() {
  change({ csrf: null, lapsed: false });
}

/** Tells the page that the session lapsed, as a refused live stream does. */
export function sessionLapsed() {
  if (state.csrf !== null) change({ ...state, lapsed: true });
}

const copies = new Map<string, Request>();

const session: Middleware = {
  onRequest({ request, id, schemaPath }) {
    if (request.method !== "GET" && state.csrf !== null) request.headers.set("x-csrf-token", state.csrf);
    if (!schemaPath.endsWith("/session")) copies.set(id, request.clone());
    return request;
  },
  async onResponse({ response, id }) {
    const copy = copies.get(id);
    copies.delete(id);
    if (response.status !== 401 || copy === undefined || state.csrf === null) return response;
    sessionLapsed();
    await new Promise<void>((go) => waiting.push(go));
    if (copy.method !== "GET" && state.csrf !== null) copy.headers.set("x-csrf-token", state.csrf);
    return fetch(copy);
  },
  onError({ id }) {
    copies.delete(id);
  },
};

export const client = createClient<paths>({ baseUrl: window.location.origin, credentials: "same-origin" });
client.use(session);

const UNREACHABLE: ProblemBody = { code: "unreachable", message: "" };

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

function problemOf(error: unknown, response: Response): ProblemBody {
  if (typeof error === "object" && error !== null && "code" in error && "message" in error) return error as ProblemBody;
  return { code: `http_${response.status}`, message: response.statusText };
}

/** The data of an answer, or an [`ApiFailure`] thrown. */
export async function must<T>(call: Promise<Answer<T>>): Promise<T> {
  let answer: Answer<T>;
  try {
    answer = await call;
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === "AbortError") throw cause;
    throw new ApiFailure(0, UNREACHABLE);
  }
  if (!answer.response.ok) throw new ApiFailure(answer.response.status, problemOf(answer.error, answer.response));
  return answer.data as T;
}

/** True for the failure of that HTTP status. */
export function failedWith(error: unknown, status: number): error is ApiFailure {
  return error instanceof ApiFailure && error.status === status;
}
