#!/bin/sh -e
# Records logins.pcap; what is said is in record.py. Needs root, iproute2, tcpdump, python3.
. "$(dirname "$0")/../../../../tests/record_network.sh"
network
# One secret for both sides would have to be passed on: the client's is not checked.
$B python3 "$(dirname "$0")/record.py" serve &
sleep 1
record logins.pcap "udp port 1812 or udp port 1813"
$A python3 "$(dirname "$0")/record.py" ask
stop
