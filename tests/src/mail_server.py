"""A mail server for one test: STARTTLS and a log-in are required, each message becomes a file in received/."""
import os
import ssl
import sys
import time

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword


class Keep:
    """Keeps what comes."""

    count = 0

    async def handle_DATA(self, _server, _session, envelope):
        """Writes a message whole or not at all, and answers with a receipt."""
        self.count += 1
        with open(f"message-{self.count}.part", "wb") as file:
            file.write(envelope.content)
        os.rename(f"message-{self.count}.part", f"received/message-{self.count}.eml")
        return f"250 2.0.0 kept as {self.count}"


def check(_server, _session, _envelope, _mechanism, data):
    """The one account."""
    good = isinstance(data, LoginPassword) and data.login == b"luytre" and data.password == b"mot-mat-khau-thu"
    return AuthResult(success=good)


tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
tls.load_cert_chain("mail.pem", "mail.key")
server = Controller(
    Keep(), hostname="localhost", port=int(sys.argv[1]), tls_context=tls, require_starttls=True, auth_required=True,
    authenticator=check)
server.start()
print("listening", flush=True)
while True:
    time.sleep(3600)
