#!/bin/sh
# Records bacpypes3 on both sides between two namespaces (root; needs tcpdump, iproute2, pip install bacpypes3):
#   device.pcap   a search, reading, writing, an object that is not there
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/../../../../tests/record/namespaces.sh"
PYTHON=${PYTHON:-python3}

serve "$PYTHON" "$HERE/device.py" 198.51.100.7/24
for _ in $(seq 100); do
    on_server ss -lun | grep -q ":47808 " && break
    sleep 0.1
done
record device
on_client "$PYTHON" "$HERE/client.py" 192.0.2.10/24 198.51.100.7 || cat "$WORK/serve.log"
recorded
