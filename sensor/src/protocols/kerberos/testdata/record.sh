#!/usr/bin/env bash
# Records Kerberos between MIT's programs: record.sh. Root; realm, users and passwords are made for the occasion.
here=$(cd "$(dirname "$0")" && pwd)
needed="krb5kdc kdb5_util kadmin.local kinit kvno"
packages="apt-get install krb5-kdc krb5-admin-server krb5-user iproute2 tcpdump"
. "$here/../../../../tests/lab.sh"

password=$(head -c 12 /dev/urandom | base64)
cat >"$work/krb5.conf" <<CONF
[libdefaults]
    default_realm = TINH.EXAMPLE
    dns_lookup_kdc = false
    dns_lookup_realm = false
    rdns = false
    dns_canonicalize_hostname = false
    allow_weak_crypto = true
    allow_rc4 = true
    udp_preference_limit = \${limit}
[realms]
    TINH.EXAMPLE = {
        kdc = 198.51.100.10
    }
CONF
sed 's/${limit}/1400/' "$work/krb5.conf" >"$work/udp.conf"
sed 's/${limit}/1/' "$work/krb5.conf" >"$work/tcp.conf"
cat >"$work/kdc.conf" <<CONF
[realms]
    TINH.EXAMPLE = {
        database_name = $work/principal
        key_stash_file = $work/stash
        acl_file = $work/acl
        kdc_listen = 198.51.100.10:88
        kdc_tcp_listen = 198.51.100.10:88
        supported_enctypes = aes256-cts:normal aes128-cts:normal arcfour-hmac:normal
    }
CONF
export KRB5_KDC_PROFILE="$work/kdc.conf" KRB5_CONFIG="$work/udp.conf" KRB5CCNAME="FILE:$work/cache"
kdb5_util create -s -r TINH.EXAMPLE -P "$password" >/dev/null
for principal in "an.nguyen" "cifs/kho-tep.tinh.example"; do
    kadmin.local -q "addprinc -pw $password +requires_preauth $principal" >/dev/null
done
kadmin.local -q "addprinc -pw $password -e arcfour-hmac:normal HTTP/cu.tinh.example" >/dev/null
server krb5kdc -n >"$work/kdc.log" 2>&1 &
listening 88

record log_in_udp 'port 88'
echo "$password" | client kinit an.nguyen >/dev/null
client kvno cifs/kho-tep.tinh.example HTTP/cu.tinh.example >/dev/null
client kvno cifs/khong-co.tinh.example >/dev/null 2>&1 || true
recorded
export KRB5_CONFIG="$work/tcp.conf"
record log_in_tcp 'port 88'
echo "khong dung" | client kinit an.nguyen >/dev/null 2>&1 || true
echo "$password" | client kinit khong.ai >/dev/null 2>&1 || true
echo "$password" | client kinit -f -r 1d an.nguyen >/dev/null
client kvno HTTP/cu.tinh.example >/dev/null
recorded
