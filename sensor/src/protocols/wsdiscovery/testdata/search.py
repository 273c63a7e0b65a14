#!/usr/bin/env python3
"""Both sides of a search for cameras by WS-Discovery, as ONVIF describes it. Run by record.sh."""

import re
import socket
import sys
import uuid

CAMERA = ("198.51.100.10", 3702)
WORDS = "http://schemas.xmlsoap.org/ws/2005/04/discovery"


def envelope(action, body, answers=None):
    relates = f"<a:RelatesTo>{answers}</a:RelatesTo>" if answers else ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
        f'xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:d="{WORDS}" '
        'xmlns:dn="http://www.onvif.org/ver10/network/wsdl"><s:Header>'
        f"<a:Action>{WORDS}/{action}</a:Action><a:MessageID>urn:uuid:{uuid.uuid4()}</a:MessageID>{relates}</s:Header>"
        f"<s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


ENDPOINT = "<a:EndpointReference><a:Address>urn:uuid:00000000-0000-4000-8000-00005e005307</a:Address></a:EndpointReference>"
DEVICE = (
    f"{ENDPOINT}<d:Types>dn:NetworkVideoTransmitter</d:Types><d:Scopes>onvif://www.onvif.org/type/video_encoder "
    "onvif://www.onvif.org/name/Camera%20c%E1%BB%95ng%20ch%C3%ADnh onvif://www.onvif.org/hardware/T100 "
    "onvif://www.onvif.org/location/UBND</d:Scopes><d:XAddrs>http://198.51.100.10/onvif/device_service</d:XAddrs>"
    "<d:MetadataVersion>1</d:MetadataVersion>"
)

s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
if sys.argv[1] == "camera":
    s.bind(CAMERA)
    question, peer = s.recvfrom(65535)
    number = re.search(rb"MessageID>([^<]*)", question).group(1).decode()
    match = f"<d:ProbeMatches><d:ProbeMatch>{DEVICE}</d:ProbeMatch></d:ProbeMatches>"
    s.sendto(envelope("ProbeMatches", match, number), peer)
    s.sendto(envelope("Bye", f"<d:Bye>{ENDPOINT}</d:Bye>"), peer)
else:
    s.settimeout(3)
    s.sendto(envelope("Probe", "<d:Probe><d:Types>dn:NetworkVideoTransmitter</d:Types></d:Probe>"), CAMERA)
    s.recv(65535)
    s.recv(65535)
