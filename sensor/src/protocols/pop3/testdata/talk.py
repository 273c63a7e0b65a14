"""The client of the recorded sessions."""

import base64
import poplib
import ssl

HOST = "198.51.100.7"

client = poplib.POP3(HOST)
client.capa()
client.user("an")
client.pass_("bi mat")
client.stat()
client.list()
client.uidl()
client.top(1, 0)
client.retr(1)
try:
    client.retr(9)
except poplib.error_proto as error:
    print("refused:", error)
client.quit()

client = poplib.POP3(HOST)
client._shortcmd("AUTH PLAIN " + base64.b64encode(b"\0an\0bi mat").decode())
client.quit()

client = poplib.POP3(HOST)
unchecked = ssl.create_default_context()
unchecked.check_hostname, unchecked.verify_mode = False, ssl.CERT_NONE
client.stls(context=unchecked)
client.quit()
