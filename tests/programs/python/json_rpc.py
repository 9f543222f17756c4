"""Python's JSON-RPC, client and server, over Python's WebSocket and HTTP: json_rpc.py PORT PROGRAM"""

import asyncio
import json
import subprocess
import sys
import urllib.error
import urllib.request

import jsonrpcclient
import jsonrpcserver
import websockets

PORT, PROGRAM = sys.argv[1:]
checks = 0


def check(condition, what):
    global checks
    assert condition, what
    checks += 1


def parse(text):
    return jsonrpcclient.parse(json.loads(text))


async def ask(socket, request):
    await socket.send(json.dumps(request) if not isinstance(request, str) else request)
    return await asyncio.wait_for(socket.recv(), 60)


async def over_websocket():
    url = f"ws://127.0.0.1:{PORT}/ws"
    async with websockets.connect(url) as one, websockets.connect(url) as other:
        answer = parse(await ask(one, jsonrpcclient.request("math.add", params=[40, 2])))
        check(answer == jsonrpcclient.Ok(42, answer.id), answer)
        anything = {"a": [1, None, "\u20ac\u0001\"\\/"], "\U0001f600": {"b": 1.5}}
        answer = parse(await ask(one, jsonrpcclient.request("echo", params=anything)))
        check(answer.result == anything, answer)
        answer = parse(await ask(one, jsonrpcclient.request_uuid("rpc.list")))
        check(set(answer.result) >= {"math.add", "echo", "tell"}, answer)

        for request, code in [
            (jsonrpcclient.request("nothing"), -32601),
            (jsonrpcclient.request("math.add", params=["a", 2]), -32602),
            (jsonrpcclient.request("math.add", params=[2**63 - 1, 1]), 1),
            ('{"jsonrpc": "2.0", "method"', -32700),
            ("[]", -32600),
            ({"jsonrpc": "1.0", "method": "echo", "id": 1}, -32600),
            ("[" * 100_000, -32700),
        ]:
            answer = parse(await ask(one, request))
            check(isinstance(answer, jsonrpcclient.Error) and answer.code == code, (request, answer))

        batch = [
            jsonrpcclient.request("math.add", params=[1, 2]),
            jsonrpcclient.notification("echo"),
            jsonrpcclient.request("nothing"),
            {"foo": "boo"},
            jsonrpcclient.request("math.add", params=[3, 4]),
        ]
        answers = list(parse(await ask(one, batch)))
        check([getattr(answer, "result", None) for answer in answers] == [3, None, None, 7], answers)
        check([answer.id for answer in answers] == [batch[0]["id"], batch[2]["id"], None, batch[4]["id"]], answers)

        # Notifications are not answered: what comes next is the answer to the call behind them.
        await one.send(json.dumps(jsonrpcclient.notification("math.add", params=[1, 1])))
        await one.send(json.dumps([jsonrpcclient.notification("nothing")]))
        answer = parse(await ask(one, jsonrpcclient.request("echo", params=["behind"])))
        check(answer.result == ["behind"], answer)

        # The server calls, too.
        answer = parse(await ask(one, jsonrpcclient.request("tell", params=["hello"])))
        check(answer.result == 1, answer)
        told = json.loads(await asyncio.wait_for(other.recv(), 60))
        check(told == {"jsonrpc": "2.0", "method": "told", "params": ["hello"]}, told)


def post(body, kind="application/json"):
    request = urllib.request.Request(
        f"http://127.0.0.1:{PORT}/", data=body.encode(), headers={"Content-Type": kind}
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        return response.status, response.read().decode()


def over_http():
    status, text = post(json.dumps(jsonrpcclient.request("math.add", params=[40, 2])))
    check(status == 200 and parse(text).result == 42, text)
    status, text = post(json.dumps(jsonrpcclient.notification("math.add", params=[40, 2])))
    check((status, text) == (204, ""), text)
    status, text = post("{")
    check(status == 200 and parse(text).code == -32700, text)
    for refused, code in [
        (lambda: post("{}", "text/plain"), 415),
        (lambda: urllib.request.urlopen(f"http://127.0.0.1:{PORT}/", timeout=60), 405),
    ]:
        try:
            refused()
            check(False, code)
        except urllib.error.HTTPError as error:
            check(error.code == code, error)


@jsonrpcserver.method(name="math.add")
def add(a, b):
    return jsonrpcserver.Success(a + b)


@jsonrpcserver.method
def fail():
    return jsonrpcserver.Error(7, "it fails", {"why": "so"})


async def the_client_calls():
    async def serve(socket):
        # Not for the client, who has to tell it from the answer.
        await socket.send(json.dumps(jsonrpcclient.notification("told", params=["early"])))
        async for text in socket:
            answer = jsonrpcserver.dispatch(text)
            if answer:
                await socket.send(answer)

    async with websockets.serve(serve, "127.0.0.1", 0) as server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        for arguments, code, expected in [
            (["math.add", "[40, 2]"], 0, "42"),
            (["math.add", '{"a": 1, "b": 2}'], 0, "3"),
            (["fail"], 1, "it fails (7)"),
            (["math.add", "[1]"], 1, "-32602"),
            (["nothing"], 1, "-32601"),
            (["math.add", "1"], 1, "parameters"),
        ]:
            client = await asyncio.create_subprocess_exec(
                PROGRAM, "--call", url, *arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
            out, err = await client.communicate()
            said = (out if code == 0 else err).decode().strip()
            check(client.returncode == code and expected in said, (arguments, out, err))


asyncio.run(over_websocket())
over_http()
asyncio.run(the_client_calls())
print(f"{checks} checks")
