#!/usr/bin/env python3
"""Two DNP3 stations for record.sh, as no program for both sides is at hand: `outstation ADDRESS` or `master ADDRESS`."""

import socket
import struct
import sys

MASTER, OUTSTATION = 3, 4


def check(data):
    value = 0
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0xA6BC if value & 1 else 0)
    return struct.pack("<H", value ^ 0xFFFF)


def frame(control, to, source, content):
    head = struct.pack("<2sBBHH", b"\x05\x64", 5 + len(content), control, to, source)
    blocks = [content[at : at + 16] for at in range(0, len(content), 16)]
    return head + check(head) + b"".join(block + check(block) for block in blocks)


def frames(master, message):
    """A message in as many frames as it needs, each with the byte that says which part it is."""
    parts = [message[at : at + 249] for at in range(0, len(message), 249)]
    sent = b""
    for number, part in enumerate(parts):
        transport = number | (0x40 if number == 0 else 0) | (0x80 if number == len(parts) - 1 else 0)
        ends = (OUTSTATION, MASTER) if master else (MASTER, OUTSTATION)
        sent += frame(0xC4 if master else 0x44, *ends, bytes([transport]) + part)
    return sent


RELAY = bytes([12, 1, 0x28, 1, 0, 7, 0, 0x41, 1]) + struct.pack("<IIB", 100, 100, 0)
NAME = b"/cau-hinh.txt"
OPEN = bytes([70, 3, 0x5B, 1]) + struct.pack("<H", 26 + len(NAME))
OPEN += struct.pack("<HH6sHIIHHH", 26, len(NAME), b"", 0, 0, 0, 1, 1024, 1) + NAME
COUNTERS = bytes([20, 1, 0x00, 0, 99]) + b"".join(struct.pack("<BI", 1, n) for n in range(100))
ANALOGS = bytes([30, 2, 0x00, 0, 1]) + struct.pack("<BhBh", 1, -5, 1, 300)

# What the master sends, and what the outstation answers.
TALK = [
    (b"\xc0\x01" + bytes([60, 2, 6, 60, 3, 6, 60, 4, 6, 60, 1, 6]), b"\xc0\x81\x90\x00" + COUNTERS + ANALOGS),
    (b"\xc1\x02" + bytes([80, 1, 0, 7, 7, 0]), b"\xc1\x81\x10\x00"),
    (b"\xc2\x03" + RELAY, b"\xc2\x81\x00\x00" + RELAY),
    (b"\xc3\x04" + RELAY, b"\xc3\x81\x00\x00" + RELAY),
    (b"\xc4\x19" + OPEN, b"\xc4\x81\x00\x02"),
    (b"\xc5\x0d", b"\xc5\x81\x00\x00" + bytes([52, 2, 7, 1, 0xE8, 3])),
]
UNSOLICITED = b"\xf6\x82\x02\x00" + bytes([2, 1, 0x28, 1, 0, 5, 0, 0x81])
CONFIRM = b"\xd6\x00"


def take(connection, expected):
    received = b""
    while len(received) < len(expected):
        received += connection.recv(4096)


def main():
    side, address = sys.argv[1:]
    if side == "outstation":
        with socket.create_server((address, 20000)) as server:
            connection, _ = server.accept()
    else:
        connection = socket.create_connection((address, 20000))
    master = side == "master"
    for question, answer in TALK:
        question, answer = frames(True, question), frames(False, answer)
        if master:
            connection.sendall(question)
            take(connection, answer)
        else:
            take(connection, question)
            connection.sendall(answer)
    told, confirmed = frames(False, UNSOLICITED), frames(True, CONFIRM)
    if master:
        take(connection, told)
        connection.sendall(confirmed)
    else:
        connection.sendall(told)
        take(connection, confirmed)
    connection.close()


main()
