"""The client of the recorded sessions."""

import imaplib
import ssl

HOST = "198.51.100.7"

client = imaplib.IMAP4(HOST)
client.login("an", "bi mat")
client.list()
client.select("INBOX")
client.fetch("1", "(FLAGS BODY.PEEK[HEADER.FIELDS (FROM SUBJECT)])")
client.fetch("1", "(BODY[])")
client.append("INBOX", None, None, b"From: an@xa.example\r\nSubject: nhap\r\n\r\nthu nhap\r\n")
client.uid("SEARCH", "ALL")
client.select("khong-co")
client.logout()

client = imaplib.IMAP4(HOST)
client.authenticate("PLAIN", lambda _: b"\0an\0bi mat")
client.logout()

client = imaplib.IMAP4(HOST)
unchecked = ssl.create_default_context()
unchecked.check_hostname, unchecked.verify_mode = False, ssl.CERT_NONE
client.starttls(ssl_context=unchecked)
client.login("an", "bi mat")
client.logout()
