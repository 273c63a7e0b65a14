#!/usr/bin/env python3
"""Both ends of connections by Oracle's network layer, as far as the listener's answer. Run by record.sh."""

import socket
import struct
import sys

AT = ("198.51.100.10", 1521)


def packet(kind, body):
    return struct.pack(">HHBBH", len(body) + 8, 0, kind, 0, 0) + body


def take(connection):
    head = connection.recv(8, socket.MSG_WAITALL)
    return head[4], connection.recv(struct.unpack(">H", head[:2])[0] - 8, socket.MSG_WAITALL)


def wish(data, apart=False):
    head = struct.pack(">HHHHHHHHHHIBB", 318, 300, 0xC41, 8192, 65535, 0x7F08, 0, 1, len(data), 58, 2048, 0x41, 0x41)
    body = head.ljust(50, b"\0")
    if not apart:
        return packet(1, body + data)
    return packet(1, body) + packet(6, b"\0\0" + data)


def listen():
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(AT)
    listener.listen()
    while True:
        connection = listener.accept()[0]
        _, body = take(connection)
        data = body[50:] or take(connection)[1]
        if b"SERVICE_NAME=dan" in data:
            connection.sendall(packet(2, struct.pack(">HHHHHHHH", 318, 0, 8192, 65535, 1, 0, 32, 0x4141)))
        elif b"SERVICE_NAME=xa" in data:
            where = b"(ADDRESS=(PROTOCOL=tcp)(HOST=198.51.100.11)(PORT=1522))"
            connection.sendall(packet(5, struct.pack(">H", len(where)) + where))
        else:
            why = b"(DESCRIPTION=(TMP=)(VSNNUM=318767104)(ERR=12505)(ERROR_STACK=(ERROR=(CODE=12505)(EMFI=4))))"
            connection.sendall(packet(4, b"\x22\0" + struct.pack(">H", len(why)) + why))
        connection.recv(1)
        connection.close()


def ask():
    who = "(CID=(PROGRAM=bao-cao.exe)(HOST=MAY-KE-TOAN)(USER=an))"
    wanted = ["(SERVICE_NAME=dan)" + who, "(SID=khong_co)" + who, "(SERVICE_NAME=xa)" + who, "(COMMAND=status)(PASSWORD=khong-ke)"]
    for number, target in enumerate(wanted):
        text = f"(DESCRIPTION=(CONNECT_DATA={target})(ADDRESS=(PROTOCOL=TCP)(HOST=198.51.100.10)(PORT=1521)))"
        connection = socket.create_connection(AT)
        connection.sendall(wish(text.encode(), apart=number == 2))
        take(connection)
        connection.close()


listen() if sys.argv[1] == "listen" else ask()
