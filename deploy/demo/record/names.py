#!/usr/bin/env python3
"""The names of the demo's Internet: an authoritative DNS server over UDP and TCP.

Answers A, AAAA, TXT, MX and NS from the table below; everything else does not exist. Names under the tunnel's domain get a
TXT record of random text, as the far end of a DNS tunnel gives. Usage: names.py ADDRESS...
"""
import base64
import os
import socket
import struct
import sys
import threading

HOSTS = {
    "cong.tinh.example": ("198.51.100.10", "2001:db8:cafe:100::10"),
    "mail.tinh.example": ("198.51.100.30", None),
    "tin-tuc.example": ("192.0.2.10", "2001:db8:1::10"),
    "anh.tin-tuc.example": ("192.0.2.10", None),
    "thoi-tiet.example": ("192.0.2.11", None),
    "hoc-lieu.example": ("192.0.2.12", None),
    "cap-nhat.phan-mem.example": ("192.0.2.11", None),
    "ban-do.example": ("192.0.2.12", None),
    "kho-anh.example": ("192.0.2.80", None),
    "c2.sinkhole.example": ("192.0.2.250", None),
}
TUNNEL = "t.updates-cdn.example"
A, NS, MX, TXT, AAAA = 1, 2, 15, 16, 28


def name_of(message, at):
    """The question's name (never compressed in a question) and where it ends."""
    labels = []
    while message[at]:
        length = message[at]
        labels.append(message[at + 1:at + 1 + length].decode("ascii", "replace"))
        at += 1 + length
    return ".".join(labels).lower(), at + 1


def encode(name):
    """A name in wire form."""
    return b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\0"


def records(name, kind):
    """The data of the records, or None where the name does not exist."""
    if name.endswith("." + TUNNEL):
        text = base64.b64encode(os.urandom(75))
        return [bytes([len(text)]) + text] if kind == TXT else []
    if name in HOSTS:
        four, six = HOSTS[name]
        if kind == A:
            return [socket.inet_aton(four)]
        if kind == AAAA and six:
            return [socket.inet_pton(socket.AF_INET6, six)]
        return []
    if name == "tinh.example" and kind == MX:
        return [struct.pack(">H", 10) + encode("mail.tinh.example")]
    if any(host.endswith("." + name) for host in [*HOSTS, TUNNEL]):
        return []
    return None


def answer(message):
    """The answer to one query."""
    ident, flags = struct.unpack(">HH", message[:4])
    name, end = name_of(message, 12)
    kind = struct.unpack(">H", message[end:end + 2])[0]
    found = records(name, kind)
    code = 3 if found is None else 0
    head = struct.pack(">HHHHHH", ident, 0x8400 | (flags & 0x0100) | code, 1, len(found or []), 0, 0)
    body = b"".join(
        struct.pack(">HHHIH", 0xC00C, kind, 1, 300, len(data)) + data for data in found or [])
    return head + message[12:end + 4] + body


def serve_udp(address):
    """One datagram, one answer."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    server = socket.socket(family, socket.SOCK_DGRAM)
    server.bind((address, 53))
    while True:
        message, peer = server.recvfrom(4096)
        try:
            server.sendto(answer(message), peer)
        except (IndexError, struct.error):
            pass


def serve_tcp(address):
    """One connection at a time: the resolver opens few."""
    server = socket.create_server((address, 53))
    while True:
        connection, _ = server.accept()
        with connection:
            length = connection.recv(2)
            if len(length) == 2:
                reply = answer(connection.recv(struct.unpack(">H", length)[0]))
                connection.sendall(struct.pack(">H", len(reply)) + reply)


if __name__ == "__main__":
    threads = [threading.Thread(target=serve_udp, args=(address,)) for address in sys.argv[1:]]
    threads += [threading.Thread(target=serve_tcp, args=(address,)) for address in sys.argv[1:] if ":" not in address]
    for thread in threads:
        thread.start()
