# Two network namespaces for recording golden captures, for sourcing by the scripts `record.sh` beside the parsers.
#
# Gives: $work (a folder that goes away), `client COMMAND...` and `server COMMAND...`, which run at 192.0.2.10 and
# 198.51.100.10, `listening PORT`, `record NAME FILTER` and `recorded`. Needs root, iproute2 and tcpdump. Leaves no
# namespace, process or file behind, also when interrupted.
set -eu
[ "$(id -u)" = 0 ] || { echo "network namespaces need root; run it as root" >&2; exit 2; }
for program in ip tcpdump $needed; do
    command -v "$program" >/dev/null || { echo "not here: $program ($packages)" >&2; exit 2; }
done
work=$(mktemp -d -t luytre-lab.XXXXXX)
chmod 755 "$work"
lab=lt$$
client() { ip netns exec "$lab-c" "$@"; }
server() { ip netns exec "$lab-s" "$@"; }
lab_down() {
    for side in c s; do
        ip netns pids "$lab-$side" 2>/dev/null | xargs -r kill 2>/dev/null || true
    done
    sleep 0.3
    for side in c s; do
        ip netns pids "$lab-$side" 2>/dev/null | xargs -r kill -9 2>/dev/null || true
        ip netns del "$lab-$side" 2>/dev/null || true
    done
    rm -rf "$work"
}
trap lab_down EXIT
trap 'exit 1' INT TERM
ip netns add "$lab-c"
ip netns add "$lab-s"
ip link add "$lab-c" netns "$lab-c" type veth peer name "$lab-s" netns "$lab-s"
for side in c s; do
    ip -n "$lab-$side" link set lo up
    ip -n "$lab-$side" link set "$lab-$side" up
    ip netns exec "$lab-$side" ethtool -K "$lab-$side" tx off tso off gso off gro off >/dev/null 2>&1 || true
done
ip -n "$lab-c" addr add 192.0.2.10/24 dev "$lab-c"
ip -n "$lab-s" addr add 198.51.100.10/24 dev "$lab-s"
ip -n "$lab-c" route add 198.51.100.0/24 dev "$lab-c"
ip -n "$lab-s" route add 192.0.2.0/24 dev "$lab-s"

# Waits until something listens on a TCP port of the server.
listening() {
    for _ in $(seq 100); do
        [ -n "$(server ss -Hltn "sport = :$1")" ] && return
        sleep 0.1
    done
    echo "nothing listens on port $1" >&2
    exit 1
}

# Records into NAME.pcap beside the calling script until `recorded`.
record() {
    ip netns exec "$lab-s" tcpdump -q --immediate-mode -i "$lab-s" -U -w "$work/$1.pcap" "$2" 2>"$work/tcpdump.log" & capture=$!
    name=$1
    for _ in $(seq 50); do grep -qs listening "$work/tcpdump.log" && return; sleep 0.1; done
    cat "$work/tcpdump.log" >&2
    exit 1
}
recorded() {
    sleep 1
    kill -TERM "$capture"
    wait "$capture" 2>/dev/null || true
    cp "$work/$name.pcap" "$here/$name.pcap"
    echo "$here/$name.pcap: $(stat -c %s "$here/$name.pcap") bytes"
}
