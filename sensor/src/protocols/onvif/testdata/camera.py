"""A camera that tells what it is and where its pictures are, to whom it knows; and somebody who asks.

camera.py serve | ask
"""

import http.client
import http.server
import sys

SOAP = "http://www.w3.org/2003/05/soap-envelope"
DEVICE = "http://www.onvif.org/ver10/device/wsdl"
MEDIA = "http://www.onvif.org/ver10/media/wsdl"
TOKEN = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0"

ANSWERS = {
    "GetDeviceInformation": f"""<tds:GetDeviceInformationResponse xmlns:tds="{DEVICE}">
<tds:Manufacturer>Example</tds:Manufacturer><tds:Model>C-100</tds:Model><tds:FirmwareVersion>2.1.0</tds:FirmwareVersion>
<tds:SerialNumber>0001</tds:SerialNumber><tds:HardwareId>1</tds:HardwareId></tds:GetDeviceInformationResponse>""",
    "GetStreamUri": f"""<trt:GetStreamUriResponse xmlns:trt="{MEDIA}"><trt:MediaUri>
<tt:Uri xmlns:tt="http://www.onvif.org/ver10/schema">rtsp://198.51.100.7/cong-chinh</tt:Uri>
</trt:MediaUri></trt:GetStreamUriResponse>""",
    "CreateUsers": f"""<tds:CreateUsersResponse xmlns:tds="{DEVICE}"/>""",
}
REFUSAL = """<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>ter:NotAuthorized</s:Value></s:Subcode></s:Code>
<s:Reason><s:Text xml:lang="en">Sender not authorized</s:Text></s:Reason></s:Fault>"""


def envelope(body, header=""):
    return f'<?xml version="1.0"?><s:Envelope xmlns:s="{SOAP}"><s:Header>{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>'


class Camera(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        question = self.rfile.read(int(self.headers["Content-Length"])).decode()
        known = "UsernameToken" in question
        name = next(name for name in ANSWERS if name in question)
        answer = envelope(ANSWERS[name] if known else REFUSAL).encode()
        self.send_response(200 if known else 400)
        self.send_header("Content-Type", "application/soap+xml; charset=utf-8")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)


def ask():
    def header(kind, password):
        return f"""<w:Security xmlns:w="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd">
<w:UsernameToken><w:Username>giam-sat</w:Username><w:Password Type="{TOKEN}#{kind}">{password}</w:Password></w:UsernameToken></w:Security>"""

    user = """<tds:User><tt:Username>bao-tri</tt:Username><tt:Password>khong-giu</tt:Password>
<tt:UserLevel>Administrator</tt:UserLevel></tds:User>"""
    digest = header("PasswordDigest", "3mpqcnN0dXZ3eHl6MDEyMzQ1Njc=")
    for path, body, head in [
        ("device", f'<GetDeviceInformation xmlns="{DEVICE}"/>', ""),
        ("device", f'<GetDeviceInformation xmlns="{DEVICE}"/>', digest),
        ("media", f'<trt:GetStreamUri xmlns:trt="{MEDIA}"><trt:ProfileToken>main</trt:ProfileToken></trt:GetStreamUri>', digest),
        ("device", f'<tds:CreateUsers xmlns:tds="{DEVICE}" xmlns:tt="http://www.onvif.org/ver10/schema">{user}</tds:CreateUsers>',
         header("PasswordText", "cung-khong-giu")),
    ]:
        connection = http.client.HTTPConnection("198.51.100.7", 80)
        kind = {"Content-Type": "application/soap+xml; charset=utf-8"}
        connection.request("POST", f"/onvif/{path}_service", envelope(body, head), kind)
        connection.getresponse().read()
        connection.close()


if sys.argv[1] == "serve":
    http.server.HTTPServer(("198.51.100.7", 80), Camera).serve_forever()
else:
    ask()
