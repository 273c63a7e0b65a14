#!/bin/sh -e
# Records calls.pcap; what is said is in record.py. Needs root, iproute2, tcpdump, python3.
. "$(dirname "$0")/../../../../tests/record_network.sh"
network
$B timeout 30 python3 "$(dirname "$0")/record.py" serve &
sleep 1
record calls.pcap "port 5060"
$A timeout 20 python3 "$(dirname "$0")/record.py" call
stop
