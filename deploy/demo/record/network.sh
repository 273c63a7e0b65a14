# The stage of the recording: one switch, seven hosts, each a network namespace. Sourced by record.sh.
#
# Every host hangs on one bridge in the namespace lt-switch, as on a mirrored switch port: a capture on the bridge sees
# each packet once. Nothing leaves these namespaces, and `network_down` removes all of them again.

# name, IPv4 addresses, IPv6 addresses; the first address of a list is the one the host speaks from
HOSTS=(
    "inet      192.0.2.10,192.0.2.11,192.0.2.12,192.0.2.53,192.0.2.80   2001:db8:1::10,2001:db8:1::53"
    "attacker  192.0.2.66                                                2001:db8:1::66"
    "remote    192.0.2.99                                                2001:db8:1::99"
    "dc        198.51.100.10,198.51.100.20,198.51.100.30,198.51.100.53   2001:db8:cafe:100::10,2001:db8:cafe:100::53"
    "yte       203.0.113.5                                               2001:db8:cafe:1::5"
    "taichinh  203.0.113.40                                              2001:db8:cafe:2::40"
    "ubnd      203.0.113.70                                              2001:db8:cafe:3::70"
)
NETWORKS4=(192.0.2.0/24 198.51.100.0/24 203.0.113.0/24)
NETWORKS6=(2001:db8:1::/48 2001:db8:cafe::/48)

# Runs a command on a host of the stage.
on() {
    local host=$1
    shift
    ip netns exec "lt-$host" "$@"
}

# Packets as they would be on a cable: no segments larger than a frame, checksums filled in.
plain_frames() {
    ip netns exec "$1" ethtool -K "$2" tso off gso off gro off tx off rx off >/dev/null 2>&1
}

host_up() {
    local name=$1 address network index=$4
    ip netns add "lt-$name"
    on "$name" sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0
    ip -n lt-switch link add "to-$name" type veth peer name eth0 netns "lt-$name" address "02:00:5e:00:53:0$index"
    ip -n lt-switch link set "to-$name" master br0 up
    on "$name" ip link set lo up
    on "$name" ip link set eth0 up
    for address in ${2//,/ }; do on "$name" ip address add "$address/32" dev eth0; done
    for address in ${3//,/ }; do on "$name" ip -6 address add "$address/128" dev eth0 nodad; done
    for network in "${NETWORKS4[@]}"; do on "$name" ip route add "$network" dev eth0 src "${2%%,*}"; done
    for network in "${NETWORKS6[@]}"; do on "$name" ip -6 route add "$network" dev eth0 src "${3%%,*}"; done
    plain_frames "lt-$name" eth0
    plain_frames lt-switch "to-$name"
    mkdir -p "/etc/netns/lt-$name"
    # Inside, the data centre's resolver; on the Internet, the public one.
    case $2 in 192.0.2.*) address=192.0.2.53 ;; *) address=198.51.100.53 ;; esac
    echo "nameserver $address" > "/etc/netns/lt-$name/resolv.conf"
}

network_up() {
    local line index=1
    ip netns add lt-switch
    ip -n lt-switch link set lo up
    ip -n lt-switch link add br0 type bridge mcast_snooping 0
    ip -n lt-switch link set br0 up
    ip netns exec lt-switch sysctl -qw net.ipv6.conf.br0.disable_ipv6=1
    for line in "${HOSTS[@]}"; do
        # shellcheck disable=SC2086 # the columns are meant to be split
        host_up $line "$index"
        index=$((index + 1))
    done
}

network_down() {
    local line name
    for line in "${HOSTS[@]}" switch; do
        name=lt-${line%% *}
        ip netns pids "$name" 2>/dev/null | xargs -r kill 2>/dev/null
        ip netns delete "$name" 2>/dev/null
        rm -rf "/etc/netns/$name"
    done
    rmdir /etc/netns 2>/dev/null
    true
}
