#!/bin/sh -e
# Records lease.pcap: a host gets an address, renews it and gives it back. Needs root, iproute2, tcpdump, dnsmasq, udhcpc.
. "$(dirname "$0")/../../../../tests/record_network.sh"
network
$A ip address flush dev wire
$B dnsmasq --keep-in-foreground --no-daemon --conf-file=/dev/null --port=0 --interface=wire --pid-file="$WORK/pid" \
    --dhcp-leasefile="$WORK/leases" --dhcp-range=192.0.2.100,192.0.2.150,1h --domain=tinh.example \
    --dhcp-option=option:router,192.0.2.1 --dhcp-option=option:dns-server,192.0.2.53,192.0.2.54 \
    --dhcp-option=option:ntp-server,192.0.2.123 --dhcp-option=252,http://wpad.tinh.example/wpad.dat \
    --dhcp-option=option:classless-static-route,198.51.100.0/24,192.0.2.1 --dhcp-option=option:tftp-server,khoidong.tinh.example \
    --dhcp-authoritative 2>"$WORK/dnsmasq" &
sleep 2
record lease.pcap "udp port 67 or udp port 68"
printf '#!/bin/sh\n[ "$1" = bound ] && ip address add $ip/24 dev $interface; exit 0\n' >"$WORK/script"
chmod +x "$WORK/script"
$A udhcpc -f -i wire -s "$WORK/script" -V "bàn làm việc 1.0" -x hostname:may1 -F may1.tinh.example -O 252 -O 121 -O 42 -R \
    >"$WORK/udhcpc" 2>&1 &
CLIENT=$!
sleep 4
kill -USR1 $CLIENT
sleep 3
kill -TERM $CLIENT
sleep 1
stop
