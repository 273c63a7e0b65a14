#!/bin/sh -e
# Records tunnels.pcap: a handshake that is answered, with data behind it; one that is answered with a cookie first; one
# that nobody answers. Random bytes in messages of the right lengths, as the kernel here may have no WireGuard. Needs root,
# iproute2, tcpdump, python3.
. "$(dirname "$0")/../../../../tests/record_network.sh"
network
record tunnels.pcap udp
$A python3 - <<'PY'
import os, socket, subprocess
def place(host, port):
    # Both ends in one program: a socket keeps the network it was made in.
    import ctypes
    ctypes.CDLL(None).setns(os.open(f"/run/netns/luytre-{host}", os.O_RDONLY), 0)
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(2)
    s.bind(({"a": "192.0.2.10", "b": "192.0.2.20"}[host], port)); return s
initiation = lambda n: b"\x01\0\0\0" + bytes([n, 0, 0, 0]) + os.urandom(140)
response = lambda n: b"\x02\0\0\0" + b"\x99\0\0\0" + bytes([n, 0, 0, 0]) + os.urandom(80)
cookie = lambda n: b"\x03\0\0\0" + bytes([n, 0, 0, 0]) + os.urandom(56)
def talk(port, turns):
    a, b = place("a", port), place("b", 51820)
    for who, what in turns:
        (a if who == "a" else b).sendto(what, ("192.0.2.20", 51820) if who == "a" else ("192.0.2.10", port))
        (b if who == "a" else a).recv(2048)
    a.close(); b.close()
data = b"\x04\0\0\0\x99\0\0\0" + bytes(8) + os.urandom(64)
talk(40001, [("a", initiation(1)), ("b", response(1)), ("a", data), ("a", initiation(2)), ("b", response(2))])
talk(40002, [("a", initiation(3)), ("b", cookie(3)), ("a", initiation(4)), ("b", response(4))])
talk(40003, [("a", initiation(5)), ("a", initiation(6))])
PY
stop
