#!/usr/bin/env bash
# Records connections.pcap with a client and a listener of our own (connect.py), because Oracle's programs are not free:
# wishes that are accepted, refused and redirected, one whose description follows in a second packet, and a command to the
# listener itself. Needs root.
here=$(cd "$(dirname "$0")" && pwd)
needed="python3"
packages="apt-get install python3 iproute2 tcpdump"
. "$here/../../../../tests/lab.sh"

server python3 "$here/connect.py" listen &
listening 1521
record connections 'tcp port 1521'
client python3 "$here/connect.py" ask
recorded
