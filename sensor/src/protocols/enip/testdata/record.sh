#!/bin/sh
# Records cpppo on both sides between two namespaces (root; needs tcpdump, iproute2, pip install cpppo):
#   controller.pcap   the device's names, reading and writing a tag, a tag that is not there
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/../../../../tests/record/namespaces.sh"
PYTHON=${PYTHON:-python3}

serve "$PYTHON" -m cpppo.server.enip --address 198.51.100.7:44818 BOM=INT[10]
listening 44818
record controller
on_client "$PYTHON" -m cpppo.server.enip.list_services --list-identity -a 198.51.100.7 || true
on_client "$PYTHON" -m cpppo.server.enip.client -a 198.51.100.7 'BOM[0-2]' 'BOM[3]=(INT)7' || true
on_client "$PYTHON" -m cpppo.server.enip.client -a 198.51.100.7 'KHONG' || true
recorded
