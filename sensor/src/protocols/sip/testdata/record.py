#!/usr/bin/env python3
"""What is said in calls.pcap (run by record.sh): a telephone logs in over UDP, calls and hangs up; another one calls over
TCP, in pieces. Client and server of its own, so that every form of the format occurs."""

import socket
import sys
import time

A, B = "192.0.2.10", "192.0.2.20"


def message(first, headers, body=""):
    body = body.encode()
    lines = [first] + headers + [f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


def sdp(address, port):
    return (f"v=0\r\no=- 7 1 IN IP4 {address}\r\ns=Cuộc gọi\r\nc=IN IP4 {address}\r\nt=0 0\r\n"
            f"m=audio {port} RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\n")


def common(method, number, call="7f3a@192.0.2.10"):
    return [f"Via: SIP/2.0/UDP {A}:5060;branch=z9hG4bK{number}", "Max-Forwards: 70",
            "From: \"An\" <sip:an@tinh.example>;tag=1", "To: <sip:binh@tinh.example>", f"Call-ID: {call}",
            f"CSeq: {number} {method}"]


def serve():
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind((B, 5060))
    tcp = socket.socket()
    tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    tcp.bind((B, 5060))
    tcp.listen()
    seen = 0
    while True:
        request, peer = udp.recvfrom(4096)
        method = request.split(b" ")[0].decode().strip()
        if method == "REGISTER":
            seen += 1
            if seen == 1:
                udp.sendto(message("SIP/2.0 401 Unauthorized", common("REGISTER", 1, "r@192.0.2.10") + ["Server: tong-dai 3",
                           'WWW-Authenticate: Digest realm="tinh.example", nonce="5f"']), peer)
            else:
                udp.sendto(message("SIP/2.0 200 OK", common("REGISTER", 2, "r@192.0.2.10") + ["Contact: <sip:an@192.0.2.10:5060>", "Expires: 600"]), peer)
        elif method == "INVITE":
            udp.sendto(message("SIP/2.0 100 Trying", common("INVITE", 3)), peer)
            udp.sendto(message("SIP/2.0 200 OK", common("INVITE", 3) + ["Contact: <sip:binh@192.0.2.20>", "Content-Type: application/sdp"], sdp(B, 6000)), peer)
        elif method == "BYE":
            udp.sendto(message("SIP/2.0 200 OK", common("BYE", 4)), peer)
            break
    connection, _ = tcp.accept()
    connection.settimeout(1)
    try:
        while connection.recv(8192):
            pass
    except TimeoutError:
        pass
    connection.sendall(message("SIP/2.0 486 Busy Here", common("INVITE", 1, "t@192.0.2.10")))
    connection.sendall(b"\r\n\r\n")
    time.sleep(0.5)
    connection.close()


def call():
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind((A, 5060))
    udp.settimeout(2)
    register = ["Contact: <sip:an@192.0.2.10:5060>", "User-Agent: dien thoai 1.0", "Expires: 600"]
    to = (B, 5060)
    udp.sendto(b"\r\n\r\n", to)
    udp.sendto(message("REGISTER sip:tinh.example SIP/2.0", common("REGISTER", 1, "r@192.0.2.10") + register), to)
    udp.recv(4096)
    digest = 'Authorization: Digest username="an", realm="tinh.example", nonce="5f", uri="sip:tinh.example", response="00"'
    udp.sendto(message("REGISTER sip:tinh.example SIP/2.0", common("REGISTER", 2, "r@192.0.2.10") + register + [digest]), to)
    udp.recv(4096)
    udp.sendto(message("INVITE sip:binh@tinh.example SIP/2.0", common("INVITE", 3) + ["Content-Type: application/sdp"], sdp(A, 4000)), to)
    udp.recv(4096)
    udp.recv(4096)
    udp.sendto(message("ACK sip:binh@192.0.2.20 SIP/2.0", common("ACK", 3)), to)
    udp.sendto(message("BYE sip:binh@192.0.2.20 SIP/2.0", common("BYE", 4)), to)
    udp.recv(4096)
    tcp = socket.create_connection(to)
    # The short names of headers, a folded line, and two messages in pieces that do not end where they do.
    short = [f"v: SIP/2.0/TCP {A};branch=z9hG4bK9", "f: sip:an@tinh.example;tag=2", "t: sip:cuong@tinh.example", "i: t@192.0.2.10",
             "CSeq: 1 INVITE", "m: <sip:an@192.0.2.10;transport=tcp>", "s: a\r\n b", "c: application/sdp"]
    body = sdp(A, 4100)
    invite = "\r\n".join(["INVITE sip:cuong@tinh.example SIP/2.0"] + short + [f"l: {len(body.encode())}", "", ""]).encode() + body.encode()
    ack = message("ACK sip:cuong@tinh.example SIP/2.0", common("ACK", 1, "t@192.0.2.10"))
    both = invite + ack
    for start in range(0, len(both), 300):
        tcp.sendall(both[start:start + 300])
        time.sleep(0.05)
    while tcp.recv(4096):
        pass


serve() if sys.argv[1] == "serve" else call()
