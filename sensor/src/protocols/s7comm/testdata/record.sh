#!/bin/sh
# Records python-snap7 on both sides between two namespaces (root; needs tcpdump, iproute2, pip install python-snap7):
#   controller.pcap   reading, writing, a block that is not there, the state, the clock, a stop
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/../../../../tests/record/namespaces.sh"
PYTHON=${PYTHON:-python3}

serve "$PYTHON" "$HERE/server.py" 102
listening 102
record controller
on_client "$PYTHON" "$HERE/client.py" 198.51.100.7
recorded
