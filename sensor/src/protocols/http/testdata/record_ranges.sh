#!/usr/bin/env bash
# Records ranges.pcap: a file fetched in three ranges out of order, and a download that is cut off and taken up again.
# Needs root, curl and python3.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
curl="curl -s -A may-01 -o /dev/null --resolve kho.tinh.example:80:198.51.100.7"
"$here/../../../../tests/record/between.sh" "$here/ranges.pcap" "python3 $here/ranges.py" "
    part=\$(mktemp)
    for range in 0-999 2000-2999 1000-1999; do $curl -r \$range http://kho.tinh.example/bang.bin; done
    curl -s -A may-01 -o \$part --resolve kho.tinh.example:80:198.51.100.7 http://kho.tinh.example/cat.bin || true
    curl -s -A may-01 -C - -o \$part --resolve kho.tinh.example:80:198.51.100.7 http://kho.tinh.example/cat.bin
    rm -f \$part" 80
