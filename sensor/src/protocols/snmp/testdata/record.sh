#!/bin/sh -e
# Records agent.pcap: a device is asked in versions 1, 2c and 3, refuses a change, and reports by itself. Needs root,
# iproute2, tcpdump, snmpd, snmp. The passwords are made up for the recording.
. "$(dirname "$0")/../../../../tests/record_network.sh"
network
word=$(od -An -N8 -tx1 /dev/urandom | tr -d ' \n')
cat >"$WORK/snmpd.conf" <<CONF
rocommunity public 192.0.2.0/24
rocommunity $word 192.0.2.0/24
sysDescr May chu thu nghiem
sysLocation Phong may chu
sysName may-chu.tinh.example
createUser quantri SHA $word$word AES $word$word
createUser xem
rouser quantri priv
rouser xem noauth
CONF
export SNMP_PERSISTENT_DIR="$WORK" MIBS=
$B snmpd -f -Lo -C -c "$WORK/snmpd.conf" -p "$WORK/pid" udp:192.0.2.20:161 >"$WORK/snmpd" 2>&1 &
sleep 3
record agent.pcap "udp port 161 or udp port 162"
ask="-r 0 -t 2"
$A snmpget $ask -v1 -c public 192.0.2.20 .1.3.6.1.2.1.1.5.0 >/dev/null
$A snmpget $ask -v1 -c public 192.0.2.20 .1.3.6.1.2.1.1.99.0 >/dev/null 2>&1 || true
$A snmpgetnext $ask -v2c -c "$word" 192.0.2.20 .1.3.6.1.2.1.1.5.0 >/dev/null
$A snmpbulkget $ask -v2c -c "$word" -Cr3 192.0.2.20 .1.3.6.1.2.1.1 >/dev/null
$A snmpset $ask -v2c -c public 192.0.2.20 .1.3.6.1.2.1.1.6.0 s "cho khac" >/dev/null 2>&1 || true
$A snmpget $ask -v3 -l noAuthNoPriv -u xem 192.0.2.20 .1.3.6.1.2.1.1.6.0 >/dev/null
$A snmpget $ask -v3 -l authPriv -u quantri -a SHA -A "$word$word" -x AES -X "$word$word" 192.0.2.20 .1.3.6.1.2.1.1.6.0 >/dev/null
$B snmptrap -v1 -c public 192.0.2.10 .1.3.6.1.4.1.8072 192.0.2.20 2 0 1 .1.3.6.1.2.1.2.2.1.1.7 i 7
$B snmptrap -v2c -c public 192.0.2.10 1 .1.3.6.1.6.3.1.1.5.4 .1.3.6.1.2.1.2.2.1.1.7 i 7
stop
