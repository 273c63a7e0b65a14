#!/usr/bin/env bash
# Records statements.pcap and encrypted.pcap between MariaDB's own programs: log-ins of which one is refused, statements,
# errors, several results of one command, a local file, a packed connection; then one that turns to TLS. Needs root;
# directory and passwords are made for the occasion.
here=$(cd "$(dirname "$0")" && pwd)
needed="mariadbd mariadb-install-db mariadb openssl"
packages="apt-get install mariadb-server mariadb-client openssl iproute2 tcpdump"
. "$here/../../../../tests/lab.sh"

password=$(head -c 12 /dev/urandom | base64)
mkdir "$work/data"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj "/CN=csdl.tinh.example" \
    -keyout "$work/key.pem" -out "$work/cert.pem" 2>/dev/null
chown -R mysql "$work"
mariadb-install-db --no-defaults --user=mysql --datadir="$work/data" --skip-test-db >/dev/null
server mariadbd --no-defaults --user=mysql --datadir="$work/data" --socket="$work/socket" --pid-file="$work/pid" \
    --bind-address=198.51.100.10 --ssl-cert="$work/cert.pem" --ssl-key="$work/key.pem" --local-infile=1 \
    --skip-name-resolve >"$work/mariadbd.log" 2>&1 &
listening 3306
mariadb --no-defaults --default-character-set=utf8mb4 -u root -S "$work/socket" <<SQL
CREATE DATABASE dan CHARACTER SET utf8mb4;
CREATE TABLE dan.nguoi (ma int PRIMARY KEY, ten varchar(40));
CREATE USER an@'192.0.2.10' IDENTIFIED BY '$password';
GRANT ALL ON *.* TO an@'192.0.2.10';
SQL
printf '80\ttám mươi\n81\ttám mốt\n' >"$work/nguoi.tsv"
export MYSQL_PWD=$password
run() { client mariadb --no-defaults --skip-auto-rehash --default-character-set=utf8mb4 -h 198.51.100.10 -u an "$@"; }

record statements 'tcp port 3306'
run --skip-ssl --local-infile=1 --force dan >/dev/null 2>&1 <<SQL
INSERT INTO nguoi VALUES (1, 'một'), (2, 'hai'), (3, 'ba');
SELECT * FROM nguoi WHERE ma < 3;
SELECT * FROM khong_co;
UPDATE nguoi SET ten = 'x';
CREATE USER binh IDENTIFIED BY 'khong duoc ke';
DELIMITER //
SELECT 1; SELECT ten FROM nguoi; DELETE FROM nguoi WHERE ma = 3 //
DELIMITER ;
LOAD DATA LOCAL INFILE '$work/nguoi.tsv' INTO TABLE nguoi;
USE mysql
SHOW TABLES LIKE 'db';
SQL
MYSQL_PWD=khong-phai run --skip-ssl -e 'SELECT 1' 2>/dev/null || true
run --skip-ssl --compress -e 'SELECT 1' >/dev/null
client mariadb-admin --no-defaults --skip-ssl -h 198.51.100.10 -u an ping status >/dev/null
recorded
record encrypted 'tcp port 3306'
run --ssl -e 'SELECT 1' >/dev/null
recorded
