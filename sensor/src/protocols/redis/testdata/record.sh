#!/usr/bin/env bash
# Records commands.pcap between Redis's own programs: refused and granted log-ins, commands of all kinds of reply, a
# transaction, a script, a subscription, both versions of the protocol, a command in a plain line. Needs root;
# the password is made up for the recording.
here=$(cd "$(dirname "$0")" && pwd)
needed="redis-server redis-cli"
packages="apt-get install redis-server redis-tools iproute2 tcpdump"
. "$here/../../../../tests/lab.sh"

password=$(head -c 12 /dev/urandom | base64)
start() {
    server redis-server --bind 198.51.100.10 --port "$1" --dir "$work" --save "" --daemonize no --requirepass "$password" \
        --masterauth "$password" --enable-debug-command yes "${@:2}" >"$work/redis.$1.log" 2>&1 &
    listening "$1"
}
start 6379
run() { client timeout 3 redis-cli -h 198.51.100.10 "$@" >/dev/null 2>&1 || true; }

record commands 'tcp port 6379'
run GET a
run -a khong-phai PING
as_admin() { run -a "$password" "$@"; }
as_admin SET nguoi:1 "Tỉnh"
as_admin GET nguoi:1
as_admin GET khong:co
as_admin LPUSH viec mot hai ba
as_admin INCR viec
as_admin EVAL "return {KEYS[1], redis.call('get', KEYS[1])}" 1 nguoi:1
as_admin CONFIG SET requirepass "$password"
as_admin ACL SETUSER binh on '>khong-ke' +get '~*'
as_admin -3 HGETALL khong:co
printf 'MULTI\r\nINCR dem\r\nLRANGE viec 0 -1\r\nEXEC\r\n' | as_admin --pipe
run --user binh --pass khong-ke SET nguoi:2 x
(run -a "$password" SUBSCRIBE tin bao) &
sleep 0.5
run -a "$password" PUBLISH tin "xin chào"
client bash -c 'exec 3<>/dev/tcp/198.51.100.10/6379; printf "PING\r\n" >&3; head -n 1 <&3' >/dev/null
wait "$!" 2>/dev/null || true
recorded
