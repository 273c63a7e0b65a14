#!/bin/sh -e
# Records lease.pcap: a host gets an address and gives it back. Needs root, iproute2, tcpdump, dnsmasq, dhclient.
. "$(dirname "$0")/../../../../tests/record_network.sh"
network
$B dnsmasq --keep-in-foreground --no-daemon --conf-file=/dev/null --port=0 --interface=wire --pid-file="$WORK/pid" \
    --dhcp-leasefile="$WORK/leases" --dhcp-range=2001:db8::100,2001:db8::1ff,1h \
    --dhcp-option=option6:dns-server,[2001:db8::53] --dhcp-option=option6:domain-search,tinh.example 2>"$WORK/dnsmasq" &
sleep 2
record lease.pcap "udp port 546 or udp port 547"
printf '#!/bin/sh\nexit 0\n' >"$WORK/script"
chmod +x "$WORK/script"
printf 'send fqdn.fqdn "may1.tinh.example";\nalso request dhcp6.name-servers;\n' >"$WORK/dhclient.conf"
timeout 20 $A dhclient -6 -1 -D LL -sf "$WORK/script" -cf "$WORK/dhclient.conf" -lf "$WORK/lease6" -pf "$WORK/pid6" wire
timeout 20 $A dhclient -6 -r -D LL -sf "$WORK/script" -cf "$WORK/dhclient.conf" -lf "$WORK/lease6" -pf "$WORK/pid6" wire
stop
