#!/usr/bin/env bash
# Records version3.pcap and version4.pcap: the clients of libnfs with NFS-Ganesha, which offers a folder in memory; the
# port mapper is rpcbind. Folders are listed, files written, read, renamed and removed, one does not exist. Needs root.
here=$(cd "$(dirname "$0")" && pwd)
needed="ganesha.nfsd rpcbind rpcinfo nfs-ls nfs-cp nfs-cat unshare python3"
packages="apt-get install nfs-ganesha nfs-ganesha-vfs rpcbind libnfs-utils iproute2 tcpdump"
. "$here/../../../../tests/lab.sh"

cat >"$work/ganesha.conf" <<CONF
NFS_CORE_PARAM { Protocols = 3, 4; Bind_addr = 198.51.100.10; Enable_NLM = false; Enable_RQUOTA = false; MNT_Port = 20048; }
NFSV4 { Graceless = true; RecoveryBackend = fs; RecoveryRoot = $work/recovery; }
EXPORT {
    Export_Id = 1; Path = /srv/chia-se; Pseudo = /chia-se; Access_Type = RW; Squash = No_Root_Squash;
    SecType = sys; Protocols = 3, 4; FSAL { Name = VFS; }
}
CONF
mkdir "$work/recovery"
cat >"$work/serve.sh" <<SERVE
mount -t tmpfs memory /srv
mount -t tmpfs memory /run
mkdir -p /srv/chia-se/ho-so /run/rpcbind /run/ganesha
printf 'kế hoạch\n' >/srv/chia-se/ho-so/ke-hoach.txt
chmod -R 777 /srv
rpcbind -w
exec ganesha.nfsd -F -L "$work/ganesha.log" -f "$work/ganesha.conf" -p "$work/ganesha.pid" -N NIV_WARN
SERVE
server unshare -m sh "$work/serve.sh" >"$work/serve.log" 2>&1 &
listening 2049
sleep 2
head -c 3000 /dev/zero | tr '\0' 'x' >"$work/moi.txt"

session() {
    client nfs-ls "$1/?version=$2" >/dev/null
    client nfs-ls "$1/ho-so?version=$2" >/dev/null
    client nfs-cat "$1/ho-so/ke-hoach.txt?version=$2" >/dev/null
    client nfs-cp "$work/moi.txt" "$1/moi-$2.txt?version=$2" >/dev/null
    client nfs-cat "$1/khong-co.txt?version=$2" >/dev/null 2>&1 || true
}
record version3 'port 111 or port 2049 or port 20048'
client rpcinfo -T udp 198.51.100.10 portmapper 2 >/dev/null 2>&1 || true
session "nfs://198.51.100.10/srv/chia-se" 3
recorded
record version4 'port 2049'
session "nfs://198.51.100.10/chia-se" 4
recorded
