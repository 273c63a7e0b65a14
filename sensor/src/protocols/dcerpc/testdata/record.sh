#!/usr/bin/env bash
# Records DCE RPC over TCP and UDP between two ends of our own (`endpoint.py`); over pipes it is recorded with SMB between
# real programs. Root.
here=$(cd "$(dirname "$0")" && pwd)
needed="python3"
packages="apt-get install python3 iproute2 tcpdump"
. "$here/../../../../tests/lab.sh"

server python3 "$here/endpoint.py" serve 198.51.100.10 135 >"$work/endpoint.log" 2>&1 &
listening 135
record calls 'port 135'
client python3 "$here/endpoint.py" call 198.51.100.10 135
recorded
