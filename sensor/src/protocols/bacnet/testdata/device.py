#!/usr/bin/env python3
"""A BACnet device for record.sh, made of bacpypes3: ADDRESS."""

import asyncio
import sys

from bacpypes3.app import Application
from bacpypes3.argparse import SimpleArgumentParser
from bacpypes3.local.analog import AnalogValueObject


async def main():
    arguments = SimpleArgumentParser().parse_args(
        ["--address", sys.argv[1], "--name", "dieu-hoa", "--instance", "1234", "--vendoridentifier", "999"]
    )
    application = Application.from_args(arguments)
    application.add_object(AnalogValueObject(objectIdentifier=("analog-value", 1), objectName="nhiet-do", presentValue=24))
    print("ready", flush=True)
    await asyncio.Future()


asyncio.run(main())
