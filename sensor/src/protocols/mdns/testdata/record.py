#!/usr/bin/env python3
"""What the hosts of services.pcap say: asks the group for printers and for a host, also by unicast (Run by record.sh)."""

import socket
import struct
import sys

GROUP = ("224.0.0.251", 5353)


def name(text):
    return b"".join(bytes([len(part)]) + part.encode() for part in text.split(".")) + b"\0"


def question(text, kind, unicast=False):
    return name(text) + struct.pack("!HH", kind, 0x8001 if unicast else 1)


s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("192.0.2.10", 5353))
s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("192.0.2.10"))
known = name("_ipp._tcp.local") + struct.pack("!HHIH", 12, 1, 4500, len(name("khac._ipp._tcp.local"))) + name("khac._ipp._tcp.local")
for message in (
    struct.pack("!6H", 0, 0, 2, 1, 0, 0) + question("_ipp._tcp.local", 12) + question("_http._tcp.local", 12) + known,
    struct.pack("!6H", 0, 0, 1, 0, 0, 0) + question("may-in.local", 1, unicast=True),
    # Cut off in the middle.
    struct.pack("!6H", 0, 0, 2, 0, 0, 0) + question("_ipp._tcp.local", 12) + b"\x05_s",
):
    s.sendto(message, GROUP)
sys.exit(0)
