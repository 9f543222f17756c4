"""Two tabs of Chromium in the example ws_chat, driven by the browser's own tools.
Its arguments: the browser, a folder for its profile, and the chat's URL; a file for a picture, if one is wanted."""
import base64
import json
import pathlib
import subprocess
import sys
import time
import urllib.request

from websockets.sync.client import connect

browser, profile, url, *picture = sys.argv[1:]
checks = 0


def check(condition, what):
    global checks
    assert condition, what
    checks += 1


class Tab:
    def __init__(self, port):
        request = urllib.request.Request(f"http://127.0.0.1:{port}/json/new?{url}", method="PUT")
        target = json.load(urllib.request.urlopen(request, timeout=60))
        self.tools = connect(target["webSocketDebuggerUrl"], max_size=None)
        self.number = 0
        end = time.monotonic() + 60
        while self.evaluate("location.href + document.readyState") != f"{url}complete":
            assert time.monotonic() < end, "the page does not load"

    def call(self, method, **params):
        self.number += 1
        self.tools.send(json.dumps({"id": self.number, "method": method, "params": params}))
        while (answer := json.loads(self.tools.recv(60))).get("id") != self.number:
            pass
        assert "error" not in answer, answer
        return answer["result"]

    def evaluate(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def say(self, text):
        self.evaluate(f"text.value = {json.dumps(text)}, document.getElementById('form').requestSubmit()")

    def wait_for(self, line):
        """Waits until a line is there, in the page itself."""
        script = f"""new Promise(found => {{
            const look = () => [...document.querySelectorAll('#lines li')].some(
                item => item.textContent === {json.dumps(line)}) && (observer.disconnect(), found(true));
            const observer = new MutationObserver(look);
            observer.observe(document.documentElement, {{ childList: true, subtree: true }});
            look();
        }})"""
        check(self.evaluate(script), line)


process = subprocess.Popen(
    [browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
     "--disable-background-networking", "--no-first-run", "--no-proxy-server", "--window-size=800,600",
     "--remote-debugging-port=0", f"--user-data-dir={profile}", "about:blank"],
    stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
)
try:
    ready = pathlib.Path(profile, "DevToolsActivePort")
    end = time.monotonic() + 60
    while not (ready.exists() and ready.read_text().strip()):
        assert time.monotonic() < end and process.poll() is None, "the browser does not start"
    port = ready.read_text().split()[0]
    ada, bob = Tab(port), Tab(port)
    ada.wait_for("* your name?")
    ada.say("Ada")
    ada.wait_for("* Ada has come")
    bob.wait_for("* your name?")
    bob.say("Ada")
    bob.wait_for("* that name will not do, another?")
    bob.say("Bob")
    bob.wait_for("* here are: Ada, Bob")
    ada.wait_for("* Bob has come")
    ada.say("hello, <b>Bob</b> \U0001f44b")
    bob.wait_for("Ada: hello, <b>Bob</b> \U0001f44b")
    bob.say("hello, Ada")
    ada.wait_for("Bob: hello, Ada")
    check(ada.evaluate("document.getElementById('state').textContent") == "here", "the state is shown")
    # What the browser itself says of large messages, of bytes and of codes.
    verdict = ada.evaluate("""(async () => {
        const socket = new WebSocket(location.href.replace(/^http/, 'ws') + 'ws');
        const closed = new Promise(done => socket.onclose = done);
        await new Promise(done => socket.onmessage = done);
        socket.send(new Uint8Array(10));
        const { code, reason, wasClean } = await closed;
        const large = new WebSocket(location.href.replace(/^http/, 'ws') + 'ws');
        const ended = new Promise(done => large.onclose = done);
        await new Promise(done => large.onmessage = done);
        large.send('x'.repeat(5000));
        return [code, reason, wasClean, (await ended).code];
    })()""")
    check(verdict == [1003, "text only", True, 1009], f"{verdict}")
    if picture:
        shot = ada.call("Page.captureScreenshot", format="png")
        pathlib.Path(picture[0]).write_bytes(base64.b64decode(shot["data"]))
    bob.evaluate("socket.onclose = null, socket.close(1000, 'bye')")
    ada.wait_for("* Bob has gone")
finally:
    process.terminate()
    process.wait(60)

print(checks, "checks")
