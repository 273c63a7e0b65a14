#!/bin/sh -e
# Records clocks.pcap: a host asks a server for the time, and somebody tries the messages that are misused to flood others
# (nobody answers these). Needs root, iproute2, tcpdump, chrony, python3.
. "$(dirname "$0")/../../../../tests/record_network.sh"
network
printf 'local stratum 5\nallow 192.0.2.0/24\nport 123\ncmdport 0\npidfile %s/pid\n' "$WORK" >"$WORK/server"
$B chronyd -x -d -u root -f "$WORK/server" >"$WORK/chronyd" 2>&1 &
sleep 5
record clocks.pcap "udp port 123"
timeout 20 $A chronyd -Q -u root -t 12 "server 192.0.2.20 iburst maxsamples 2" "pidfile $WORK/pid2" "cmdport 0" >/dev/null 2>&1 || true
$A ip neigh add 192.0.2.21 lladdr 00:00:5e:00:53:15 dev wire
$A python3 - <<'PY'
import socket
for message in (b"\x16\x02\x00\x01" + bytes(8), b"\x17\x00\x03\x2a" + bytes(4), b"\x23" + bytes(39) + b"\xee\x01\x02\x03\x04\x05\x06\x07"):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("192.0.2.10", 0))
    s.sendto(message, ("192.0.2.21" if message[0] == 0x23 else "192.0.2.20", 123))
PY
stop
