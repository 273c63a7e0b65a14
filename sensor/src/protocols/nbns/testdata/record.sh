#!/bin/sh -e
# Records names.pcap: a host claims a name, asks for another, lists all names of a third and gives its own back. A small
# client and a small server, as no program of Windows is at hand. Needs root, iproute2, tcpdump, python3.
. "$(dirname "$0")/../../../../tests/record_network.sh"
network
record names.pcap "udp port 137"
$B timeout 20 python3 - <<'PY' &
import socket, struct
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("0.0.0.0", 137))
while True:
    query, peer = s.recvfrom(576)
    code, kind = query[2] >> 3 & 15, query[-3]
    name = query[12:46]
    if code == 0 and query[46:48] == b"\0\x20":
        s.sendto(query[:2] + b"\x85\x00" + struct.pack("!4H", 0, 1, 0, 0) + name + struct.pack("!HHIHH", 32, 1, 300, 6, 0) + socket.inet_aton("192.0.2.20"), peer)
    elif code == 0:
        names = b"".join(n.ljust(15).encode() + bytes([t]) + struct.pack("!H", f) for n, t, f in (("MAY-CHU", 0, 0x400), ("UBND", 0, 0x8400), ("MAY-CHU", 0x20, 0x400)))
        data = b"\x03" + names + bytes.fromhex("00005e005314") + bytes(40)
        s.sendto(query[:2] + b"\x84\x00" + struct.pack("!4H", 0, 1, 0, 0) + name + struct.pack("!HHIH", 33, 1, 0, len(data)) + data, peer)
    elif code == 5:
        s.sendto(query[:2] + b"\xad\x86" + struct.pack("!4H", 0, 1, 0, 0) + name + struct.pack("!HHIHH", 32, 1, 0, 6, 0) + socket.inet_aton("192.0.2.20"), peer)
PY
sleep 1
$A python3 - <<'PY'
import socket, struct
def coded(name, suffix): return b"\x20" + bytes(65 + n for b in name.ljust(15).encode() + bytes([suffix]) for n in (b >> 4, b & 15)) + b"\0"
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1); s.bind(("192.0.2.10", 137)); s.settimeout(1)
def claim(flags, name): return struct.pack("!6H", 0x0101, flags, 1, 0, 0, 1) + coded(name, 0) + struct.pack("!HH", 32, 1) + b"\xc0\x0c" + struct.pack("!HHIHH", 32, 1, 300, 6, 0) + socket.inet_aton("192.0.2.10")
s.sendto(claim(0x2910, "MAY-CHU"), ("192.0.2.255", 137)); s.recv(576)
s.sendto(claim(0x2910, "MAY1"), ("192.0.2.255", 137)); s.recv(576)
s.sendto(struct.pack("!6H", 0x0102, 0x0110, 1, 0, 0, 0) + coded("MAY-CHU", 0x20) + struct.pack("!HH", 32, 1), ("192.0.2.255", 137)); s.recv(576)
s.sendto(struct.pack("!6H", 0x0103, 0x0000, 1, 0, 0, 0) + b"\x20CK" + b"A" * 30 + b"\0" + struct.pack("!HH", 33, 1), ("192.0.2.20", 137)); s.recv(576)
s.sendto(claim(0x3010, "MAY1"), ("192.0.2.255", 137))
PY
stop
