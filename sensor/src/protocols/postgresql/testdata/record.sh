#!/usr/bin/env bash
# Records statements.pcap and encrypted.pcap between PostgreSQL's own programs: log-ins by SCRAM, MD5, password in the
# clear and one that is refused, statements of both kinds, an error, COPY, a request to cancel; then a session that turns
# to TLS. Needs root; cluster and passwords are made for the occasion.
here=$(cd "$(dirname "$0")" && pwd)
PATH=$PATH:$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -n 1)
needed="initdb postgres psql pgbench openssl runuser"
packages="apt-get install postgresql openssl iproute2 tcpdump"
. "$here/../../../../tests/lab.sh"

password=$(head -c 12 /dev/urandom | base64)
printf '%s\n' "$password" >"$work/password"
mkdir "$work/data"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj "/CN=csdl.tinh.example" \
    -keyout "$work/data.key" -out "$work/data.crt" 2>/dev/null
chown -R postgres "$work"
runuser -u postgres -- initdb -D "$work/data" -U an --pwfile "$work/password" -A scram-sha-256 >/dev/null
mv "$work/data.key" "$work/data/server.key"
mv "$work/data.crt" "$work/data/server.crt"
cat >"$work/data/pg_hba.conf" <<CONF
host all ro 192.0.2.0/24 password
host all md5 192.0.2.0/24 md5
hostssl all all 192.0.2.0/24 scram-sha-256
host all all 192.0.2.0/24 scram-sha-256
CONF
chown postgres "$work/data/pg_hba.conf"
server runuser -u postgres -- postgres -D "$work/data" -c listen_addresses=198.51.100.10 -c ssl=on \
    -c unix_socket_directories="$work" >"$work/postgres.log" 2>&1 &
listening 5432
export PGPASSWORD=$password PGCONNECT_TIMEOUT=5
clear="host=198.51.100.10 dbname=postgres sslmode=disable gssencmode=disable"

record statements 'tcp port 5432'
client psql -q "$clear user=an" >/dev/null 2>&1 <<SQL
SET password_encryption = 'md5';
CREATE ROLE md5 LOGIN PASSWORD '$password';
CREATE ROLE ro LOGIN PASSWORD '$password';
CREATE TABLE dan (ma int PRIMARY KEY, ten text);
INSERT INTO dan SELECT n, 'người ' || n FROM generate_series(1, 40) n;
SELECT * FROM dan WHERE ma < 8;
SELECT * FROM khong_co;
COPY (SELECT * FROM dan) TO STDOUT;
COPY dan FROM STDIN;
90	chín mươi
91	chín mốt
\.
BEGIN\; UPDATE dan SET ten = 'x' WHERE ma = 1\; ROLLBACK;
SQL
client psql -q "$clear user=md5 application_name=bao-cao" -c 'SELECT 1' >/dev/null
client psql -q "$clear user=ro" -c 'SELECT now()' >/dev/null
PGPASSWORD=khong-phai client psql -q "$clear user=an" -c 'SELECT 1' >/dev/null 2>&1 || true
client psql -q "$clear user=an dbname=khong_co" -c 'SELECT 1' >/dev/null 2>&1 || true
printf '\\set m random(1, 40)\nSELECT ten FROM dan WHERE ma = :m;\n' >"$work/bench.sql"
client pgbench -n -M prepared -t 3 -f "$work/bench.sql" "$clear user=an" >/dev/null 2>&1
client timeout -s INT 1 psql -q "$clear user=an" -c 'SELECT pg_sleep(9)' >/dev/null 2>&1 || true
recorded
record encrypted 'tcp port 5432'
client psql -q "host=198.51.100.10 dbname=postgres sslmode=require user=an" -c 'SELECT 1' >/dev/null
recorded
