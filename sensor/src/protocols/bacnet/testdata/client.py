#!/usr/bin/env python3
"""What record.sh asks of the device: OWN-ADDRESS DEVICE."""

import asyncio
import sys

from bacpypes3.apdu import ErrorRejectAbortNack
from bacpypes3.app import Application
from bacpypes3.argparse import SimpleArgumentParser
from bacpypes3.pdu import Address
from bacpypes3.primitivedata import ObjectIdentifier


async def main():
    arguments = SimpleArgumentParser().parse_args(["--address", sys.argv[1], "--name", "may-tram", "--instance", "7"])
    application = Application.from_args(arguments)
    device = Address(sys.argv[2])
    await application.who_is(1000, 2000, device)
    value, missing = ObjectIdentifier("analog-value,1"), ObjectIdentifier("analog-value,9")
    for question in (
        lambda: application.read_property(device, ObjectIdentifier("device,1234"), "object-name"),
        lambda: application.read_property(device, value, "present-value"),
        lambda: application.write_property(device, value, "present-value", 18.5),
        lambda: application.read_property(device, missing, "present-value"),
    ):
        try:
            print(await question())
        except ErrorRejectAbortNack as error:
            print(error)
    application.close()


asyncio.run(main())
