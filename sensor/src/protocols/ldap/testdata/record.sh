#!/usr/bin/env bash
# Records LDAP between OpenLDAP's programs: record.sh. Root; directory and passwords are made for the occasion.
here=$(cd "$(dirname "$0")" && pwd)
needed="slapd slapadd ldapsearch ldapmodify ldapwhoami ldapdelete ldapmodrdn openssl"
packages="apt-get install slapd ldap-utils openssl iproute2 tcpdump"
. "$here/../../../../tests/lab.sh"

password=$(head -c 12 /dev/urandom | base64)
mkdir "$work/db"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj "/CN=danh-ba.tinh.example" \
    -keyout "$work/key.pem" -out "$work/cert.pem" 2>/dev/null
cat >"$work/slapd.conf" <<CONF
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile $work/pid
TLSCertificateFile $work/cert.pem
TLSCertificateKeyFile $work/key.pem
database mdb
suffix "dc=tinh,dc=example"
rootdn "cn=admin,dc=tinh,dc=example"
rootpw $password
directory $work/db
CONF
slapadd -f "$work/slapd.conf" <<LDIF
dn: dc=tinh,dc=example
objectClass: dcObject
objectClass: organization
dc: tinh
o: Tinh

dn: cn=Nguyen Van An,dc=tinh,dc=example
objectClass: inetOrgPerson
cn: Nguyen Van An
sn: Nguyen
mail: an@tinh.example
LDIF
server slapd -f "$work/slapd.conf" -h ldap://198.51.100.10 -d 0 >"$work/slapd.log" 2>&1 &
listening 389
at="-H ldap://198.51.100.10"
admin="-x -D cn=admin,dc=tinh,dc=example"
export LDAPTLS_REQCERT=never

record operations 'tcp port 389'
client ldapsearch $at -x -LLL -b dc=tinh,dc=example '(&(objectClass=inetOrgPerson)(|(mail=*@tinh.example)(!(sn=x))))' cn mail >/dev/null
client ldapsearch $at -x -b dc=khong-co '(cn=*)' >/dev/null 2>&1 || true
client ldapwhoami $at $admin -w khong-dung >/dev/null 2>&1 || true
client ldapwhoami $at $admin -w "$password" >/dev/null
client ldapmodify $at $admin -w "$password" >/dev/null <<LDIF
dn: cn=Tran Thi Binh,dc=tinh,dc=example
changetype: add
objectClass: inetOrgPerson
cn: Tran Thi Binh
sn: Tran

dn: cn=Tran Thi Binh,dc=tinh,dc=example
changetype: modify
replace: mail
mail: binh@tinh.example
-
add: description
description: van thu
LDIF
client ldapmodrdn $at $admin -w "$password" 'cn=Tran Thi Binh,dc=tinh,dc=example' 'cn=Tran Binh'
client ldapdelete $at $admin -w "$password" 'cn=Tran Binh,dc=tinh,dc=example'
recorded
record starttls 'tcp port 389'
client ldapsearch $at -ZZ $admin -w "$password" -b dc=tinh,dc=example >/dev/null
recorded
