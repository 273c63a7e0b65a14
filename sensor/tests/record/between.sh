#!/usr/bin/env bash
# Records what two programs say to each other, each in a network namespace of its own.
#
# between.sh OUTPUT.pcap 'SERVER COMMAND' 'CLIENT COMMAND' [PORT]
#
# Comes in: two commands for the shell. The server's is given up when the client's has ended; the client begins when the
# server listens on PORT (TCP or UDP), or after a second when none is named. The server has 198.51.100.7 and 2001:db8:51::7,
# the client 192.0.2.10 and 2001:db8:2::10. Goes out: a capture of the client's end. Needs root, iproute2, ethtool, tcpdump.
set -eu
[ "$(id -u)" = 0 ] || { echo "network namespaces need root; run it as root" >&2; exit 2; }
[ $# -ge 3 ] || { echo "usage: between.sh OUTPUT.pcap 'SERVER COMMAND' 'CLIENT COMMAND' [PORT]" >&2; exit 2; }
output=$1 server=$2 client=$3 port=${4:-}
side=lt$$
crew=()
finish() {
    [ ${#crew[@]} -eq 0 ] || kill "${crew[@]}" 2>/dev/null || true
    ip netns pids "$side-s" 2>/dev/null | xargs -r kill 2>/dev/null || true
    ip netns del "$side-s" 2>/dev/null || true
    ip netns del "$side-c" 2>/dev/null || true
}
trap finish EXIT
trap 'exit 1' INT TERM
ip netns add "$side-s"
ip netns add "$side-c"
ip link add "${side}s" netns "$side-s" address 02:00:5e:10:00:07 type veth peer name "${side}c" netns "$side-c" address 02:00:5e:10:00:0a
for end in s c; do
    ip -n "$side-$end" link set lo up
    ip -n "$side-$end" link set "$side$end" up
    ip netns exec "$side-$end" ethtool -K "$side$end" tx off gso off tso off gro off >/dev/null 2>&1
done
ip -n "$side-s" addr add 198.51.100.7/24 dev "${side}s"
ip -n "$side-c" addr add 192.0.2.10/24 dev "${side}c"
ip -n "$side-s" -6 addr add 2001:db8:51::7/64 dev "${side}s" nodad
ip -n "$side-c" -6 addr add 2001:db8:2::10/64 dev "${side}c" nodad
ip -n "$side-s" route add 192.0.2.0/24 dev "${side}s"
ip -n "$side-c" route add 198.51.100.0/24 dev "${side}c"
ip -n "$side-s" -6 route add 2001:db8:2::/64 dev "${side}s"
ip -n "$side-c" -6 route add 2001:db8:51::/64 dev "${side}c"
log=$(mktemp)
ip netns exec "$side-c" tcpdump -q -i "${side}c" -s 0 -U -w "$output" 'tcp or udp' 2>"$log" & capture=$!
until grep -qs listening "$log"; do sleep 0.1; done
ip netns exec "$side-s" bash -c "exec $server" & crew+=($!)
if [ -n "$port" ]; then
    until ip netns exec "$side-s" ss -lntu | grep -q ":$port "; do sleep 0.1; done
else
    sleep 1
fi
ip netns exec "$side-c" bash -c "$client"
sleep 1
kill "${crew[@]}" 2>/dev/null || true
wait "${crew[@]}" 2>/dev/null || true
crew=()
sleep 1
kill -INT "$capture"
wait "$capture" || true
rm -f "$log"
echo "$output: $(stat -c %s "$output") bytes"
