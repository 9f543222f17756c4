"""Python's websockets as a suite for the example ws_client, which is run as: ws_client --suite URL AGENT.
Its argument: the program."""
import random
import subprocess
import sys
import threading
from urllib.parse import parse_qs, urlsplit

from websockets.exceptions import ConnectionClosedError
from websockets.sync.server import serve

checks = 0
reported = []


def check(condition, what):
    global checks
    assert condition, what
    checks += 1


def texts(peer):
    for size in (0, 1, 125, 126, 65535, 65536, 500_000):
        text = "".join(random.choices("aé€😀", k=size))
        peer.send(text)
        check(peer.recv(30) == text, f"a text of {size} characters")


def data(peer):
    for size in (0, 1, 125, 126, 65535, 65536, 5_000_000):
        data = random.randbytes(size)
        peer.send(data)
        check(peer.recv(30) == data, f"{size} bytes")


def fragments(peer):
    peer.send(["a", "", "b", "c" * 70_000])
    check(peer.recv(30) == "ab" + "c" * 70_000, "fragments")


def pings(peer):
    for _ in range(10):
        check(peer.ping("p").wait(30), "a pong")


def closes(peer):
    peer.close(3456, "by the server")
    check(peer.close_code == 3456, "the code comes back")


def breaks_the_rules(peer):
    peer.socket.sendall(b"\x83\x00")
    for _ in peer:
        pass
    check(peer.close_code == 1002, "1002 for a reserved opcode")


def not_utf8(peer):
    peer.socket.sendall(b"\x81\x01\xff")
    for _ in peer:
        pass
    check(peer.close_code == 1007, "1007 for what is not UTF-8")


PARTS = [texts, data, fragments, pings, closes, breaks_the_rules, not_utf8]
failures = []


def handle(peer):
    try:
        url = urlsplit(peer.request.path)
        query = parse_qs(url.query)
        if url.path == "/getCaseCount":
            peer.send(str(len(PARTS)))
        elif url.path == "/runCase":
            check(query["agent"] == ["mongoose"], "the agent")
            try:
                PARTS[int(query["case"][0]) - 1](peer)
            except ConnectionClosedError:
                check(peer.close_code in (1002, 1007), "closed with a code")
        elif url.path == "/updateReports":
            reported.append(query["agent"])
    except BaseException as error:
        failures.append(repr(error))
        raise


with serve(handle, "127.0.0.1", 0, max_size=None, compression=None) as server:
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port = server.socket.getsockname()[1]
    said = subprocess.run(
        [sys.argv[1], "--suite", f"ws://127.0.0.1:{port}", "mongoose"],
        timeout=120, check=True, capture_output=True, text=True,
    ).stdout
    check(said == f"{len(PARTS)} cases\n", said)
    assert not failures, failures
    check(reported == [["mongoose"]], "the report is asked for")
    server.shutdown()

print(checks, "checks")
