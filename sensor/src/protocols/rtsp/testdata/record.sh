#!/usr/bin/env bash
# Records camera.pcap: curl asks a camera what it can; then a player of our own logs in, sets a stream up and plays it in the
# same connection. The camera (camera.py) is a small program of our own. Needs root; the password is made up.
here=$(cd "$(dirname "$0")" && pwd)
needed="curl python3"
packages="apt-get install curl python3 iproute2 tcpdump"
. "$here/../../../../tests/lab.sh"

server python3 "$here/camera.py" camera &
listening 554
record camera 'tcp port 554'
client curl -s -o "$work/answer" rtsp://198.51.100.10/kenh1
client python3 "$here/camera.py" play
recorded
