#!/usr/bin/env python3
"""The province's portal of the demo: the application behind nginx, on 127.0.0.1:8081.

It has a log-in, a search and an upload that stores nothing: an uploaded page "runs" as a stub with fixed answers, so that
the recording shows what a break-in looks like without anything being broken.
"""
import http.server
import urllib.parse

PAGE = """<!doctype html><html lang="vi"><head><meta charset="utf-8"><title>Cổng dịch vụ công tỉnh</title></head>
<body><h1>{title}</h1>{body}</body></html>"""
LIST = "<ul>" + "".join(f"<li>Thủ tục hành chính số {n:03d}</li>" for n in range(60)) + "</ul>"
STUB = {"id": "uid=33(www-data) gid=33(www-data) groups=33(www-data)\n", "uname -a": "Linux cong 6.1.0 x86_64\n",
        "ls -la /var/www": "total 8\ndrwxr-xr-x 2 www-data www-data 4096 tai-lieu\n"}


class Portal(http.server.BaseHTTPRequestHandler):
    """One request of the portal."""

    protocol_version = "HTTP/1.1"

    def reply(self, status, body, kind="text/html; charset=utf-8", **headers):
        """Sends an answer of known length."""
        data = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def page(self, status, title, body="", **headers):
        """Sends a page of the portal."""
        self.reply(status, PAGE.format(title=title, body=body), **headers)

    def do_GET(self):
        """Pages, and the stub of the uploaded one."""
        url = urllib.parse.urlsplit(self.path)
        query = urllib.parse.parse_qs(url.query)
        if url.path in ("/", "/thu-tuc", "/tin-tuc", "/gioi-thieu", "/lien-he"):
            self.page(200, "Cổng dịch vụ công", LIST)
        elif url.path == "/tra-cuu":
            broken = "'" in url.query or "%27" in url.query
            self.page(500 if broken else 200, "Tra cứu hồ sơ", LIST)
        elif url.path == "/dang-nhap":
            self.page(200, "Đăng nhập", "<form method=post><input name=ten><input name=mat_khau type=password></form>")
        elif url.path == "/quan-tri":
            self.page(200 if "phien=" in self.headers.get("Cookie", "") else 403, "Quản trị")
        elif url.path == "/upload/anh.php":
            self.reply(200, STUB.get(query.get("cmd", [""])[0], ""), "text/plain")
        else:
            self.page(404, "Không tìm thấy")

    do_HEAD = do_GET

    def do_POST(self):
        """Log-in and upload."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/dang-nhap":
            if b"mat_khau=Mua-Xuan-2026" in body:
                self.page(302, "Xin chào", Location="/quan-tri", Set_Cookie="phien=ab12cd34; HttpOnly")
            else:
                self.page(401, "Sai tên hoặc mật khẩu")
        elif self.path == "/upload":
            self.page(201, "Đã nhận tệp", Location="/upload/anh.php")
        else:
            self.page(404, "Không tìm thấy")

    def log_message(self, *_):
        """Quiet: the recording is the log."""


if __name__ == "__main__":
    http.server.ThreadingHTTPServer(("127.0.0.1", 8081), Portal).serve_forever()
