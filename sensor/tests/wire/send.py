"""Sends the frames of a classic pcap file out of an interface: for tests, within their own network namespaces.

send.py INTERFACE FILE [MBIT_PER_SECOND [TIMES]]: as fast as it goes where no rate is given. From the second time on, the
second byte of all IPv4 addresses is another one each time, so that they are new flows. Prints how many frames went out.
"""

import socket
import struct
import sys
import time


def frames(path):
    with open(path, "rb") as file:
        file.read(24)
        found = []
        while head := file.read(16):
            length = struct.unpack("<4I", head)[2]
            found.append(file.read(length))
        return found


def moved(frame, times):
    """The frame between other addresses, if it is IPv4."""
    if times == 0 or frame[12:14] != b"\x08\x00" or len(frame) < 34:
        return frame
    copy = bytearray(frame)
    for at in (27, 31):
        copy[at] = (copy[at] + times) & 0xFF
    return bytes(copy)


def main(interface, path, mbit="0", times="1"):
    out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    out.bind((interface, 0))
    per_second = float(mbit) * 1e6 / 8
    all_frames = frames(path)
    began, sent, size = time.monotonic(), 0, 0
    for round_number in range(int(times)):
        for frame in all_frames:
            frame = moved(frame, round_number)
            while True:
                try:
                    out.send(frame)
                    break
                except OSError as error:
                    # The queue of the interface is full.
                    if error.errno != 105:
                        raise
                    time.sleep(0.001)
            sent += 1
            size += len(frame)
            if per_second and sent % 16 == 0:
                ahead = size / per_second - (time.monotonic() - began)
                if ahead > 0.002:
                    time.sleep(ahead)
    print(sent, round(time.monotonic() - began, 3))


main(*sys.argv[1:])
