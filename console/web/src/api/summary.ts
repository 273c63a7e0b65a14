// One line that says what an event is about: the first pattern whose leading field is there.
import i18next from "i18next";
import { pickNumber, pickText } from "../ui/flatten";
import { bytes, count, duration } from "../ui/format";
import type { EventDocument } from "./types";

type Pattern = (event: EventDocument) => string | undefined;

function join(...parts: ReadonlyArray<string | undefined>): string {
  return parts.filter((part) => part !== undefined && part !== "").join(" ");
}

const http: Pattern = (event) => {
  const method = pickText(event, "http.request.method");
  if (method === undefined) return undefined;
  const status = pickText(event, "http.response.status_code");
  const url = `${pickText(event, "url.domain") ?? ""}${pickText(event, "url.original") ?? pickText(event, "url.path") ?? ""}`;
  return join(method, url, status === undefined ? undefined : `→ ${status}`);
};

const dns: Pattern = (event) => {
  const name = pickText(event, "dns.question.name");
  if (name === undefined) return undefined;
  const answer = pickText(event, "dns.answers.data") ?? pickText(event, "dns.response_code");
  return join(pickText(event, "dns.question.type"), name, answer === undefined ? undefined : `→ ${answer}`);
};

const file: Pattern = (event) => {
  const hash = pickText(event, "file.hash.sha256");
  const name = pickText(event, "file.name");
  if (hash === undefined && name === undefined) return undefined;
  const size = pickNumber(event, "file.size");
  return join(name ?? hash?.slice(0, 16), pickText(event, "file.mime_type"), size === undefined ? undefined : bytes(size));
};

const tls: Pattern = (event) => {
  const version = pickText(event, "tls.version");
  const name = pickText(event, "tls.client.server_name") ?? pickText(event, "tls.server.subject");
  if (version === undefined && name === undefined) return undefined;
  return join(version === undefined ? "TLS" : `TLS ${version}`, name);
};

const flow: Pattern = (event) => {
  const size = pickNumber(event, "network.bytes");
  const lasted = pickNumber(event, "event.duration");
  const packets = pickNumber(event, "network.packets");
  const parts = [pickText(event, "network.protocol") ?? pickText(event, "network.transport"), size === undefined ? undefined : bytes(size), packets === undefined ? undefined : i18next.t("event.packets", { number: count(packets) }), lasted === undefined ? undefined : duration(lasted / 1e6)];
  return parts.filter((part) => part !== undefined).join(" · ");
};

const PATTERNS: readonly Pattern[] = [http, file, dns, tls, flow];

export function summary(event: EventDocument): string {
  for (const pattern of PATTERNS) {
    const text = pattern(event);
    if (text !== undefined) return text;
  }
  return "";
}

/** `address:port` of one side. */
export function sideOf(event: EventDocument, side: "source" | "destination"): string {
  const ip = pickText(event, `${side}.ip`);
  if (ip === undefined) return "—";
  const port = pickText(event, `${side}.port`);
  if (port === undefined) return ip;
  return ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`;
}
