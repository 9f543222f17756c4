"""cymongoose, as a peer of the bench: server.py PORT"""

import sys
from email.utils import formatdate
from time import time

from cymongoose import MG_EV_HTTP_MSG, Manager

LARGE = {"/10k": b"x" * (10 << 10), "/100k": b"x" * (100 << 10), "/1m": b"x" * (1 << 20)}
made, head = 0, {}


def headers():
    """The Date header, made anew each second as the other peers do."""
    global made, head
    now = int(time())
    if now != made:
        made = now
        head = {"Content-Type": "text/plain; charset=utf-8", "Date": formatdate(now, usegmt=True)}
    return head


def serve(connection, event, request):
    if event == MG_EV_HTTP_MSG:
        connection.reply(200, LARGE.get(request.uri, b"Hello, World!"), headers=headers())


manager = Manager(serve)
manager.listen(f"http://127.0.0.1:{sys.argv[1]}", http=True)
while True:
    manager.poll(1000)
