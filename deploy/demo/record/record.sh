#!/usr/bin/env bash
# Records the demo's story between network namespaces with real programs: record.sh [OUTPUT.pcapng]
#
# Comes in: nothing. Goes out: a capture of at most 5 MB (default: story.pcapng beside the folder of this script). Needs
# root and the programs listed below; leaves no namespace, process or file behind, also when interrupted.
set -u
here=$(cd "$(dirname "$0")" && pwd)
output=${1:-$here/../story.pcapng}
limit_bytes=5000000
crew=()

for program in ip ethtool nginx sshd unbound nmap curl dig openssl ssh sshpass tcpdump python3; do
    command -v "$program" >/dev/null || missing="${missing:-} $program"
done
if [ -n "${missing:-}" ]; then
    echo "not here:$missing; on Debian: apt-get install iproute2 ethtool nginx-light openssh-server openssh-client unbound nmap curl bind9-dnsutils openssl sshpass tcpdump python3" >&2
    exit 2
fi
[ "$(id -u)" = 0 ] || { echo "network namespaces need root; run it as root" >&2; exit 2; }

work=$(mktemp -d -t luytre-record.XXXXXX)
chmod 755 "$work"
started=$(date +%s)
say() { printf '%4d s  %s\n' $(($(date +%s) - started)) "$*"; }

# shellcheck source=network.sh
. "$here/network.sh"
# shellcheck source=servers.sh
. "$here/servers.sh"
# shellcheck source=story.sh
. "$here/story.sh"

finish() {
    [ ${#crew[@]} -eq 0 ] || kill "${crew[@]}" 2>/dev/null
    network_down
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' INT TERM

network_down
network_up
servers_up
servers_ready || exit 1
ip netns exec lt-switch tcpdump -q -i br0 -U -w "$work/story.pcap" 'not (icmp6 and ip6[40] >= 133)' 2>"$work/tcpdump.log" & capture=$!
until grep -qs listening "$work/tcpdump.log"; do sleep 0.1; done
say "recording"
story
kill "${crew[@]}" 2>/dev/null
crew=()
sleep 1
kill -INT "$capture"
wait "$capture" 2>/dev/null
python3 "$here/pcapng.py" "$work/story.pcap" "$output" || exit 1
size=$(stat -c %s "$output")
say "$output: $size bytes"
[ "$size" -le "$limit_bytes" ] || { echo "larger than $limit_bytes bytes: shorten the story" >&2; exit 1; }
