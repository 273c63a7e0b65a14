#!/usr/bin/env python3
"""Records logins.pcap with a client and a server of its own (the real ones are at hand only with their full
configuration): a log-in that works, one that is refused, one with EAP that is asked further, a session that is accounted
for, a request sent again and never answered. Needs root, iproute2, tcpdump. Run by record.sh in its network."""

import hashlib
import os
import socket
import struct
import sys
import threading

SECRET = os.urandom(16)
SERVER = "192.0.2.20"


def attribute(kind, value):
    if isinstance(value, int):
        value = struct.pack("!I", value)
    if isinstance(value, str):
        value = value.encode()
    return bytes([kind, len(value) + 2]) + value


def packet(code, number, authenticator, attributes):
    body = b"".join(attributes)
    return struct.pack("!BBH", code, number, 20 + len(body)) + authenticator + body


def answer(code, request, attributes):
    body = b"".join(attributes)
    head = struct.pack("!BBH", code, request[1], 20 + len(body))
    digest = hashlib.md5(head + request[4:20] + body + SECRET).digest()
    return head + digest + body


def hidden(password, authenticator):
    padded = password.encode().ljust(16, b"\0")
    mask = hashlib.md5(SECRET + authenticator).digest()
    return bytes(a ^ b for a, b in zip(padded, mask))


def serve(port):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((SERVER, port))
    while True:
        request, peer = s.recvfrom(4096)
        if request[0] == 4:
            s.sendto(answer(5, request, []), peer)
        elif b"\x01\x04an" in request:
            s.sendto(answer(2, request, [attribute(6, 2), attribute(8, socket.inet_aton("192.0.2.130")),
                                         attribute(81, "42"), attribute(18, "Xin chào")]), peer)
        elif b"\x4f" in request and b"binh" in request:
            s.sendto(answer(11, request, [attribute(79, bytes([1, 2, 0, 6, 25, 32])), attribute(24, os.urandom(8))]), peer)
        elif b"la" in request:
            s.sendto(answer(3, request, [attribute(18, "Sai mật khẩu")]), peer)


def ask():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("192.0.2.10", 50812))
    s.settimeout(1)
    device = [attribute(4, socket.inet_aton("192.0.2.10")), attribute(32, "wifi-tang-2"), attribute(61, 19),
              attribute(31, "00-00-5E-00-53-01"), attribute(30, "00-00-5E-00-53-02:UBND")]
    for number, name in ((1, "an"), (2, "la")):
        authenticator = os.urandom(16)
        s.sendto(packet(1, number, authenticator, [attribute(1, name), attribute(2, hidden("khong biet", authenticator))] + device), (SERVER, 1812))
        s.recv(4096)
    s.sendto(packet(1, 3, os.urandom(16), [attribute(1, "binh"), attribute(79, bytes([2, 1, 0, 9, 1]) + b"binh")] + device), (SERVER, 1812))
    s.recv(4096)
    silent = packet(1, 4, os.urandom(16), [attribute(1, "cuong"), attribute(3, os.urandom(17))] + device)
    for _ in range(3):
        s.sendto(silent, (SERVER, 1812))
    session = [attribute(1, "an"), attribute(44, "5f0a"), attribute(42, 1000), attribute(52, 1), attribute(43, 2000)] + device
    for number, extra in ((5, [attribute(40, 1)]), (6, [attribute(40, 2), attribute(46, 360), attribute(49, 1)])):
        s.sendto(packet(4, number, os.urandom(16), extra + session), (SERVER, 1813))
        s.recv(4096)


if sys.argv[1] == "serve":
    threading.Thread(target=serve, args=(1813,), daemon=True).start()
    serve(1812)
else:
    ask()
