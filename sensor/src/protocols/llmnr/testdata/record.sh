#!/bin/sh -e
# Records names.pcap: a host asks the link for a name over both versions of IP, is answered, asks again over TCP, and
# sends what the standard does not know. A small client and a small server, as no program of Windows is at hand. Needs
# root, iproute2, tcpdump, python3.
. "$(dirname "$0")/../../../../tests/record_network.sh"
network
$A ip route add 224.0.0.0/4 dev wire
record names.pcap "port 5355"
$B timeout 20 python3 - <<'PY' &
import socket, struct
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind(("", 5355))
udp.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton("224.0.0.252") + socket.inet_aton("192.0.2.20"))
tcp = socket.socket(); tcp.bind(("192.0.2.20", 5355)); tcp.listen()
def answer(query):
    head = query[:2] + b"\x80\x00" + struct.pack("!4H", 1, 1, 0, 0)
    return head + query[12:] + b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 30, 4) + socket.inet_aton("192.0.2.20")
query, peer = udp.recvfrom(512)
reply = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); reply.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
udp.sendto(answer(query), peer)
connection, _ = tcp.accept()
query = connection.recv(512)[2:]
told = answer(query)
connection.sendall(struct.pack("!H", len(told)) + told)
connection.close()
PY
sleep 2
$A python3 - <<'PY'
import socket, struct
def query(number, flags, kind): return struct.pack("!6H", number, flags, 1, 0, 0, 0) + b"\x07may-chu\0" + struct.pack("!HH", kind, 1)
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("192.0.2.10", 50355)); s.settimeout(2)
s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("192.0.2.10"))
s.sendto(query(0x1111, 0, 1), ("224.0.0.252", 5355)); s.recv(512)
# The flag that means recursion in DNS; a kind of query that is none.
s.sendto(query(0x2222, 0x0100, 28), ("224.0.0.252", 5355))
s.sendto(query(0x3333, 0x2800, 1), ("224.0.0.252", 5355))
six = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
six.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, socket.if_nametoindex("wire"))
six.bind(("2001:db8::10", 50356)); six.sendto(query(0x4444, 0, 255), ("ff02::1:3", 5355))
t = socket.create_connection(("192.0.2.20", 5355)); q = query(0x5555, 0, 1)
t.sendall(struct.pack("!H", len(q)) + q); t.recv(512); t.close()
PY
stop
