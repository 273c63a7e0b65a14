#!/bin/sh
# Records tftp-hpa between two namespaces (root; needs tftpd-hpa, tftp-hpa, curl, tcpdump, iproute2):
#   transfers.pcap   a download, an upload, a download with a larger block size, a file that is not there
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/../../../../tests/record/namespaces.sh"

mkdir -m 777 "$WORK/files"
chmod 755 "$WORK"
{ echo "hostname chuyen-mach-1"; seq 1 400; } >"$WORK/files/chuyen-mach.cfg"
printf '\177ELF only the first bytes of a program' >"$WORK/gui.bin"
serve in.tftpd -L -s -c --address 198.51.100.7:69 "$WORK/files"
for _ in $(seq 100); do
    on_server ss -lun | grep -q ":69 " && break
    sleep 0.1
done
fetch() { on_client tftp -m binary 198.51.100.7 -c "$@" || true; }

record transfers
cd "$WORK"
fetch get chuyen-mach.cfg
fetch put gui.bin
on_client curl -sS --tftp-blksize 1024 -o "$WORK/again" tftp://198.51.100.7/chuyen-mach.cfg
fetch get khong-co.cfg
recorded
