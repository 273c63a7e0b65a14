#!/bin/sh -e
# Records tunnels.pcap: tunnels begin without protection, with tls-auth, with tls-crypt, over TCP, and to nobody. Needs
# root, iproute2, tcpdump, openvpn, openssl. Keys are made for the recording.
. "$(dirname "$0")/../../../../tests/record_network.sh"
network
for side in a b; do
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$side.tinh.example" \
        -keyout "$WORK/$side.key" -out "$WORK/$side.crt" 2>/dev/null
done
cat "$WORK/a.crt" "$WORK/b.crt" >"$WORK/ca.crt"
openvpn --genkey secret "$WORK/shared.key"
record tunnels.pcap "port 1194"
# run PROTOCOL OPTION...: one tunnel, for a few seconds.
run() {
    protocol=$1
    shift
    common="--dev null --port 1194 --ca $WORK/ca.crt --verb 1"
    timeout 5 $B openvpn $common --proto "$protocol$2" --tls-server --dh none --cert "$WORK/b.crt" --key "$WORK/b.key" $1 >/dev/null &
    sleep 1
    timeout 3 $A openvpn $common --proto "$protocol$3" --tls-client --remote 192.0.2.20 --nobind --cert "$WORK/a.crt" --key "$WORK/a.key" $1 >/dev/null || true
    wait || true
}
# In a shell of its own, whose wait does not know the recorder.
run_all() {
    run udp ""
    run udp "--tls-auth $WORK/shared.key"
    run udp "--auth SHA256 --tls-auth $WORK/shared.key"
    run udp "--tls-crypt $WORK/shared.key"
    run tcp "" -server -client
}
(run_all)
$A timeout 3 openvpn --dev null --proto udp --tls-client --remote 192.0.2.20 1194 --nobind --ca "$WORK/ca.crt" \
    --cert "$WORK/a.crt" --key "$WORK/a.key" >/dev/null || true
stop
