#!/usr/bin/env bash
# Records resumption.pcap: sessions taken up again by id and ticket (TLS 1.2) and by key (TLS 1.3), a client that does not
# trust the certificate, a server without a common suite. Needs root and openssl.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d -t luytre-tls.XXXXXX)
trap 'rm -rf "$work"' EXIT
cat >"$work/server.sh" <<'SERVER'
cd "$1"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=cong.tinh.example \
    -addext subjectAltName=DNS:cong.tinh.example,IP:198.51.100.7 -days 30 -keyout key.pem -out certificate.pem 2>/dev/null
openssl s_server -accept 198.51.100.7:4431 -key key.pem -cert certificate.pem -tls1_2 -no_ticket -www -quiet >/dev/null 2>&1 &
openssl s_server -accept 198.51.100.7:443 -key key.pem -cert certificate.pem -www -quiet >/dev/null 2>&1
SERVER
cat >"$work/client.sh" <<'CLIENT'
cd "$1"
say() { printf 'GET / HTTP/1.0\r\n\r\n' | timeout 3 openssl s_client -connect 198.51.100.7:443 -servername cong.tinh.example -ign_eof "$@" >/dev/null 2>&1; }
by_id() { printf 'GET / HTTP/1.0\r\n\r\n' | timeout 3 openssl s_client -connect 198.51.100.7:4431 -tls1_2 -no_ticket -ign_eof "$@" >/dev/null 2>&1; }
by_id -sess_out id.pem
by_id -sess_in id.pem
say -tls1_2 -sess_out ticket.pem
say -tls1_2 -sess_in ticket.pem
say -tls1_3 -sess_out key.session
say -tls1_3 -sess_in key.session
say -tls1_2 -verify_return_error
say -tls1_2 -cipher ECDHE-RSA-AES128-SHA
true
CLIENT
"$here/../../../../tests/record/between.sh" "$here/resumption.pcap" "bash $work/server.sh $work" "bash $work/client.sh $work" 443
