import { expect, test } from "vitest";
import { readPcapng, type CapturedPacket } from "./pcapng";
import { asText, hexDump, sides } from "./streams";

/** A TCP packet over IPv4 without a link header. */
function tcp(client: boolean, sequence: number, text: string, flags = 0x18): CapturedPacket {
  const payload = new TextEncoder().encode(text);
  const bytes = new Uint8Array(40 + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, 0x45);
  view.setUint16(2, bytes.length);
  view.setUint8(9, 6);
  const ends = client ? [1, 2] : [2, 1];
  bytes.set([192, 0, 2, ends[0] ?? 0, 192, 0, 2, ends[1] ?? 0], 12);
  view.setUint16(20, client ? 40000 : 80);
  view.setUint16(22, client ? 80 : 40000);
  view.setUint32(24, sequence);
  view.setUint8(32, 0x50);
  view.setUint8(33, flags);
  bytes.set(payload, 40);
  return { timeMs: 0, link: 101, originalLength: bytes.length, bytes };
}

const text = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);

test("each side's bytes stand in the order of their numbers, once, across the wrap", () => {
  const start = 0xfffffffe;
  const [client, server] = sides([
    tcp(true, start, "", 2),
    tcp(false, 7, "", 0x12),
    tcp(true, 2, "cd"),
    tcp(true, start + 1, "?ab"),
    tcp(true, 1, "bcd"),
    tcp(false, 8, "yes"),
    tcp(false, 13, "no"),
  ]);
  expect([client?.from, client?.to]).toEqual(["192.0.2.1:40000", "192.0.2.2:80"]);
  expect([text(client?.bytes), client?.missing]).toEqual(["?abcd", 0]);
  expect([text(server?.bytes), server?.missing]).toEqual(["yesno", 2]);
});

test("a file is read block by block and may be cut anywhere", () => {
  const packet = tcp(true, 1, "hello").bytes;
  const padded = Math.ceil(packet.length / 4) * 4;
  const file = new Uint8Array(28 + 20 + 32 + padded);
  const view = new DataView(file.buffer);
  const words = (at: number, values: number[]) => values.forEach((value, index) => view.setUint32(at + index * 4, value, true));
  words(0, [0x0a0d0d0a, 28, 0x1a2b3c4d]);
  words(28, [1, 20, 101, 0, 20]);
  words(48, [6, 32 + padded, 0, 0, 2_000_000, packet.length, packet.length]);
  file.set(packet, 76);
  const [read] = readPcapng(file.buffer);
  expect(read).toEqual({ timeMs: 2, link: 101, originalLength: packet.length, bytes: packet });
  for (let length = 0; length < file.length; length++) expect(readPcapng(file.buffer.slice(0, length))).toEqual([]);
});

test("bytes are shown with their places, and nothing in them reaches the page as control", () => {
  expect(hexDump(new TextEncoder().encode("GET /\r\n0123456789"), 100)).toBe(
    "000000  47 45 54 20 2f 0d 0a 30 31 32 33 34 35 36 37 38  GET /..012345678\n000010  39                                               9",
  );
  expect(asText(new Uint8Array([27, 65, 13, 10, 0]), 10)).toBe(".A\n.");
});
