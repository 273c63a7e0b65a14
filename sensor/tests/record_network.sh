# Two hosts on a wire of their own, for scripts that record captures: source it, then `network`, `record FILE`, `stop`.
# Needs root, iproute2 and tcpdump. Host a has 192.0.2.10 and 2001:db8::10, host b 192.0.2.20 and 2001:db8::20; both have
# hardware addresses for documentation (RFC 7042). Everything is gone when the script ends.

A="ip netns exec luytre-a"
B="ip netns exec luytre-b"
WORK=$(mktemp -d)

network() {
    trap clean EXIT
    ip netns add luytre-a
    ip netns add luytre-b
    ip link add wire netns luytre-a address 00:00:5e:00:53:0a type veth \
        peer name wire netns luytre-b address 00:00:5e:00:53:14
    for host in "a 10" "b 20"; do
        set -- $host
        on="ip netns exec luytre-$1"
        # Without this the captures begin with what the kernel says by itself.
        $on sysctl -qw net.ipv6.conf.wire.accept_dad=0 net.ipv6.conf.wire.router_solicitations=0
        $on ip address add "192.0.2.$2/24" dev wire
        $on ip address add "2001:db8::$2/64" dev wire nodad
        $on ip link set lo up
        $on ip link set wire up
        $on ethtool -K wire tx off >/dev/null 2>&1 || true
    done
    sleep 2
}

clean() {
    for host in luytre-a luytre-b; do
        ip netns pids $host | xargs -r kill 2>/dev/null || true
        ip netns del $host || true
    done
    sleep 1
    rm -rf "$WORK"
}

# record FILE [FILTER]: what host a sees goes into testdata/FILE beside the script.
record() {
    $A tcpdump -i wire -U -w "$WORK/$1" ${2:+"$2"} 2>"$WORK/tcpdump" &
    TCPDUMP=$!
    while ! grep -qs listening "$WORK/tcpdump"; do sleep 0.1; done
    CAPTURE=$1
}

stop() {
    [ -n "$TCPDUMP" ] || return 0
    sleep 1
    kill -INT "$TCPDUMP"
    wait "$TCPDUMP" || true
    TCPDUMP=
    cp "$WORK/$CAPTURE" "$(dirname "$0")/$CAPTURE"
}
