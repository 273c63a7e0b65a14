#!/usr/bin/env python3
"""Rewrites a classic pcap as pcapng with a comment that says what it is: pcapng.py IN.pcap OUT.pcapng

tcpdump writes pcap only; the demo's capture is pcapng because that is what today's tools write, and so that it says itself
that it is made up.
"""
import struct
import sys

COMMENT = b"Luy Tre demo story: recorded between network namespaces, nothing in it is real"


def block(kind, body):
    """One block: type, length, body, length again."""
    body += bytes(-len(body) % 4)
    length = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + length + body + length


def option(code, value):
    """One option, padded."""
    return struct.pack("<HH", code, len(value)) + value + bytes(-len(value) % 4)


def main(source, target):
    """Reads one, writes the other."""
    with open(source, "rb") as file:
        data = file.read()
    magic, _, _, _, _, snaplen, link = struct.unpack("<IHHiIII", data[:24])
    if magic != 0xA1B2C3D4:
        sys.exit(f"{source}: not a little-endian microsecond pcap")
    with open(target, "wb") as out:
        out.write(block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1) + option(1, COMMENT) + bytes(4)))
        out.write(block(1, struct.pack("<HHI", link, 0, snaplen) + option(2, b"br0") + bytes(4)))
        packets = []
        at = 24
        while at + 16 <= len(data):
            seconds, micros, kept, whole = struct.unpack("<IIII", data[at:at + 16])
            stamp = seconds * 1_000_000 + micros
            packet = data[at + 16:at + 16 + kept]
            at += 16 + kept
            packets.append((stamp, whole, packet))
        # Two processors may hand over packets in another order than they stamped them.
        for stamp, whole, packet in sorted(packets, key=lambda one: one[0]):
            head = struct.pack("<IIIII", 0, stamp >> 32, stamp & 0xFFFFFFFF, len(packet), whole)
            out.write(block(6, head + packet))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
