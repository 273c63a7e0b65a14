#!/usr/bin/env bash
# Records requests.pcap: the client is FreeTDS's tsql; the server is a small program of our own (server.py), because none
# that speaks the protocol can be had freely. A log-in that works with statements and an error, one that is refused, one
# with an older version. Needs root; the password is made up for the recording.
here=$(cd "$(dirname "$0")" && pwd)
needed="tsql python3"
packages="apt-get install freetds-bin python3 iproute2 tcpdump"
. "$here/../../../../tests/lab.sh"

server python3 "$here/server.py" &
listening 1433
record requests 'tcp port 1433'
export TDSVER=7.4
printf 'SELECT ten FROM dan\ngo\nSELECT * FROM khong_co\ngo\nALTER LOGIN an WITH PASSWORD = N'"'khong ke'"'\ngo\nexit\n' |
    client tsql -H 198.51.100.10 -p 1433 -U an -P "khong biet" -D dan >/dev/null 2>&1 || true
client tsql -H 198.51.100.10 -p 1433 -U la -P "doan mo" </dev/null >/dev/null 2>&1 || true
export TDSVER=7.1
printf 'SELECT ten FROM dan\ngo\nexit\n' | client tsql -H 198.51.100.10 -p 1433 -U an -P "khong biet" >/dev/null 2>&1 || true
recorded
