#!/usr/bin/env bash
# Makes mounts.pcap: what clients of NFS ask of the port mapper and of the server of mounts before NFS itself begins, taken
# out of the capture beside that protocol (its record.sh says who speaks there). Needs tcpdump.
here=$(cd "$(dirname "$0")" && pwd)
tcpdump -n -r "$here/../../nfs/testdata/version3.pcap" -w "$here/mounts.pcap" 'port 111 or port 20048'
