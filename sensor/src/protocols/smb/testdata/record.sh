#!/usr/bin/env bash
# Records SMB between Samba's server and client: record.sh. Root; the user and its password are made for the occasion.
here=$(cd "$(dirname "$0")" && pwd)
needed="smbd smbclient rpcclient smbpasswd"
packages="apt-get install samba smbclient iproute2 tcpdump"
. "$here/../../../../tests/lab.sh"

password=$(head -c 12 /dev/urandom | base64)
mkdir -p "$work"/{share,private,lock,state,cache,pid,ncalrpc}
chmod 777 "$work/share"
cat >"$work/smb.conf" <<CONF
[global]
    server role = standalone server
    workgroup = TINH
    netbios name = KHO-TEP
    server min protocol = NT1
    lanman auth = no
    map to guest = never
    private dir = $work/private
    lock directory = $work/lock
    state directory = $work/state
    cache directory = $work/cache
    pid directory = $work/pid
    ncalrpc dir = $work/ncalrpc
    log file = $work/log
    smb ports = 445
    disable netbios = yes
    passdb backend = tdbsam:$work/private/passdb.tdb
    guest account = nobody
    load printers = no
    disable spoolss = yes
[van-ban]
    path = $work/share
    read only = no
    force user = root
    valid users = root
CONF
printf '%s\n%s\n' "$password" "$password" | smbpasswd -c "$work/smb.conf" -a -s root
server unshare --uts sh -c 'hostname kho-tep.tinh.example; exec smbd -s "$1" -F --no-process-group --debug-stdout' \
    sh "$work/smb.conf" >"$work/smbd.log" 2>&1 &
listening 445
printf 'username = root\npassword = %s\ndomain = TINH\n' "$password" >"$work/login"
printf 'username = root\npassword = khong-dung\ndomain = TINH\n' >"$work/wrong"
printf 'So 12/QD\nquyet dinh\n' >"$work/quyet-dinh.txt"
head -c 9000 /dev/zero | tr '\0' 'v' >"$work/phu-luc.dat"
cd "$work"
ask() {
    local login=$1 dialect=$2
    shift 2
    client smbclient -s /dev/null -A "$work/$login" --option="client min protocol=NT1" \
        --netbiosname=MAY-01 -m "$dialect" \
        "//198.51.100.10/van-ban" -c "$*" >>"$work/client.log" 2>&1 || true
}

record files_smb3 'tcp port 445'
ask login SMB3_11 'put quyet-dinh.txt; put phu-luc.dat; get phu-luc.dat lay-ve.dat; rename quyet-dinh.txt ban-sao.txt; del ban-sao.txt; mkdir "thư mục"; get khong-co.txt'
ask wrong SMB3_11 'ls'
recorded
record files_smb1 'tcp port 445'
ask login NT1 'put quyet-dinh.txt; get quyet-dinh.txt lay-ve.txt; rename quyet-dinh.txt ban-sao.txt; del ban-sao.txt'
recorded
record pipes_smb2 'tcp port 445'
client rpcclient -s /dev/null -A "$work/login" --netbiosname=MAY-01 -m SMB2_10 198.51.100.10 -c 'srvinfo; netshareenumall; enumdomusers' \
    >>"$work/client.log" 2>&1 || true
recorded
