#!/bin/sh
# Records FreeRDP and xrdp between two namespaces (root; needs xvfb, freerdp2-x11, xrdp, openssl, tcpdump, iproute2):
#   connections.pcap   one over TLS, one with the old protection of RDP
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/../../../../tests/record/namespaces.sh"

openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=may-truc.tinh.example -keyout "$WORK/key.pem" \
    -out "$WORK/certificate.pem" 2>/dev/null
sed -e "s|^certificate=.*|certificate=$WORK/certificate.pem|" -e "s|^key_file=.*|key_file=$WORK/key.pem|" \
    -e "s|^port=3389|port=3389|" /etc/xrdp/xrdp.ini >"$WORK/xrdp.ini"
serve xrdp --nodaemon --config "$WORK/xrdp.ini"
listening 3389
ip netns exec "$CLIENT" Xvfb :78 -screen 0 640x480x16 -nolisten tcp >/dev/null 2>&1 &
STARTED="$STARTED $!"
sleep 1
connect() {
    on_client env DISPLAY=:78 HOME="$WORK" timeout 3 xfreerdp /v:198.51.100.7 /u:an /p:khong /cert:ignore \
        /client-hostname:MAY-TRAM-7 "$@" >/dev/null 2>&1 || true
}

record connections
connect /sec:tls
connect /sec:rdp
recorded
