#!/usr/bin/env python3
"""A server that speaks as much of TDS (MS-TDS) as record.sh needs: it refuses encryption, lets one user in, has one table
with one column of text, and knows no other. Run by record.sh."""

import socket
import struct
import threading


def wide(text):
    return text.encode("utf-16-le")


def packets(kind, body):
    return bytes([kind, 1]) + struct.pack(">H", len(body) + 8) + b"\0\x34\x01\0" + body


def words(text):
    return bytes([len(text)]) + wide(text)


def message(token, number, grade, text):
    body = struct.pack("<IBB", number, 1, grade) + struct.pack("<H", len(text)) + wide(text) + words("CSDL") + words("")
    return bytes([token]) + struct.pack("<H", len(body) + 4) + body + struct.pack("<I", 1)


class Session:
    def __init__(self, connection):
        self.connection = connection
        self.old = False

    def bytes(self, count):
        got = b""
        while len(got) < count:
            more = self.connection.recv(count - len(got))
            if not more:
                raise EOFError
            got += more
        return got

    def request(self):
        body = b""
        while True:
            head = self.bytes(8)
            body += self.bytes(struct.unpack(">H", head[2:4])[0] - 8)
            if head[1] & 1:
                return head[0], body

    def done(self, status, rows):
        return b"\xfd" + struct.pack("<HH", status, 0xC1) + struct.pack("<I" if self.old else "<Q", rows)

    def table(self):
        column = (b"\0\0" if self.old else b"\0\0\0\0") + b"\x08\0" + b"\xe7\x50\0\x09\x04\xd0\0\x34" + words("ten")
        rows = b"".join(b"\xd1" + struct.pack("<H", len(wide(name))) + wide(name) for name in ("một", "hai", "ba"))
        return b"\x81\x01\0" + column + rows + self.done(0x10, 3)

    def login(self, body):
        version = struct.unpack("<I", body[4:8])[0]
        self.old = version >> 24 == 0x71
        place, length = struct.unpack("<HH", body[40:44])
        user = body[place : place + 2 * length].decode("utf-16-le")
        if user != "an":
            return message(0xAA, 18456, 14, f"Đăng nhập không được: {user}") + self.done(2, 0)
        name = words("Máy chủ thử")
        answer = b"\x01" + struct.pack(">I", version) + name + bytes([16, 0, 4, 90])
        change = b"\x01" + words("dan") + words("master")
        size = b"\x04" + words("4096") + words("4096")
        return b"".join([
            b"\xe3" + struct.pack("<H", len(change)) + change,
            message(0xAB, 5701, 10, "Đã chuyển sang dan"),
            b"\xad" + struct.pack("<H", len(answer)) + answer,
            b"\xe3" + struct.pack("<H", len(size)) + size,
            self.done(0, 0),
        ])

    def answer(self, kind, body):
        if kind == 0x12:
            return b"\0\0\x0b\0\x06\x01\0\x11\0\x01\xff" + bytes([16, 0, 16, 119, 0, 0]) + b"\x02"
        if kind == 0x10:
            return self.login(body)
        statement = body.decode("utf-16-le", "replace")
        if "khong_co" in statement:
            return message(0xAA, 208, 16, "Không có bảng khong_co.") + self.done(2, 0)
        if "ten" in statement:
            return self.table()
        return self.done(0, 0)

    def run(self):
        try:
            while True:
                kind, body = self.request()
                self.connection.sendall(packets(4, self.answer(kind, body)))
        except (EOFError, ConnectionError):
            self.connection.close()


listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("198.51.100.10", 1433))
listener.listen()
while True:
    threading.Thread(target=Session(listener.accept()[0]).run, daemon=True).start()
