#!/usr/bin/env python3
"""What record.sh asks of the controller: ADDRESS."""

import sys

from snap7.client import Client

client = Client()
client.connect(sys.argv[1], 0, 2)


def ask(what, *arguments):
    try:
        what(*arguments)
    except Exception as error:  # refusals are wanted in the capture
        print(f"{what.__name__}: {error}")


ask(client.db_read, 1, 4, 10)
ask(client.db_write, 1, 0, bytearray(b"\x01\x02"))
ask(client.mb_read, 2, 4)
ask(client.db_read, 9, 0, 1)
ask(client.get_cpu_info)
ask(client.get_plc_datetime)
ask(client.plc_stop)
client.disconnect()
