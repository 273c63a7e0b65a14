#!/usr/bin/env bash
# Records camera.pcap: somebody asks a camera what it is, is refused, asks again with a name, asks for its pictures and makes
# a user. Camera and asker are ours (camera.py). Needs root and python3.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
"$here/../../../../tests/record/between.sh" "$here/camera.pcap" "python3 $here/camera.py serve" "python3 $here/camera.py ask" 80
