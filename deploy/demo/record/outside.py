#!/usr/bin/env python3
"""The far ends on the demo's Internet that mean harm, with harmless contents.

    outside.py remote CERTIFICATE KEY   192.0.2.99: TLS 1.2 with a self-signed certificate on 8443 that answers beacons,
                                        and HTTP on 80 that takes what is sent to it
    outside.py store                    192.0.2.80: HTTP; a program's header served as an image, and the EICAR test file

The program is an MZ header with no code behind it; the EICAR test file is the antivirus industry's harmless one, written
here in two halves so that this script is not taken for it.
"""
import http.server
import ssl
import sys
import threading

EICAR = "X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


def program():
    """The first bytes of a Windows program, and nothing that could run."""
    header = bytearray(0x100)
    header[0:2] = b"MZ"
    header[0x3C:0x40] = (0x80).to_bytes(4, "little")
    message = b"This program cannot be run in DOS mode.\r\r\n$"
    header[0x4E:0x4E + len(message)] = message
    header[0x80:0x84] = b"PE\0\0"
    header[0x84:0x86] = (0x8664).to_bytes(2, "little")
    return bytes(header) + bytes(24 * 1024)


class Quiet(http.server.BaseHTTPRequestHandler):
    """Answers of known length, no log."""

    protocol_version = "HTTP/1.1"
    server_version = "nginx"
    sys_version = ""

    def reply(self, body, kind):
        """Sends one answer."""
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Quiet: the recording is the log."""


class Store(Quiet):
    """The shop of pictures that are none."""

    def do_GET(self):
        """A program as a picture, or the EICAR test file."""
        if self.path == "/banner.png":
            self.reply(program(), "image/png")
        else:
            self.reply(EICAR.encode(), "application/octet-stream")


class Remote(Quiet):
    """The far end of the beacon and of the stolen data."""

    def do_GET(self):
        """Nothing to do."""
        self.reply(b"ok\n", "text/plain")

    def do_POST(self):
        """Takes everything."""
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.reply(b"received\n", "text/plain")


def serve(address, port, handler, context=None):
    """One server in a thread of its own."""
    server = http.server.ThreadingHTTPServer((address, port), handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever).start()


if __name__ == "__main__":
    if sys.argv[1] == "store":
        serve("192.0.2.80", 80, Store)
    else:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.maximum_version = ssl.TLSVersion.TLSv1_2
        tls.load_cert_chain(sys.argv[2], sys.argv[3])
        serve("192.0.2.99", 8443, Remote, tls)
        serve("192.0.2.99", 80, Remote)
