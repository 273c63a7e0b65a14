#!/usr/bin/env bash
# Records search.pcap with a searcher and a camera of our own (search.py): a search that a camera answers, and its farewell.
# Needs root.
here=$(cd "$(dirname "$0")" && pwd)
needed="python3"
packages="apt-get install python3 iproute2 tcpdump"
. "$here/../../../../tests/lab.sh"

server python3 "$here/search.py" camera &
sleep 1
record search 'udp port 3702'
client python3 "$here/search.py" search
recorded
