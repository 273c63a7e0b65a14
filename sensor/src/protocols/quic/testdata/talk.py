"""Both ends of the recorded connections: talk.py server | client."""

import asyncio
import datetime
import ssl
import sys
import tempfile

from aioquic.asyncio import connect, serve
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.packet import QuicProtocolVersion
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

HOST = "198.51.100.7"
NAME = "cong.tinh.example"


def certificate():
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=30))
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = tempfile.NamedTemporaryFile(suffix=".pem")
    file.write(pem)
    file.flush()
    return file


class Echo(QuicConnectionProtocol):
    def quic_event_received(self, event):
        data = getattr(event, "data", None)
        if data is not None and hasattr(event, "stream_id"):
            self._quic.send_stream_data(event.stream_id, data, end_stream=True)
            self.transmit()


async def run_server():
    with certificate() as file:
        tickets = {}

        async def listen(port, versions, retry=False):
            configuration = QuicConfiguration(is_client=False, alpn_protocols=["bao-cao"], supported_versions=versions)
            configuration.load_cert_chain(file.name)
            await serve(
                HOST,
                port,
                configuration=configuration,
                create_protocol=Echo,
                retry=retry,
                session_ticket_fetcher=lambda label: tickets.pop(label, None),
                session_ticket_handler=lambda ticket: tickets.__setitem__(ticket.ticket, ticket),
            )

        first, second = QuicProtocolVersion.VERSION_1, QuicProtocolVersion.VERSION_2
        await listen(4434, [first], retry=True)
        await listen(4435, [second])
        await listen(4433, [first, second])
        await asyncio.get_running_loop().create_future()


async def talk(port, alpn="bao-cao", version=QuicProtocolVersion.VERSION_1, ticket=None, early=False):
    kept = []
    configuration = QuicConfiguration(
        is_client=True,
        alpn_protocols=[alpn],
        server_name=NAME,
        verify_mode=ssl.CERT_NONE,
        supported_versions=[version],
        original_version=version,
        session_ticket=ticket,
    )
    try:
        async with connect(
            HOST, port, configuration=configuration, session_ticket_handler=kept.append, wait_connected=not early
        ) as client:
            reader, writer = await client.create_stream()
            writer.write(b"xin chao")
            writer.write_eof()
            await asyncio.wait_for(reader.read(), 3)
            await asyncio.sleep(0.2)
    except (ConnectionError, asyncio.TimeoutError) as error:
        print("refused:", repr(error))
    return kept[0] if kept else None


async def run_client():
    ticket = await talk(4433)
    await talk(4433, ticket=ticket, early=True)
    await talk(4433, version=QuicProtocolVersion.VERSION_2)
    await talk(4434)
    await talk(4433, alpn="khac")
    await talk(4435)


asyncio.run(run_server() if sys.argv[1] == "server" else run_client())
