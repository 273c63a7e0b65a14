#!/usr/bin/env python3
"""What record.sh asks of the device: ADDRESS."""

import sys

from pymodbus.client import ModbusTcpClient

client = ModbusTcpClient(sys.argv[1], port=502)
client.connect()
client.read_coils(0, count=10, device_id=1)
client.read_holding_registers(4, count=3, device_id=1)
client.read_input_registers(0, count=2, device_id=1)
client.write_coil(3, True, device_id=1)
client.write_register(7, 4242, device_id=1)
client.write_registers(8, [1, 2, 3], device_id=1)
client.write_coils(8, [True, False, True], device_id=1)
client.readwrite_registers(read_address=0, read_count=2, write_address=10, values=[9, 8], device_id=1)
client.read_holding_registers(5000, count=1, device_id=1)
client.diag_restart_communication(True, device_id=1)
client.read_device_information(read_code=1, object_id=0, device_id=1)
client.close()
