"""The same requests to the server with --inspect and to Python's http.server: both have to understand the same."""

import base64
import json
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT = int(sys.argv[1])


class Inspect(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __getattr__(self, name):
        # Any method.
        if name.startswith("do_"):
            return self.answer
        raise AttributeError(name)

    def body(self):
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return body

    def answer(self):
        encode = lambda data: base64.b64encode(data).decode()
        text = lambda string: encode(string.encode("iso-8859-1"))
        # The white space behind a value is no part of it (RFC 9112 section 5); Python leaves it there.
        headers = [[text(name), text(value.rstrip(" \t"))] for name, value in self.headers.items()]
        answer = json.dumps({
            "method": text(self.command),
            # Not self.path, which is no longer what was sent.
            "uri": text(self.requestline.split()[1]),
            "version": text(self.request_version),
            "headers": headers,
            "body": encode(self.body()),
        }).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *arguments):
        pass


def request(line, headers="", body=b"", host="Host: example.org\r\n"):
    return f"{line}\r\n{host}{headers}\r\n".encode("iso-8859-1") + body


REQUESTS = [
    request("GET / HTTP/1.1"),
    request("GET / HTTP/1.0"),
    request("GET / HTTP/1.0", host=""),
    request("GET /a%20b/%zz?c=d&e=%41 HTTP/1.1"),
    request("GET //two//slashes/../.. HTTP/1.1"),
    request("GET http://example.org/absolute?x HTTP/1.1"),
    request("OPTIONS * HTTP/1.1"),
    request("DELETE /thing HTTP/1.1"),
    request("REPORT /own HTTP/1.1", "Content-Length: 0\r\n"),
    request("get /lower HTTP/1.1"),
    request("GET /" + "x" * 20_000 + " HTTP/1.1"),
    request("GET / HTTP/1.1", "x-lower: 1\r\nX-UPPER: 2\r\nX-Lower: 3\r\nx-lower: 4\r\n"),
    request("GET / HTTP/1.1", "X-Padded:   \t value \t \r\nX-Tight:value\r\nX-Empty:\r\nX-Blank:  \r\n"),
    request("GET / HTTP/1.1", "X-Inner: a  b\t c\r\nX-Colons: a:b::c\r\nX-Quotes: \"a\\\"b\", 'c'\r\n"),
    request("GET / HTTP/1.1", "X-Latin: W\u00f6rld \u00ff\u0080\r\n"),
    request("GET / HTTP/1.1", "!#$%&'*+-.^_`|~9: every mark of a token\r\n"),
    request("GET / HTTP/1.1", "".join(f"X-{number}: {'v' * number}\r\n" for number in range(90))),
    request("GET / HTTP/1.1", "Cookie: a=1; b=2\r\nCookie: c=3\r\nAccept: a/b, c/d\r\nAccept: */*\r\n"),
    request("POST / HTTP/1.1", "Content-Length: 10\r\n", b"0123456789"),
    request("POST / HTTP/1.1", "Content-Length: 256\r\n", bytes(range(256))),
    request("POST / HTTP/1.0", "Content-Length: 4\r\n", b"\r\n\r\n"),
    request("PUT / HTTP/1.1", "Content-Length: 100000\r\n", b"\0\xff\r\n" * 25_000),
    request("GET / HTTP/1.1", "Content-Length: 3\r\n", b"get"),
    request("POST / HTTP/1.1", "Transfer-Encoding: chunked\r\n", b"5\r\nhello\r\nA;x=y\r\n, chunks!\n\r\n0\r\n\r\n"),
    request("POST / HTTP/1.1", "transfer-encoding: Chunked\r\n", b"0\r\nTrailer: x\r\n\r\n"),
]


def understood(port, data):
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(data)
        with connection.makefile("rb") as answer:
            status = answer.readline()
            assert status.startswith((b"HTTP/1.1 200 ", b"HTTP/1.0 200 ")), (port, data[:200], status)
            length = None
            while line := answer.readline().strip():
                name, value = line.split(b":", 1)
                if name.lower() == b"content-length":
                    length = int(value)
            return json.loads(answer.read(length))


def decoded(answer):
    decode = lambda text: base64.b64decode(text, validate=True)
    return {
        key: [tuple(map(decode, pair)) for pair in value] if key == "headers" else decode(value)
        for key, value in answer.items()
    }


python = ThreadingHTTPServer(("127.0.0.1", 0), Inspect)
python.daemon_threads = True
threading.Thread(target=python.serve_forever, daemon=True).start()
for data in REQUESTS:
    ours, theirs = decoded(understood(PORT, data)), decoded(understood(python.server_address[1], data))
    for key in ("method", "uri", "version", "headers", "body"):
        assert ours[key] == theirs[key], (key, data[:200], ours[key], theirs[key])
    assert ours.keys() == theirs.keys()
print(f"{len(REQUESTS)} checks")
