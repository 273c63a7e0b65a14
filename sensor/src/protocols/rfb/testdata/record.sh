#!/bin/sh
# Records vncsnapshot and x11vnc between two namespaces (root; needs xvfb, x11vnc, vncsnapshot, tcpdump, iproute2):
#   sessions.pcap   the right password, a wrong one, and a server that asks for none
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/../../../../tests/record/namespaces.sh"

for name in right wrong; do
    x11vnc -storepasswd "$(od -An -N4 -tx1 /dev/urandom | tr -d ' \n')" "$WORK/$name" >/dev/null 2>&1
done
serve Xvfb :77 -screen 0 64x48x16 -nolisten tcp
sleep 1
serve x11vnc -display :77 -desktop may-truc -forever -shared -rfbport 5900 -rfbauth "$WORK/right" -noxdamage -nopw
listening 5900
serve x11vnc -display :77 -desktop may-mo -forever -rfbport 5901 -noxdamage -nopw
listening 5901
look() { on_client vncsnapshot -allowblank -quality 10 "$@" "$WORK/screen.jpg" </dev/null >/dev/null 2>&1 || true; }

record sessions
look -passwd "$WORK/right" 198.51.100.7:0
look -passwd "$WORK/wrong" 198.51.100.7:0
look 198.51.100.7:1
recorded
