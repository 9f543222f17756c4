"""Everything the server sends, read by h11, which refuses what RFC 9112 does not allow."""

import socket
import sys

import h11

PORT = int(sys.argv[1])
ROUTES = [
    "/", "/hello", "/echo", "/query?name=W%C3%B6rld", "/query", "/headers", "/defer", "/slow?seconds=0.01", "/chunked",
    "/stream?lines=0", "/stream?lines=5000", "/upload", "/form", "/nowhere", "/file.bin", "/below", "/below/",
    "/%00", "/.hidden",
]
STATUS = {"/query": 400, "/nowhere": 404, "/.hidden": 404, "/below": 301, "/below/": 403, "/%00": 400}
checks = 0


def check(condition, *what):
    global checks
    assert condition, what
    checks += 1


class Client:
    """A connection, whose bytes behind one response begin the next."""

    def __init__(self, piece=65536):
        self.socket = socket.create_connection(("127.0.0.1", PORT), timeout=60)
        self.rest = b""
        self.piece = piece

    def send(self, data):
        self.socket.sendall(data)

    def ask(self, method, target, headers=(), body=None, send=True):
        """One exchange: status, headers as a list, body, and the statuses before it."""
        h11_side = h11.Connection(h11.CLIENT, max_incomplete_event_size=1 << 20)
        headers = [("Host", f"127.0.0.1:{PORT}"), *headers]
        bytes_out = h11_side.send(h11.Request(method=method, target=target, headers=headers))
        if body is not None:
            bytes_out += h11_side.send(h11.Data(data=body))
        bytes_out += h11_side.send(h11.EndOfMessage())
        if send:
            self.send(bytes_out)
        before, response, received = [], None, b""
        if self.rest:
            h11_side.receive_data(self.rest)
        while True:
            event = h11_side.next_event()
            if event is h11.NEED_DATA:
                h11_side.receive_data(self.socket.recv(self.piece))
            elif isinstance(event, h11.InformationalResponse):
                before.append(event.status_code)
            elif isinstance(event, h11.Response):
                response = event
            elif isinstance(event, h11.Data):
                received += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                check(not event.headers, "no trailers")
                break
            else:
                raise AssertionError((method, target, event))
        self.rest = h11_side.trailing_data[0]
        self.closes = h11_side.their_state is h11.MUST_CLOSE
        return response.status_code, response.headers.raw_items(), received, before

    def is_closed(self):
        return not self.rest and self.socket.recv(1) == b""


def lengths(headers):
    return [value for name, value in headers if name.lower() == b"content-length"]


def dateless(headers):
    return [(name, value) for name, value in headers if name != b"Date"]


def every_route():
    for piece in (65536, 1):
        client = Client(piece)
        for route in ROUTES:
            if piece == 1 and route == "/file.bin":
                continue
            status, headers, body, before = client.ask("GET", route)
            check(status == STATUS.get(route, 200), route, status)
            check(not before and not client.closes, route)
            check([name for name, _ in headers].count(b"Date") == 1, route, headers)
            if lengths(headers):
                check(lengths(headers) == [b"%d" % len(body)], route, headers)
            status_of_head, headers_of_head, body_of_head, _ = client.ask("HEAD", route)
            check((status_of_head, body_of_head) == (status, b""), route)
            check(dateless(headers_of_head) == dateless(headers), route, headers_of_head, headers)


def conditions_and_ranges():
    client = Client()
    _, headers, whole, _ = client.ask("GET", "/file.bin")
    check(len(whole) == 200_000)
    headers = dict(headers)
    for name, value in (("If-None-Match", headers[b"ETag"]), ("If-Modified-Since", headers[b"Last-Modified"])):
        for method in ("GET", "HEAD"):
            status, _, body, _ = client.ask(method, "/file.bin", [(name, value)])
            check((status, body) == (304, b""), name)
    status, headers, body, _ = client.ask("GET", "/file.bin", [("Range", "bytes=5-99")])
    check((status, body) == (206, whole[5:100]))
    check(dict(headers)[b"Content-Range"] == b"bytes 5-99/200000")
    status, headers, _, _ = client.ask("GET", "/file.bin", [("Range", "bytes=200000-")])
    check((status, dict(headers)[b"Content-Range"]) == (416, b"bytes */200000"))


def bodies():
    client = Client()
    body = bytes(range(256)) * 4000
    for framing in (("Content-Length", str(len(body))), ("Transfer-Encoding", "chunked")):
        status, headers, answer, before = client.ask("POST", "/echo", [framing, ("Content-Type", "a/b")], body)
        check((status, answer, before) == (200, body, []), framing)
        check(dict(headers)[b"Content-Type"] == b"a/b")
        for target in ("/echo", "/upload"):
            # h11 sends the body at once; the server asks for it nevertheless, or sees that it is there.
            status, _, _, before = client.ask("PUT", target, [framing, ("Expect", "100-continue")], body)
            check(status == 200 and before in ([], [100]), target, before)


def pipelined():
    client = Client()
    asked = [("GET", route) for route in ROUTES] + [("HEAD", "/chunked"), ("GET", "/defer"), ("GET", "/hello")]
    client.send(b"".join(f"{method} {route} HTTP/1.1\r\nHost: x\r\n\r\n".encode() for method, route in asked))
    for method, route in asked:
        status, _, body, _ = client.ask(method, route, send=False)
        check(status == STATUS.get(route, 200), route, status)
        check(method == "GET" or not body)
    check(body == b"hello\n" and not client.rest)


def the_end_of_connections():
    client = Client()
    for target in ("/hello", "/chunked"):
        client = Client()
        status, headers, _, _ = client.ask("GET", target, [("Connection", "close")])
        check(status == 200 and client.closes and dict(headers)[b"Connection"] == b"close", target)
        check(client.is_closed(), target)
    # h11 speaks 1.1 alone; the answers to bad requests are read as those to a good one.
    for request, expected in (
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/3.0\r\nHost: x\r\n\r\n", 505),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501),
        (b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n", 414),
        (b"POST /upload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", 400),
    ):
        client = Client()
        client.send(request)
        status, _, _, _ = client.ask("GET", "/", send=False)
        check(status == expected and client.closes and client.is_closed(), request[:40], status)


def events():
    client = Client()
    side = h11.Connection(h11.CLIENT)
    client.send(side.send(h11.Request(method="GET", target="/sse", headers=[("Host", "x")])))
    side.send(h11.EndOfMessage())
    text = b""
    while b"\n\n" not in text:
        event = side.next_event()
        if event is h11.NEED_DATA:
            side.receive_data(client.socket.recv(65536))
        elif isinstance(event, h11.Response):
            check(dict(event.headers.raw_items())[b"Content-Type"] == b"text/event-stream")
        else:
            text += bytes(event.data)
    check(text.startswith(b"event: tick\nid: "), text)


for part in (every_route, conditions_and_ranges, bodies, pipelined, the_end_of_connections, events):
    part()
print(f"{checks} checks")
