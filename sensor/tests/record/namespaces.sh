# Two hosts in network namespaces of their own, for the scripts that record captures beside the parsers (root).
#
# To be read by such a script: `on_client COMMAND...` and `on_server COMMAND...` run a program on a host, `record NAME`
# begins a capture beside the script and `recorded` ends it. All goes away with the script; captures are of one link
# between 192.0.2.10 / 2001:db8::10 (client) and 198.51.100.7 / 2001:db8::7 (server).
set -eu
: "${HERE:?the folder of the script}"
CLIENT=luytre-client-$$
SERVER=luytre-server-$$
WORK=$(mktemp -d)
STARTED=""

clean_up() {
    for one in $STARTED; do kill "$one" 2>/dev/null || true; done
    ip netns del "$CLIENT" 2>/dev/null || true
    ip netns del "$SERVER" 2>/dev/null || true
    rm -rf "$WORK"
}
trap clean_up EXIT

on_client() { ip netns exec "$CLIENT" "$@"; }
on_server() { ip netns exec "$SERVER" "$@"; }

# Runs a program on the server until the script ends.
serve() {
    ip netns exec "$SERVER" "$@" >"$WORK/serve.log" 2>&1 &
    STARTED="$STARTED $!"
}

# Waits until somebody listens on a TCP port of the server.
listening() {
    for _ in $(seq 100); do
        on_server ss -ltn | grep -q ":$1 " && return
        sleep 0.1
    done
    cat "$WORK/serve.log" >&2
    echo "nobody listens on port $1" >&2
    exit 1
}

record() {
    NAME=$1
    ip netns exec "$SERVER" tcpdump --immediate-mode -Z root -i lan -w "$HERE/$NAME.pcap" -U "${2:-tcp or udp}" >"$WORK/tcpdump.log" 2>&1 &
    DUMP=$!
    STARTED="$STARTED $DUMP"
    for _ in $(seq 100); do
        grep -q "listening on" "$WORK/tcpdump.log" && return
        sleep 0.1
    done
    cat "$WORK/tcpdump.log" >&2
    exit 1
}

recorded() {
    sleep 0.5
    kill -INT "$DUMP"
    wait "$DUMP" || true
    tail -n 3 "$WORK/tcpdump.log" >&2
}

ip netns add "$CLIENT"
ip netns add "$SERVER"
ip link add lan netns "$CLIENT" type veth peer name lan netns "$SERVER"
for host in "$CLIENT" "$SERVER"; do
    # So that checksums and sizes are those of a wire.
    ip netns exec "$host" ethtool -K lan tx off rx off tso off gso off gro off >/dev/null 2>&1 || true
    ip -n "$host" link set lo up
    ip -n "$host" link set lan up
done
ip -n "$CLIENT" address add 192.0.2.10/24 dev lan
ip -n "$SERVER" address add 198.51.100.7/24 dev lan
ip -n "$CLIENT" address add 2001:db8::10/64 dev lan nodad
ip -n "$SERVER" address add 2001:db8::7/64 dev lan nodad
ip -n "$CLIENT" route add 198.51.100.0/24 dev lan
ip -n "$SERVER" route add 192.0.2.0/24 dev lan
