#!/usr/bin/env python3
"""An FTP server for record.sh, made of pyftpdlib: FOLDER ADDRESS USER PASSWORD [CERTIFICATE]."""

import sys

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler, TLS_FTPHandler
from pyftpdlib.servers import FTPServer

folder, address, user, password, *certificate = sys.argv[1:]
authorizer = DummyAuthorizer()
authorizer.add_user(user, password, folder, perm="elradfmwMT")
authorizer.add_anonymous(folder)
handler = TLS_FTPHandler if certificate else FTPHandler
handler.authorizer = authorizer
handler.banner = "kho.tinh.example FTP"
if certificate:
    handler.certfile = certificate[0]
FTPServer((address, 21), handler).serve_forever()
