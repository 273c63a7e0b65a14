#!/usr/bin/env python3
"""A controller for record.sh, made of python-snap7: PORT."""

import sys
import time

from snap7.server import Server
from snap7.type import SrvArea

server = Server()
server.register_area(SrvArea.DB, 1, bytearray(range(64)))
server.register_area(SrvArea.MK, 0, bytearray(64))
server.start(tcp_port=int(sys.argv[1]))
while True:
    time.sleep(1)
