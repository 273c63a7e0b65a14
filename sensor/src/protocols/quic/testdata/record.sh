#!/usr/bin/env bash
# Records connections.pcap: version 1 with a session taken up again and early data, version 2, a retry, a server that
# knows no common version, a server that refuses the protocol. Needs root and PYTHON (default python3) with `aioquic`.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
python=${PYTHON:-python3}
"$here/../../../../tests/record/between.sh" "$here/connections.pcap" \
    "$python $here/talk.py server" "$python $here/talk.py client" 4433
