#!/usr/bin/env bash
# Records handshakes.pcap: OpenSSL's client and server, with a cookie, a message in pieces, an old version, and a server
# that refuses. Needs root; the certificate is made for the occasion.
here=$(cd "$(dirname "$0")" && pwd)
needed="openssl"
packages="apt-get install openssl iproute2 tcpdump"
. "$here/../../../../tests/lab.sh"

openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj "/CN=vpn.tinh.example" -addext "subjectAltName=DNS:vpn.tinh.example" \
    -keyout "$work/key.pem" -out "$work/cert.pem" 2>/dev/null
serve() { server openssl s_server -listen -key "$work/key.pem" -cert "$work/cert.pem" -quiet "$@" >/dev/null 2>&1 </dev/null & sleep 0.5; }
serve -dtls -port 4433 -mtu 400
serve -dtls1 -port 4434 -cipher 'DEFAULT:@SECLEVEL=0'
serve -dtls1_2 -port 4435 -cipher ECDHE-RSA-AES256-GCM-SHA384
ask() { echo | client timeout 2 openssl s_client -servername vpn.tinh.example "$@" >/dev/null 2>&1 || true; }
record handshakes 'udp'
ask -dtls -mtu 400 -connect 198.51.100.10:4433 -alpn coap
ask -dtls1 -connect 198.51.100.10:4434 -cipher 'DEFAULT:@SECLEVEL=0'
ask -dtls1_2 -connect 198.51.100.10:4435 -cipher ECDHE-RSA-CHACHA20-POLY1305
recorded
