#!/bin/sh -e
# Records tunnels.pcap; what is said is in record.py. Needs root, iproute2, tcpdump, python3.
. "$(dirname "$0")/../../../../tests/record_network.sh"
network
record tunnels.pcap udp
$B timeout 30 python3 "$(dirname "$0")/record.py" 192.0.2.20 &
sleep 1
$A timeout 20 python3 "$(dirname "$0")/record.py" 192.0.2.10
stop
