"""Python's own client over the routes: one connection wherever that may be kept."""

import http.client
import json
import sys
import zlib

PORT = int(sys.argv[1])
checks = 0


def check(condition, *what):
    global checks
    assert condition, what
    checks += 1


def connect():
    return http.client.HTTPConnection("127.0.0.1", PORT, timeout=60)


def ask(connection, *arguments, **options):
    connection.request(*arguments, **options)
    response = connection.getresponse()
    return response, response.read()


def one_connection():
    connection = connect()
    connection.connect()
    socket = connection.sock
    for target, status, body in (
        ("/hello", 200, b"hello\n"),
        ("/query?name=W%C3%B6rld", 200, "W\u00f6rld".encode()),
        ("/defer", 200, b"deferred\n"),
        ("/slow?seconds=0.01", 200, b"after 0.01 seconds\n"),
        ("/chunked", 200, b"line 1\nline 2\nline 3\nline 4\nline 5\n"),
        ("/stream?lines=3", 200, b"line 1\nline 2\nline 3\n"),
        ("/nowhere", 404, b"not found\n"),
        ("/below/", 403, None),
        ("/", 200, None),
        ("/stats", 200, None),
    ):
        for method in ("GET", "HEAD"):
            response, found = ask(connection, method, target)
            check(response.status == status and response.version == 11, target, response.status)
            check(not response.will_close and connection.sock is socket, target)
            if method == "HEAD":
                check(found == b"", target)
            elif body is not None:
                check(found == body, target, found)
    response, found = ask(connection, "GET", "/file.bin")
    check(len(found) == 200_000 and response.getheader("Content-Length") == "200000")
    response, found = ask(connection, "GET", "/file.bin", headers={"If-None-Match": response.getheader("ETag")})
    check(response.status == 304 and found == b"" and connection.sock is socket)


def uploads():
    connection = connect()
    body = bytes(range(256)) * 20_000
    sum = f"{zlib.crc32(body):08x}"
    pieces = lambda: (body[at:at + 77_777] for at in range(0, len(body), 77_777))
    for options in ({"body": body}, {"body": pieces()}, {"body": pieces(), "encode_chunked": True}):
        response, found = ask(connection, "POST", "/upload", **options)
        check(json.loads(found) == {"bytes": len(body), "crc32": sum}, found)
    response, found = ask(connection, "POST", "/echo", body=body[:1_000_000])
    check(found == body[:1_000_000])


def version_1_0():
    class OldConnection(http.client.HTTPConnection):
        _http_vsn = 10
        _http_vsn_str = "HTTP/1.0"

    for target, length in (("/hello", 6), ("/chunked", 35), ("/file.bin", 200_000), ("/stream?lines=9", 63)):
        connection = OldConnection("127.0.0.1", PORT, timeout=60)
        response, found = ask(connection, "GET", target)
        check(len(found) == length and response.will_close, target, len(found))
        check(response.getheader("Transfer-Encoding") is None, target)


for part in (one_connection, uploads, version_1_0):
    part()
print(f"{checks} checks")
