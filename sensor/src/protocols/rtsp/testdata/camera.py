#!/usr/bin/env python3
"""A camera and a player that speak RTSP. Run by record.sh."""

import base64
import socket
import sys

AT = ("198.51.100.10", 554)
DESCRIPTION = (
    "v=0\r\no=- 1 1 IN IP4 198.51.100.10\r\ns=Cổng chính\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
    "m=audio 0 RTP/AVP 8\r\n"
).encode()


def camera():
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(AT)
    listener.listen()
    while True:
        connection = listener.accept()[0]
        while (request := connection.recv(65535)):
            lines = request.decode().split("\r\n")
            method = lines[0].split(" ")[0]
            number = next(line for line in lines if line.lower().startswith("cseq"))
            status, extra, body = "200 OK", "", b""
            if method == "OPTIONS":
                extra = "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n"
            elif "Authorization" not in request.decode():
                status, extra = "401 Unauthorized", 'WWW-Authenticate: Basic realm="camera"\r\n'
            elif method == "DESCRIBE":
                extra, body = f"Content-Type: application/sdp\r\nContent-Length: {len(DESCRIPTION)}\r\n", DESCRIPTION
            elif method == "SETUP":
                extra = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 4711;timeout=60\r\n"
            elif method == "PLAY":
                body = b"".join(b"$\0" + (300).to_bytes(2, "big") + bytes(300) for _ in range(5))
            connection.sendall(f"RTSP/1.0 {status}\r\n{number}\r\nServer: Camera/1.0\r\n{extra}\r\n".encode() + body)
        connection.close()


def play():
    connection = socket.create_connection(AT)
    login = "Authorization: Basic " + base64.b64encode(b"an:khong biet").decode() + "\r\n"
    steps = [
        ("DESCRIBE", "", "Accept: application/sdp\r\n"),
        ("DESCRIBE", "", login),
        ("SETUP", "/video", login + "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"),
        ("PLAY", "", login + "Session: 4711\r\n"),
        ("TEARDOWN", "", login + "Session: 4711\r\n"),
    ]
    for number, (method, part, extra) in enumerate(steps, 1):
        connection.sendall(
            f"{method} rtsp://198.51.100.10/kenh1{part} RTSP/1.0\r\nCSeq: {number}\r\nUser-Agent: xem/1.0\r\n{extra}\r\n".encode()
        )
        connection.recv(65535)
    connection.close()


camera() if sys.argv[1] == "camera" else play()
