"""Python's websockets as a client of the example's /ws. Its arguments: the port; over TLS, the authority's certificate."""
import random
import ssl
import sys
from functools import partial

from websockets.exceptions import ConnectionClosedError, ConnectionClosedOK, InvalidStatus
from websockets.sync.client import connect

url = f"ws://127.0.0.1:{sys.argv[1]}"
if len(sys.argv) > 2:
    url = f"wss://localhost:{sys.argv[1]}"
    connect = partial(connect, ssl=ssl.create_default_context(cafile=sys.argv[2]))
checks = 0


def check(condition, what):
    global checks
    assert condition, what
    checks += 1


with connect(f"{url}/ws", max_size=None, compression=None) as peer:
    for size in (0, 1, 125, 126, 127, 65535, 65536, 1_000_000):
        text = "".join(random.choices("aé€😀", k=size))
        peer.send(text)
        check(peer.recv() == text, f"a text of {size} characters")
        data = random.randbytes(size)
        peer.send(data)
        check(peer.recv() == data, f"{size} bytes")
    peer.send(["one ", "two ", "", "three"])
    check(peer.recv() == "one two three", "fragments")
    peer.send(iter([b"\0" * 70_000, b"\1", b""]))
    check(peer.recv() == b"\0" * 70_000 + b"\1", "fragments of bytes")
    check(peer.ping("payload").wait(30), "a pong")
    for number in range(200):
        peer.send(str(number))
    check([peer.recv() for _ in range(200)] == [str(n) for n in range(200)], "many in a row")
    peer.close(4321, "enough")
    check(peer.close_code == 4321, "the code comes back")

# Compression is offered and not agreed on.
with connect(f"{url}/ws") as peer:
    check(not peer.protocol.extensions, "no extension")
    peer.send("plain")
    check(peer.recv() == "plain", "without compression")

if not url.startswith("wss"):
    # Past the library, whose own thread reads: over TLS the two would be in each other's way.
    with connect(f"{url}/ws", compression=None) as peer:
        peer.socket.sendall(b"\x81\x05Hello")
        try:
            peer.recv()
            raise AssertionError("it is not masked")
        except ConnectionClosedError as error:
            check(error.rcvd.code == 1002, "1002 for what is not masked")

try:
    connect(f"{url}/ws", origin="http://evil.example", compression=None)
    raise AssertionError("another origin")
except InvalidStatus as error:
    check(error.response.status_code == 403, "403 for another origin")

try:
    connect(f"{url}/hello", compression=None)
    raise AssertionError("no WebSocket is there")
except InvalidStatus as error:
    check(error.response.status_code == 200, "a page is no WebSocket")

print(checks, "checks")
