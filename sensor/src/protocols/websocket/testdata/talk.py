"""Both ends of the recorded conversation: talk.py server | client."""

import asyncio
import sys

from websockets.asyncio.client import connect
from websockets.asyncio.server import serve


async def answer(connection):
    async for message in connection:
        if message == "tam biet":
            await connection.close(4001, "het viec")
            return
        await connection.send(message if isinstance(message, bytes) else f"Đã nhận: {message}"[:300])


async def serve_both():
    async with (
        serve(answer, "198.51.100.7", 8080, subprotocols=["bao-cao.v1"], compression=None),
        serve(answer, "198.51.100.7", 8081),
    ):
        await asyncio.get_running_loop().create_future()


async def call():
    plain = "ws://198.51.100.7:8080/kenh"
    async with connect(plain, subprotocols=["bao-cao.v1"], compression=None) as connection:
        await connection.send("Xin chào tỉnh")
        await connection.recv()
        await connection.send(["phần một, ", "phần hai, ", "phần ba"])
        await connection.recv()
        await connection.send(bytes(range(200)))
        await connection.recv()
        await (await connection.ping(b"con do?"))
        await connection.send("dài " * 100)
        await connection.recv()
        await connection.send("tam biet")
        await connection.wait_closed()
    async with connect("ws://198.51.100.7:8081/nen") as connection:
        await connection.send("lặp lại " * 50)
        await connection.recv()


asyncio.run(serve_both() if sys.argv[1] == "server" else call())
