#!/usr/bin/env python3
"""What is said in tunnels.pcap (run by record.sh): both versions of IKE as far as they are in clear, also behind address
translation. Written out byte by byte, so that refusals, cookies and several proposals occur; keys are random bytes."""

import os
import socket
import struct
import sys

A, B = "192.0.2.10", "192.0.2.20"
SPI, ANSWER = bytes.fromhex("a1a2a3a4a5a6a7a8"), bytes.fromhex("b1b2b3b4b5b6b7b8")


def message(spis, version, exchange, flags, number, payloads):
    body = b""
    for place, (kind, content) in enumerate(payloads):
        after = payloads[place + 1][0] if place + 1 < len(payloads) else 0
        after = content[0] if kind == 46 else after
        content = content[1:] if kind == 46 else content
        body += struct.pack("!BBH", after, 0, 4 + len(content)) + content
    first = payloads[0][0] if payloads else 0
    return spis[0] + spis[1] + struct.pack("!BBBBII", first, version, exchange, flags, number, 28 + len(body)) + body


def transforms2(items):
    out = b""
    for place, (kind, number, bits) in enumerate(items):
        attribute = struct.pack("!HH", 0x800e, bits) if bits else b""
        out += struct.pack("!BBHBBH", 3 if place + 1 < len(items) else 0, 0, 8 + len(attribute), kind, 0, number) + attribute
    return out


def proposal2(number, items, last=True):
    body = transforms2(items)
    return struct.pack("!BBHBBBB", 0 if last else 2, 0, 8 + len(body), number, 1, 0, len(items)) + body


def association1(transforms):
    out = b""
    for place, attributes in enumerate(transforms):
        body = b"".join(struct.pack("!HH", 0x8000 | kind, value) for kind, value in attributes)
        out += struct.pack("!BBHBBH", 3 if place + 1 < len(transforms) else 0, 0, 8 + len(body), place + 1, 1, 0) + body
    return struct.pack("!II", 1, 1) + struct.pack("!BBHBBBB", 0, 0, 8 + len(out), 1, 1, 0, len(transforms)) + out


def notify(number, data=b""):
    return struct.pack("!BBH", 0, 0, number) + data


modern = proposal2(1, [(1, 12, 256), (1, 12, 128), (2, 5, 0), (3, 12, 0), (4, 31, 0), (4, 14, 0)], last=False) + proposal2(2, [(1, 20, 256), (2, 7, 0), (4, 20, 0)])
chosen = proposal2(1, [(1, 12, 256), (2, 5, 0), (3, 12, 0), (4, 31, 0)])
key, nonce = struct.pack("!HH", 31, 0) + os.urandom(32), os.urandom(32)
old = [[(1, 7), (14, 256), (2, 4), (4, 14), (3, 1)], [(1, 5), (2, 2), (4, 2), (3, 65001)]]
zero = bytes(8)
nat = [(41, notify(16388, os.urandom(20))), (41, notify(16389, os.urandom(20)))]
dpd, unknown = bytes.fromhex("afcad71368a1f1c96b8696fc77570100"), bytes(range(16))
hello = [(33, modern), (34, key), (40, nonce)]

# Who speaks, from and to which port, what.
TALK = [
    (A, 500, message((SPI, zero), 0x20, 34, 8, 0, hello + nat)),
    (B, 500, message((SPI, zero), 0x20, 34, 0x20, 0, [(41, notify(16390, os.urandom(16)))])),
    (A, 500, message((SPI, zero), 0x20, 34, 8, 0, [(41, notify(16390, os.urandom(16)))] + hello + nat)),
    (B, 500, message((SPI, ANSWER), 0x20, 34, 0x20, 0, [(33, chosen), (34, key), (40, nonce)] + nat + [(43, dpd)])),
    (A, 4500, bytes(4) + message((SPI, ANSWER), 0x20, 35, 8, 1, [(46, bytes([35]) + os.urandom(64))])),
    (B, 4500, bytes(4) + message((SPI, ANSWER), 0x20, 35, 0x20, 1, [(46, bytes([36]) + os.urandom(64))])),
    (A, 4500, bytes.fromhex("c1000001") + os.urandom(60)),
    (A, 4500, b"\xff"),
    (A, 501, message((zero[:7] + b"\1", zero), 0x20, 34, 8, 0, hello)),
    (B, 501, message((zero[:7] + b"\1", zero), 0x20, 34, 0x20, 0, [(41, notify(14))])),
    (A, 502, message((SPI, zero), 0x10, 4, 0, 0, [(1, association1(old)), (4, os.urandom(128)), (10, nonce), (5, bytes([3, 17, 1, 244]) + b"chi-nhanh@tinh.example"), (13, dpd), (13, unknown)])),
    (A, 503, message((SPI, zero), 0x10, 2, 0, 0, [(1, association1(old))])),
    (B, 503, message((SPI, ANSWER), 0x10, 2, 0, 0, [(1, association1(old[:1]))])),
    (A, 503, message((SPI, ANSWER), 0x10, 2, 1, 0, [(5, os.urandom(60))])),
    (B, 503, message((SPI, ANSWER), 0x10, 5, 0, 7, [(11, struct.pack("!IBBH", 1, 1, 0, 24))])),
    # A payload that says to be longer than the message.
    (A, 504, message((SPI, zero), 0x20, 34, 8, 0, [(33, modern)])[:-3].replace(struct.pack("!I", 28 + 4 + len(modern)), struct.pack("!I", 25 + 4 + len(modern)), 1)),
]

me = sys.argv[1]
places = {}
for who, port, _ in TALK:
    if port not in places:
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.settimeout(5)
        s.bind((me, port))
        places[port] = s
for who, port, what in TALK:
    if who == me:
        places[port].sendto(what, (B if me == A else A, port))
    else:
        places[port].recv(4096)
