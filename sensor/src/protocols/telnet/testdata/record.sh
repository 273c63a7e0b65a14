#!/bin/sh
# Records a Telnet client and server between two namespaces (root; needs telnetd, telnet, login, socat, tcpdump,
# iproute2):
#   login.pcap   a wrong password, then the connection is closed
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/../../../../tests/record/namespaces.sh"

serve socat TCP-LISTEN:23,fork,reuseaddr "EXEC:/usr/sbin/telnetd -h,nofork"
listening 23
record login
{
    sleep 2; echo an; sleep 1; echo khong-phai; sleep 4
} | on_client env TERM=xterm-256color telnet -l "" 198.51.100.7 || true
recorded
