#!/bin/sh -e
# Records peers.pcap: a handshake of peers, questions to the table of nodes, an announcement at a tracker. A small client
# and server, so that nobody else is asked. Needs root, iproute2, tcpdump, python3.
. "$(dirname "$0")/../../../../tests/record_network.sh"
network
record peers.pcap "port 6881 or port 6969"
$B timeout 20 python3 - <<'PY' &
import os, socket, struct, threading
HASH = bytes(range(20))
t = socket.socket(); t.bind(("192.0.2.20", 6881)); t.listen()
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.bind(("192.0.2.20", 6881))
k = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); k.bind(("192.0.2.20", 6969))
def table():
    for _ in range(2):
        _, peer = u.recvfrom(2048); u.sendto(b"d1:rd2:id20:" + b"b" * 20 + b"e1:t2:aa1:v4:LT\x02\x001:y1:re", peer)
def tracker():
    m, peer = k.recvfrom(2048); k.sendto(struct.pack("!I", 0) + m[12:16] + bytes(8), peer)
    m, peer = k.recvfrom(2048); k.sendto(struct.pack("!I", 1) + m[12:16] + struct.pack("!III", 1800, 0, 1), peer)
threading.Thread(target=table).start(); threading.Thread(target=tracker).start()
c, _ = t.accept(); c.recv(100)
c.sendall(b"\x13BitTorrent protocol" + bytes(8) + HASH + b"-LT20A0-" + b"x" * 12 + b"\0\0\0\1\1"); c.recv(100); c.close()
PY
sleep 1
$A python3 - <<'PY'
import socket, struct, time
HASH = bytes(range(20))
s = socket.create_connection(("192.0.2.20", 6881))
hello = b"\x13BitTorrent protocol" + bytes(8) + HASH + b"-TR4050-" + b"y" * 12
s.sendall(hello[:30]); time.sleep(0.1); s.sendall(hello[30:]); s.recv(100); s.close()
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.settimeout(2)
for q in (b"d1:ad2:id20:" + b"a" * 20 + b"e1:q4:ping1:t2:aa1:y1:qe", b"d1:ad2:id20:" + b"a" * 20 + b"9:info_hash20:" + HASH + b"e1:q9:get_peers1:t2:aa1:y1:qe"):
    u.sendto(q, ("192.0.2.20", 6881)); u.recv(2048)
k = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); k.settimeout(2)
k.sendto(struct.pack("!QII", 0x41727101980, 0, 7), ("192.0.2.20", 6969)); k.recv(100)
k.sendto(bytes(8) + struct.pack("!II", 1, 8) + HASH + b"-TR4050-" + b"y" * 12 + bytes(42), ("192.0.2.20", 6969)); k.recv(100)
PY
stop
