#!/bin/sh
# Records two stations of our own between two namespaces (root; needs python3, tcpdump, iproute2):
#   stations.pcap   values in several frames, a write, a relay, a file, a restart, an unsolicited message
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/../../../../tests/record/namespaces.sh"
PYTHON=${PYTHON:-python3}

serve "$PYTHON" "$HERE/stations.py" outstation 198.51.100.7
listening 20000
record stations
on_client "$PYTHON" "$HERE/stations.py" master 198.51.100.7
recorded
