"""wsproto both ways: a client of the example's /ws, and a server for the example ws_client.
Its arguments: the port, and the program."""
import random
import socket
import subprocess
import sys

from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection, BytesMessage, CloseConnection, Ping, Pong, Request, TextMessage,
)

checks = 0


def check(condition, what):
    global checks
    assert condition, what
    checks += 1


class Peer:
    def __init__(self, stream, kind):
        stream.settimeout(60)
        self.stream, self.connection = stream, WSConnection(kind)

    def send(self, event):
        self.stream.sendall(self.connection.send(event))

    def events(self):
        while True:
            yield from self.connection.events()
            data = self.stream.recv(65536)
            self.connection.receive_data(data or None)

    def message(self):
        """The next message, put together; what else comes is answered by nobody."""
        parts = []
        for event in self.events():
            if isinstance(event, (TextMessage, BytesMessage)):
                parts.append(event.data)
                if event.message_finished:
                    return (b"" if isinstance(event, BytesMessage) else "").join(parts)
            else:
                return event

    def expect_echoes(self):
        for size in (0, 1, 125, 126, 127, 65535, 65536, 300_000):
            text = "".join(random.choices("aé€😀", k=size))
            self.send(TextMessage(data=text))
            check(self.message() == text, f"a text of {size} characters")
            data = random.randbytes(size)
            self.send(BytesMessage(data=data))
            check(self.message() == data, f"{size} bytes")
        self.send(TextMessage(data="one ", message_finished=False))
        self.send(Ping(payload=b"between"))
        self.send(TextMessage(data="two", message_finished=True))
        check(self.message() == Pong(payload=b"between"), "a pong between fragments")
        check(self.message() == "one two", "fragments")

    def expect_close(self):
        self.send(CloseConnection(code=1001, reason="bye"))
        event = self.message()
        check(isinstance(event, CloseConnection) and event.code == 1001, f"{event}")


peer = Peer(socket.create_connection(("127.0.0.1", int(sys.argv[1]))), ConnectionType.CLIENT)
peer.send(Request(host="test", target="/ws"))
check(isinstance(peer.message(), AcceptConnection), "a handshake")
peer.expect_echoes()
peer.expect_close()
check(peer.stream.recv(1) == b"", "the server ends the connection")

with socket.create_server(("127.0.0.1", 0)) as listener:
    listener.settimeout(60)
    client = subprocess.Popen([sys.argv[2], f"ws://127.0.0.1:{listener.getsockname()[1]}/path?query"])
    peer = Peer(listener.accept()[0], ConnectionType.SERVER)
    request = peer.message()
    check(isinstance(request, Request) and request.target == "/path?query", f"{request}")
    peer.send(AcceptConnection())
    peer.expect_echoes()
    peer.expect_close()
    peer.stream.close()
    check(client.wait(60) == 0, "a close that is as it should be")

print(checks, "checks")
