// What each side of a conversation sent: the headers of its packets taken off, TCP bytes in the order of their numbers.
import type { CapturedPacket } from "./pcapng";

export interface Segment {
  from: string;
  to: string;
  /** TCP's number of the first byte; nothing for other transports. */
  sequence?: number;
  /** The packet opens the connection: its number stands before the first byte. */
  opens: boolean;
  payload: Uint8Array;
}

export interface Side {
  from: string;
  to: string;
  bytes: Uint8Array;
  /** Bytes that are missing in between. */
  missing: number;
}

/** Where IP begins in a packet of a link type. */
function ipAt({ link, bytes }: CapturedPacket): number | null {
  if (link === 101) return 0;
  if (link === 113) return 16;
  if (link === 276) return 20;
  if (link !== 1) return null;
  let at = 12;
  let type = word(bytes, at);
  while (type === 0x8100 || type === 0x88a8) {
    at += 4;
    type = word(bytes, at);
  }
  return type === 0x0800 || type === 0x86dd ? at + 2 : null;
}

function word(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

function number(bytes: Uint8Array, at: number): number {
  return word(bytes, at) * 65536 + word(bytes, at + 2);
}

function ipv6(bytes: Uint8Array, at: number): string {
  const groups = Array.from({ length: 8 }, (_, group) => word(bytes, at + group * 2).toString(16));
  const zeros = groups.join(":").match(/(^|:)0(:0)+(:|$)/);
  return zeros ? groups.join(":").replace(zeros[0], "::") : groups.join(":");
}

/** Who sent what to whom; nothing for a packet that is not TCP or UDP over IP, in a tunnel or a later fragment. */
export function dissect(packet: CapturedPacket): Segment | null {
  const { bytes } = packet;
  const ip = ipAt(packet);
  if (ip === null || ip + 20 > bytes.length) return null;
  const version = (bytes[ip] ?? 0) >> 4;
  let source: string, destination: string, protocol: number, at: number, end: number;
  if (version === 4) {
    if ((word(bytes, ip + 6) & 0x1fff) !== 0) return null;
    source = Array.from(bytes.subarray(ip + 12, ip + 16)).join(".");
    destination = Array.from(bytes.subarray(ip + 16, ip + 20)).join(".");
    protocol = bytes[ip + 9] ?? 0;
    at = ip + ((bytes[ip] ?? 0) & 15) * 4;
    end = ip + word(bytes, ip + 2);
  } else if (version === 6) {
    source = `[${ipv6(bytes, ip + 8)}]`;
    destination = `[${ipv6(bytes, ip + 24)}]`;
    protocol = bytes[ip + 6] ?? 0;
    at = ip + 40;
    end = at + word(bytes, ip + 4);
  } else {
    return null;
  }
  const from = `${source}:${word(bytes, at)}`;
  const to = `${destination}:${word(bytes, at + 2)}`;
  end = Math.min(end, bytes.length);
  if (protocol === 6) {
    const begin = at + ((bytes[at + 12] ?? 0) >> 4) * 4;
    const opens = ((bytes[at + 13] ?? 0) & 2) !== 0;
    return { from, to, sequence: number(bytes, at + 4), opens, payload: bytes.subarray(begin, Math.max(begin, end)) };
  }
  if (protocol === 17) return { from, to, opens: false, payload: bytes.subarray(at + 8, Math.max(at + 8, end)) };
  return null;
}

/** How far a TCP number lies from another one, which may be on the other side of the wrap. */
function distance(from: number, to: number): number {
  return (to - from) | 0;
}

/** The two directions, that of the first packet first. */
export function sides(packets: readonly CapturedPacket[]): Side[] {
  const found = new Map<string, Segment[]>();
  for (const packet of packets) {
    const segment = dissect(packet);
    if (segment === null) continue;
    const known = found.get(segment.from);
    if (known) known.push(segment);
    else found.set(segment.from, [segment]);
  }
  return [...found.values()].map(join);
}

function join(segments: Segment[]): Side {
  const first = segments[0] as Segment;
  const parts: Uint8Array[] = [];
  let missing = 0;
  if (first.sequence === undefined) {
    for (const { payload } of segments) parts.push(payload);
  } else {
    const base = first.sequence;
    const places = segments
      .filter(({ payload }) => payload.length > 0)
      .map(({ sequence, opens, payload }) => ({ at: distance(base, (sequence ?? 0) + (opens ? 1 : 0)), payload }))
      .sort((a, b) => a.at - b.at);
    let next = places[0]?.at ?? 0;
    for (const { at, payload } of places) {
      if (at > next) missing += at - next;
      const known = Math.max(0, next - at);
      // What was sent before is not shown twice.
      if (known < payload.length) parts.push(payload.subarray(known));
      next = Math.max(next, at + payload.length);
    }
  }
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let place = 0;
  for (const part of parts) {
    bytes.set(part, place);
    place += part.length;
  }
  return { from: first.from, to: first.to, bytes, missing };
}

/** Sixteen bytes a line: place, hexadecimal, text. */
export function hexDump(bytes: Uint8Array, limit: number): string {
  const lines: string[] = [];
  const shown = bytes.subarray(0, limit);
  for (let at = 0; at < shown.length; at += 16) {
    const part = Array.from(shown.subarray(at, at + 16));
    const hex = part.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    lines.push(`${at.toString(16).padStart(6, "0")}  ${hex.padEnd(47)}  ${readable(shown.subarray(at, at + 16))}`);
  }
  return lines.join("\n");
}

/** Each byte as a letter where it is one, else as a dot. */
function readable(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : ".")).join("");
}

/** Text as it was sent: UTF-8, with dots for what is no letter. */
export function asText(bytes: Uint8Array, limit: number): string {
  // Control characters but tab and line feed.
  return new TextDecoder().decode(bytes.subarray(0, limit)).replace(/\r\n/g, "\n").replace(/[\u0000-\u0008\u000b-\u001f\u007f\ufffd]/g, ".");
}
