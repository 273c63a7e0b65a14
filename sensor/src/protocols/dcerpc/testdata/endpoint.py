#!/usr/bin/env python3
"""A small endpoint of DCE RPC for recording: endpoint.py serve|call ADDRESS PORT

`serve` answers binds and calls of the endpoint mapper's and of one more interface over TCP and over UDP, a call of
procedure 99 with a fault; `call` binds, calls, and is refused. Only the framing matters: arguments are zeros.
"""
import socket
import struct
import sys
import threading
import uuid

MAPPER = uuid.UUID("e1af8308-5d1f-11c9-91a4-08002b14a0fa")
SERVICES = uuid.UUID("367abb81-9844-35f1-ad32-98f038001003")
UNKNOWN = uuid.UUID("5b2f0e3a-1c4d-4e5f-8a6b-7c8d9e0f1a2b")
NDR = uuid.UUID("8a885d04-1ceb-11c9-9fe8-08002b104860")
REQUEST, RESPONSE, FAULT, BIND, BIND_ACK, BIND_NAK = 0, 2, 3, 11, 12, 13


def pdu(kind, call, body, flags=3):
    return struct.pack("<BBBBIHHI", 5, 0, kind, flags, 0x10, 16 + len(body), 0, call) + body


def bind(call, *interfaces):
    body = struct.pack("<HHIB3x", 5840, 5840, 0, len(interfaces))
    for number, (interface, version) in enumerate(interfaces):
        body += struct.pack("<HBx", number, 1) + interface.bytes_le + struct.pack("<I", version)
        body += NDR.bytes_le + struct.pack("<I", 2)
    return pdu(BIND, call, body)


def request(call, context, operation, stub, flags=3):
    return pdu(REQUEST, call, struct.pack("<IHH", len(stub), context, operation) + stub, flags)


def answer(kind, flags, call, body):
    if kind == BIND:
        count, at, results = body[8], 12, b""
        for _ in range(count):
            known = uuid.UUID(bytes_le=body[at + 4 : at + 20]) in (MAPPER, SERVICES)
            results += struct.pack("<HH", 0 if known else 2, 0 if known else 1)
            results += (NDR.bytes_le if known else bytes(16)) + struct.pack("<I", 2 if known else 0)
            at += 44
        if count == 1 and not known:
            return pdu(BIND_NAK, call, struct.pack("<HB", 4, 0) + bytes(5))
        head = struct.pack("<HHIH", 5840, 5840, 0x1234, 4) + b"135\0"
        head += bytes(-(16 + len(head)) % 4)
        return pdu(BIND_ACK, call, head + struct.pack("<B3x", count) + results)
    if kind == REQUEST and flags & 2:
        operation = struct.unpack_from("<H", body, 6)[0]
        if operation == 99:
            return pdu(FAULT, call, struct.pack("<IHBxI4x", 32, 0, 0, 0x1C010002))
        stub = struct.pack("<IHBx", 40, 0, 0) + bytes(40)
        return pdu(RESPONSE, call, stub, 1) + pdu(RESPONSE, call, stub, 2)
    return b""


def read(stream):
    head = stream.read(16)
    if len(head) < 16:
        return None
    kind, flags, length, call = head[2], head[3], struct.unpack_from("<H", head, 8)[0], struct.unpack_from("<I", head, 12)[0]
    return kind, flags, call, stream.read(length - 16)


def datagram(kind, operation, sequence, stub):
    head = struct.pack("<BBBB3sB", 4, kind, 0x08, 0, b"\x10\0\0", 0) + bytes(16) + MAPPER.bytes_le + bytes(range(16))
    return head + struct.pack("<IIIHHHHHBB", 0, 3, sequence, operation, 0xFFFF, 0xFFFF, len(stub), 0, 0, 0) + stub


def serve(address, port):
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind((address, port))

    def datagrams():
        while True:
            data, peer = udp.recvfrom(2048)
            sequence, operation = struct.unpack_from("<IH", data, 64)
            udp.sendto(datagram(RESPONSE, operation, sequence, bytes(28)), peer)

    threading.Thread(target=datagrams, daemon=True).start()
    tcp = socket.create_server((address, port))
    while True:
        connection, _ = tcp.accept()
        with connection, connection.makefile("rb") as stream:
            while (message := read(stream)) is not None:
                connection.sendall(answer(*message))


def call(address, port):
    with socket.create_connection((address, port)) as connection, connection.makefile("rb") as stream:
        for message, answers in [
            (bind(1, (MAPPER, 3), (SERVICES, 2), (UNKNOWN, 1)), 1),
            (request(2, 0, 3, bytes(64)), 2),
            (request(3, 1, 12, bytes(100), 1) + request(3, 1, 12, bytes(30), 2), 2),
            (request(4, 1, 99, b""), 1),
        ]:
            connection.sendall(message)
            for _ in range(answers):
                read(stream)
        connection.sendall(request(5, 1, 0, bytes(20), 1))
    with socket.create_connection((address, port)) as connection, connection.makefile("rb") as stream:
        connection.sendall(bind(1, (UNKNOWN, 1)))
        read(stream)
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.sendto(datagram(REQUEST, 3, 7, bytes(52)), (address, port))
    udp.recv(2048)


{"serve": serve, "call": call}[sys.argv[1]](sys.argv[2], int(sys.argv[3]))
