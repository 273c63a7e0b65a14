#!/usr/bin/env python3
"""A server that speaks as much of MongoDB's protocol as record.sh needs: it takes and gives documents, lets nobody log in
and does nothing else. Run by record.sh."""

import socket
import struct
import threading

import bson

kept = []


def refused(code, name, words):
    return {"ok": 0.0, "errmsg": words, "code": code, "codeName": name}


def answer(command, lists):
    name = next(iter(command))
    if name.lower() in ("hello", "ismaster"):
        return {"helloOk": True, "ismaster": True, "isWritablePrimary": True, "maxBsonObjectSize": 1 << 24,
                "maxMessageSizeBytes": 48000000, "maxWriteBatchSize": 100000, "minWireVersion": 0, "maxWireVersion": 13,
                "readOnly": False, "ok": 1.0}
    if name == "insert":
        kept.extend(lists)
        return {"n": len(lists), "ok": 1.0}
    if name == "find":
        return {"cursor": {"firstBatch": kept[:2], "id": bson.int64.Int64(0), "ns": "dan.nguoi"}, "ok": 1.0}
    if name == "saslStart":
        return refused(18, "AuthenticationFailed", "Authentication failed.")
    if name in ("ping", "endSessions"):
        return {"ok": 1.0}
    return refused(13, "Unauthorized", f"not authorized on dan to execute command {name}")


def documents(data):
    while data:
        length = struct.unpack("<I", data[:4])[0]
        yield bson.decode(data[:length])
        data = data[length:]


def serve(connection):
    def take(count):
        got = b""
        while len(got) < count:
            more = connection.recv(count - len(got))
            if not more:
                raise EOFError
            got += more
        return got

    number = 1000
    try:
        while True:
            length, asked, _, kind = struct.unpack("<IIII", take(16))
            body = take(length - 16)
            number += 1
            if kind == 2004:
                place = body.index(b"\0", 4) + 9
                reply = struct.pack("<IQII", 8, 0, 0, 1) + bson.encode(answer(next(documents(body[place:])), []))
                kind = 1
            else:
                body, lists, command = body[4:], [], None
                while body:
                    size = struct.unpack("<I", body[1:5])[0]
                    part, section, body = body[1 : 1 + size], body[0], body[1 + size :]
                    if section == 0:
                        command = bson.decode(part)
                    else:
                        lists = list(documents(part[part.index(b"\0", 4) + 1 :]))
                reply = b"\0\0\0\0\0" + bson.encode(answer(command, lists))
            connection.sendall(struct.pack("<IIII", 16 + len(reply), number, asked, kind) + reply)
    except (EOFError, ConnectionError):
        connection.close()


listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("198.51.100.10", 27017))
listener.listen()
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
