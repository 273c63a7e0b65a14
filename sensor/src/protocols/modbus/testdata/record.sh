#!/bin/sh
# Records pymodbus on both sides between two namespaces (root; needs tcpdump, iproute2, pip install pymodbus):
#   device.pcap   reading, writing, a register that is not there, a restart, the device's names
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/../../../../tests/record/namespaces.sh"
PYTHON=${PYTHON:-python3}

serve "$PYTHON" "$HERE/server.py" 198.51.100.7
listening 502
record device
on_client "$PYTHON" "$HERE/client.py" 198.51.100.7
recorded
