#!/bin/sh -e
# Records miners.pcap: miners of two kinds log in at a pool and send shares. A small client and server, so that nothing is
# mined. Needs root, iproute2, tcpdump, python3.
. "$(dirname "$0")/../../../../tests/record_network.sh"
network
record miners.pcap "port 3333"
$B timeout 20 python3 - <<'PY' &
import socket
t = socket.socket(); t.bind(("192.0.2.20", 3333)); t.listen()
for _ in range(2):
    c, _ = t.accept()
    for line in c.makefile(): c.sendall(b'{"id":1,"jsonrpc":"2.0","error":null,"result":true}\n')
    c.close()
PY
sleep 1
$A python3 - <<'PY'
import json, socket, time
for lines in (
    [{"id": 1, "method": "mining.subscribe", "params": ["cpuminer/2.5.1"]}, {"id": 2, "method": "mining.authorize", "params": ["vi.may1", "x"]},
     {"id": 3, "method": "mining.submit", "params": ["vi.may1", "job", "0", "1", "2"]}, {"id": 4, "method": "mining.submit", "params": ["vi.may1", "job", "0", "1", "3"]}],
    [{"id": 1, "jsonrpc": "2.0", "method": "login", "params": {"login": "vi-cua-ai", "pass": "x", "agent": "XMRig/6.21.0", "algo": ["rx/0", "cn/r"]}}],
):
    s = socket.create_connection(("192.0.2.20", 3333))
    for line in lines: s.sendall(json.dumps(line).encode() + b"\n"); s.recv(500)
    s.shutdown(socket.SHUT_WR); time.sleep(0.2); s.close()
PY
stop
