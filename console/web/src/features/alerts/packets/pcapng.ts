// Reads the pcapng file that a sensor's packets come in (one section, little-endian, times in nanoseconds).

export interface CapturedPacket {
  /** When, milliseconds since 1970. */
  timeMs: number;
  /** The link type's number (1 is Ethernet, 101 raw IP). */
  link: number;
  /** Bytes on the wire. */
  originalLength: number;
  bytes: Uint8Array;
}

const INTERFACE = 1;
const ENHANCED_PACKET = 6;

/** The packets of a file; what is cut off at its end is left out. */
export function readPcapng(file: ArrayBuffer): CapturedPacket[] {
  const view = new DataView(file);
  const links: number[] = [];
  const packets: CapturedPacket[] = [];
  let at = 0;
  while (at + 12 <= view.byteLength) {
    const kind = view.getUint32(at, true);
    const length = view.getUint32(at + 4, true);
    if (length < 12 || at + length > view.byteLength) break;
    if (kind === INTERFACE) links.push(view.getUint16(at + 8, true));
    if (kind === ENHANCED_PACKET && length >= 32) {
      const nanoseconds = (BigInt(view.getUint32(at + 12, true)) << 32n) | BigInt(view.getUint32(at + 16, true));
      const captured = Math.min(view.getUint32(at + 20, true), length - 32);
      packets.push({
        timeMs: Number(nanoseconds / 1000n) / 1000,
        link: links[view.getUint32(at + 8, true)] ?? 0,
        originalLength: view.getUint32(at + 24, true),
        bytes: new Uint8Array(file, at + 28, captured),
      });
    }
    at += length;
  }
  return packets;
}
