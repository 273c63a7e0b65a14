"""Both ends of the recorded sessions: talk.py server | client. The second server knows chunks (RFC 3030)."""

import datetime
import smtplib
import socket
import ssl
import sys
import tempfile
import threading
import time
from email.message import EmailMessage

HOST = "198.51.100.7"


def context():
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "thu.tinh.example")])
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = builder.serial_number(7).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=30))
    made = made.sign(key, hashes.SHA256())
    with tempfile.NamedTemporaryFile(suffix=".pem") as file:
        file.write(made.public_bytes(serialization.Encoding.PEM))
        plain = serialization.NoEncryption()
        file.write(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
        file.flush()
        made_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made_context.load_cert_chain(file.name)
    return made_context


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("khong-co"):
            return "550 5.1.1 khong co hop thu nay"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 duoc"

    async def handle_DATA(self, server, session, envelope):
        return "250 2.0.0 da nhan"


def run_server():
    from aiosmtpd.controller import Controller
    from aiosmtpd.smtp import AuthResult

    def accept(server, session, envelope, mechanism, data):
        return AuthResult(success=True)

    threading.Thread(target=chunks, daemon=True).start()
    Controller(
        Handler(),
        hostname=HOST,
        port=587,
        ident="thu.tinh.example ESMTP",
        server_hostname="thu.tinh.example",
        tls_context=context(),
        authenticator=accept,
        auth_require_tls=False,
    ).start()
    threading.Event().wait()


def chunks():
    """A server that takes BDAT: one session, every command granted."""
    with socket.create_server((HOST, 25)) as listener:
        connection, _ = listener.accept()
        with connection, connection.makefile("rwb", buffering=0) as stream:
            stream.write(b"220 thu.tinh.example ESMTP\r\n")
            while line := stream.readline():
                words = line.split()
                if words[0].upper() == b"EHLO":
                    stream.write(b"250-thu.tinh.example\r\n250-PIPELINING\r\n250 CHUNKING\r\n")
                elif words[0].upper() == b"BDAT":
                    left = int(words[1])
                    while left > 0:
                        left -= len(stream.read(left))
                    stream.write(b"250 2.0.0 %d byte\r\n" % int(words[1]))
                else:
                    stream.write(b"250 2.0.0 duoc\r\n")
                if words[0].upper() == b"QUIT":
                    return


def message():
    made = EmailMessage()
    made["From"] = "Nguyễn Văn An <an@xa.example>"
    made["To"] = "Trần Thị Bình <binh@tinh.example>, van-thu@tinh.example"
    made["Cc"] = "chi@tinh.example"
    made["Subject"] = "Báo cáo tháng mười một của xã"
    made["Date"] = "Sun, 22 Nov 2026 15:00:00 +0700"
    made["Message-ID"] = "<bao-cao.11@xa.example>"
    made["X-Mailer"] = "Thư xã 1.0"
    made.set_content("Kính gửi tỉnh,\n\n.dòng này bắt đầu bằng một dấu chấm\n")
    made.add_alternative("<p>Kính gửi tỉnh</p>", subtype="html")
    made.add_attachment(b"%PDF-1.4\n" + bytes(range(256)) * 4, maintype="application", subtype="pdf", filename="báo cáo.pdf")
    made.add_attachment("cột một;cột hai\n1;2\n", subtype="csv", filename="so-lieu.csv")
    return made


def run_client():
    with smtplib.SMTP(HOST, 587, local_hostname="may-01.xa.example") as client:
        client.ehlo()
        client.login("an", "bi mat", initial_response_ok=False)
        client.send_message(message())
        client.sendmail("", ["binh@tinh.example", "khong-co@tinh.example"], b"Subject: thu tra lai\r\n\r\nkhong gui duoc\r\n")
    with smtplib.SMTP(HOST, 587, local_hostname="may-02.xa.example") as client:
        unchecked = ssl.create_default_context()
        unchecked.check_hostname, unchecked.verify_mode = False, ssl.CERT_NONE
        client.starttls(context=unchecked)
        client.ehlo()
    with socket.create_connection((HOST, 25)) as connection:
        say = lambda line: (connection.sendall(line), time.sleep(0.1))
        say(b"EHLO may-03.xa.example\r\n")
        say(b"MAIL FROM:<an@xa.example> SIZE=60\r\nRCPT TO:<binh@tinh.example>\r\nBDAT 25\r\nSubject: trong hai phan\r\n")
        say(b"BDAT 14 LAST\r\n\r\nphan hai\r\n.\r\n"[: 14 + 14])
        say(b"MAIL FROM:<an@xa.example>\r\nRCPT TO:<chi@tinh.example>\r\nRSET\r\nQUIT\r\n")


run_server() if sys.argv[1] == "server" else run_client()
