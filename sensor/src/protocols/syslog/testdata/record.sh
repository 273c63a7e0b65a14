#!/bin/sh -e
# Records messages.pcap: a host reports in both forms, over UDP and over TCP with both kinds of framing. Needs root,
# iproute2, tcpdump, logger, python3.
. "$(dirname "$0")/../../../../tests/record_network.sh"
network
$B python3 - <<'PY' &
import socket, threading
def drain(connection):
    while connection.recv(4096): pass
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); udp.bind(("192.0.2.20", 514))
def serve(port):
    listener = socket.socket(); listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("192.0.2.20", port)); listener.listen()
    while True: threading.Thread(target=drain, args=(listener.accept()[0],), daemon=True).start()
for port in (514, 601): threading.Thread(target=serve, args=(port,), daemon=True).start()
while True: udp.recv(4096)
PY
sleep 1
record messages.pcap "port 514 or port 601"
$A logger -n 192.0.2.20 -d -P 514 --rfc3164 -t sshd -p auth.warning --id=411 "Failed password for an from 198.51.100.7 port 4022 ssh2"
$A logger -n 192.0.2.20 -d -P 514 --rfc5424 -t cong -p local3.err --msgid ID47 --sd-id 'x@32473' --sd-param 'ten="An \]"' "Cổng dịch vụ ngừng"
printf 'một\nhai\n' | $A logger -n 192.0.2.20 -T -P 514 --rfc3164 -t cron -p cron.info
printf 'ba\nbốn\n' | $A logger -n 192.0.2.20 -T -P 601 --octet-count --rfc5424=notq -t cong -p daemon.notice
$A python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.sendto(b"<13>no date and no name", ("192.0.2.20", 514))'
stop
