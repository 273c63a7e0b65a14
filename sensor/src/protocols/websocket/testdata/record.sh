#!/usr/bin/env bash
# Records messages.pcap: texts both ways, a long one in pieces, bytes, a ping, a packed connection, a close with a reason.
# Needs root and PYTHON (default python3) with the package `websockets`.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
python=${PYTHON:-python3}
"$here/../../../../tests/record/between.sh" "$here/messages.pcap" \
    "$python $here/talk.py server" "$python $here/talk.py client" 8080
