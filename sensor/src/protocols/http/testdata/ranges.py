"""A server that knows ranges; the first time it cuts off what has no range and is called cat.bin."""

import http.server

CONTENT = bytes(i * 7 % 251 for i in range(3000))


class Handler(http.server.BaseHTTPRequestHandler):
    cut = True

    def do_GET(self):
        start, end = 0, len(CONTENT)
        wanted = self.headers.get("Range", "")
        if wanted:
            first, last = wanted.removeprefix("bytes=").split("-")
            start, end = int(first), int(last) + 1 if last else end
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(end - start))
        if wanted:
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(CONTENT)}")
        self.end_headers()
        if self.path.endswith("cat.bin") and Handler.cut:
            Handler.cut, end = False, 1200
        self.wfile.write(CONTENT[start:end])


http.server.HTTPServer(("198.51.100.7", 80), Handler).serve_forever()
