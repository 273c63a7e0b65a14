#!/bin/sh -e
# Records broker.pcap: clients of versions 3.1.1 and 5 log in, subscribe and publish in all three qualities; one is
# refused. Needs root, iproute2, tcpdump, mosquitto, mosquitto-clients. The password is made up for the recording.
. "$(dirname "$0")/../../../../tests/record_network.sh"
network
word=$(od -An -N8 -tx1 /dev/urandom | tr -d ' \n')
mosquitto_passwd -b -c "$WORK/users" cambien "$word"
chmod 644 "$WORK/users"; chmod 755 "$WORK"
printf 'listener 1883 192.0.2.20\nallow_anonymous false\npassword_file %s/users\n' "$WORK" >"$WORK/mosquitto.conf"
$B mosquitto -c "$WORK/mosquitto.conf" >"$WORK/mosquitto" 2>&1 &
sleep 2
record broker.pcap "tcp port 1883"
login="-h 192.0.2.20 -u cambien -P $word"
$A mosquitto_sub $login -V 5 -i nghe -q 2 -t "tram/+/muc-nuoc" -t tram/bao-dong -C 3 -W 10 >/dev/null &
sleep 1
$A mosquitto_pub $login -V 311 -i tram1 -t tram/1/muc-nuoc -m 4.25 -q 0
$A mosquitto_pub $login -V 311 -i tram2 -t tram/2/muc-nuoc -m 3.75 -q 1 -r --will-topic tram/2/mat --will-payload mat
$A mosquitto_pub $login -V 5 -i tram3 -t tram/bao-dong -m "nước dâng" -q 2
sleep 1
$A mosquitto_pub -h 192.0.2.20 -u cambien -P khong-phai -i la -t tram/1/muc-nuoc -m 0 2>/dev/null || true
stop
