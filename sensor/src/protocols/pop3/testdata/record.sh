#!/usr/bin/env bash
# Records sessions.pcap: log-ins, a mailbox with one message in Vietnamese and its attachment, a change to TLS. Needs root,
# Debian's dovecot-pop3d, openssl and python3.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
"$here/../../../../tests/record/between.sh" "$here/sessions.pcap" \
    "$here/../../mail/testdata/mailbox.sh" "python3 $here/talk.py" 110
