#!/usr/bin/env bash
# Records sessions.pcap: a log-in and a message with attachments in Vietnamese, a refused recipient, a message in chunks,
# pipelined commands, STARTTLS. Needs root and PYTHON (default python3) with `aiosmtpd` and `cryptography`.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
python=${PYTHON:-python3}
"$here/../../../../tests/record/between.sh" "$here/sessions.pcap" \
    "$python $here/talk.py server" "$python $here/talk.py client" 587
