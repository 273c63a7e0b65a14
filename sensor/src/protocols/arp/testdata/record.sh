#!/bin/sh -e
# Records addresses.pcap: two hosts find each other, one asks for a silent one until the limit of what is told, one
# announces itself and one asks whether an address is free. Needs root, iproute2, tcpdump, arping,
# python3.
. "$(dirname "$0")/../../../../tests/record_network.sh"
network
$A ip neigh flush all
record addresses.pcap arp
$A python3 -c 'import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"", ("192.0.2.20", 9))'
$A arping -q -c 24 -W 0.02 -i wire 192.0.2.99 || true
$B arping -q -c 1 -i wire -U 192.0.2.20 || true
$A arping -q -c 1 -i wire -S 0.0.0.0 192.0.2.30 || true
stop
