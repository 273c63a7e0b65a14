#!/usr/bin/env python3
"""A Modbus device for record.sh, made of pymodbus: ADDRESS."""

import sys

from pymodbus import ModbusDeviceIdentification
from pymodbus.datastore import ModbusDeviceContext, ModbusSequentialDataBlock, ModbusServerContext
from pymodbus.server import StartTcpServer

block = lambda: ModbusSequentialDataBlock(1, list(range(100, 164)))
coils = lambda: ModbusSequentialDataBlock(1, [True, False, True, True] * 16)
device = ModbusDeviceContext(di=coils(), co=coils(), hr=block(), ir=block())
identity = ModbusDeviceIdentification(
    info_name={"VendorName": "Tram bom", "ProductCode": "TB-1", "MajorMinorRevision": "1.2"}
)
StartTcpServer(context=ModbusServerContext(devices=device, single=True), identity=identity, address=(sys.argv[1], 502))
