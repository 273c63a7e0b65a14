#!/bin/sh
# Records curl through microsocks between two namespaces (root; needs microsocks, curl, python3, tcpdump, iproute2):
#   requests.pcap   a page by SOCKS 5 with a password, one by name, a wrong password, a port where nobody listens
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/../../../../tests/record/namespaces.sh"
PASSWORD=$(od -An -N6 -tx1 /dev/urandom | tr -d ' \n')

mkdir "$WORK/pages"
echo '<p>trong ham</p>' >"$WORK/pages/index.html"
serve python3 -m http.server --bind 127.0.0.1 --directory "$WORK/pages" 8000
listening 8000
serve microsocks -i 198.51.100.7 -p 1080 -u an -P "$PASSWORD"
listening 1080
get() { on_client curl -sS --max-time 10 -o /dev/null "$@" || true; }

record requests
get --proxy "socks5://an:$PASSWORD@198.51.100.7" http://127.0.0.1:8000/
get --proxy "socks5h://an:$PASSWORD@198.51.100.7" http://localhost:8000/
get --proxy "socks5://an:sai@198.51.100.7" http://127.0.0.1:8000/
get --proxy "socks5://an:$PASSWORD@198.51.100.7" http://127.0.0.1:8001/
recorded
