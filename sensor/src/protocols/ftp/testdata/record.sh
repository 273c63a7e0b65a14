#!/bin/sh
# Records curl and pyftpdlib between two namespaces (root; needs curl, openssl, tcpdump, iproute2, pip install
# pyftpdlib pyOpenSSL):
#   transfers.pcap   log-ins, a listing, downloads and an upload, active and passive, over IPv4 and IPv6
#   tls.pcap         a download after AUTH TLS
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/../../../../tests/record/namespaces.sh"
PYTHON=${PYTHON:-python3}
PASSWORD=$(od -An -N6 -tx1 /dev/urandom | tr -d ' \n')

mkdir "$WORK/files"
seq 1 700 >"$WORK/files/bao-cao.txt"
printf 'MZ\220\000 only the first bytes of a program' >"$WORK/files/cong-cu.exe"
printf '%%PDF-1.4 sent to the server\n' >"$WORK/gui.pdf"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=kho.tinh.example \
    -keyout "$WORK/key.pem" -out "$WORK/certificate.pem" 2>/dev/null
cat "$WORK/key.pem" >>"$WORK/certificate.pem"
get() { on_client curl -sS "$@" || true; }

serve "$PYTHON" "$HERE/server.py" "$WORK/files" "::" an "$PASSWORD"
listening 21
record transfers
get -u "an:$PASSWORD" --disable-epsv -o /dev/null ftp://198.51.100.7/bao-cao.txt
get -u "an:$PASSWORD" --disable-epsv -T "$WORK/gui.pdf" ftp://198.51.100.7/gui.pdf
get -u "an:$PASSWORD" --disable-eprt -P - -o /dev/null ftp://198.51.100.7/cong-cu.exe
get -u "an:$PASSWORD" -P - -o /dev/null "ftp://[2001:db8::7]/cong-cu.exe"
get -o /dev/null "ftp://[2001:db8::7]/"
head -c 2000 /dev/zero >"$WORK/rest"
get -u "an:$PASSWORD" -C 2000 -o "$WORK/rest" ftp://198.51.100.7/bao-cao.txt
get -u an:sai -o /dev/null ftp://198.51.100.7/khong-co.txt
recorded

kill "$(echo "$STARTED" | awk '{print $1}')"
sleep 1
serve "$PYTHON" "$HERE/server.py" "$WORK/files" 198.51.100.7 an "$PASSWORD" "$WORK/certificate.pem"
listening 21
record tls
get -u "an:$PASSWORD" -k --ssl-reqd -o /dev/null ftp://198.51.100.7/cong-cu.exe
recorded
