#!/bin/sh -e
# Records services.pcap: a printer joins, is asked, and leaves. Needs root, iproute2, tcpdump, avahi-daemon, python3.
. "$(dirname "$0")/../../../../tests/record_network.sh"
network
$B ip route add 224.0.0.0/4 dev wire
$A ip route add 224.0.0.0/4 dev wire
mkdir -p "$WORK/services"
cat >"$WORK/services/ipp.service" <<XML
<?xml version="1.0"?><!DOCTYPE service-group SYSTEM "avahi-service.dtd">
<service-group><name>Máy in tầng 2</name><service><type>_ipp._tcp</type><port>631</port>
<txt-record>ty=In nhanh 400</txt-record><txt-record>note=Tang 2</txt-record></service></service-group>
XML
printf '[server]\nhost-name=may-in\nuse-ipv6=no\nallow-interfaces=wire\nenable-dbus=no\n[rlimits]\n' >"$WORK/avahi.conf"
chmod -R a+rX "$WORK"
record services.pcap "udp port 5353"
$B unshare -m sh -c "mount -t tmpfs none /run && mkdir -p /run/avahi-daemon && mount --bind $WORK/services /etc/avahi/services && \
    exec avahi-daemon --no-drop-root --no-chroot --no-rlimits -f $WORK/avahi.conf" >"$WORK/avahi" 2>&1 &
sleep 5
$A python3 "$(dirname "$0")/record.py"
sleep 2
ip netns pids luytre-b | xargs -r kill
sleep 1
stop
