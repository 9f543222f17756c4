"""Two tabs of Chromium on the example dashboard, driven by the browser's own tools.
Its arguments: the browser, a folder for its profile, and the dashboard's URL; a file for a picture, if one is wanted."""
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
        # What it says of scripts that fail, and of what its policy forbids.
        self.complaints = []
        self.call("Log.enable")
        self.call("Runtime.enable")
        end = time.monotonic() + 60
        while self.evaluate("location.href + document.readyState") != f"{url}complete":
            assert time.monotonic() < end, "the page does not load"

    def call(self, method, **params):
        self.number += 1
        self.tools.send(json.dumps({"id": self.number, "method": method, "params": params}))
        while (answer := json.loads(self.tools.recv(60))).get("id") != self.number:
            entry = answer.get("params", {}).get("entry", {})
            # That somebody is not logged in yet is no fault.
            if answer["method"] == "Runtime.exceptionThrown" or entry.get("source") in ("security", "javascript"):
                self.complaints.append(answer)
        assert "error" not in answer, answer
        return answer["result"]

    def evaluate(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def wait_for(self, condition):
        """Waits in the page until something is so: after each change of it."""
        script = f"""new Promise(found => {{
            const look = () => ({condition}) && (observer.disconnect(), found(true));
            const observer = new MutationObserver(look);
            observer.observe(document, {{ attributes: true, childList: true, characterData: true, subtree: true }});
            look();
        }})"""
        check(self.evaluate(script), condition)

    def log_in(self, password):
        self.wait_for("document.body.className === 'outside'")
        self.evaluate(f"""(() => {{
            const form = document.getElementById('login');
            form.elements.user.value = 'admin';
            form.elements.password.value = {json.dumps(password)};
            form.requestSubmit();
        }})()""")

    def picture(self, file, scheme):
        self.call("Emulation.setDeviceMetricsOverride", width=1060, height=705, deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setScrollbarsHidden", hidden=True)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.call("Page.bringToFront")
        self.evaluate("draw()")
        shot = base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])
        check(shot.startswith(b"\x89PNG") and len(shot) > 10_000, "a picture")
        if file:
            pathlib.Path(file).write_bytes(shot)


process = subprocess.Popen(
    [browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
     "--disable-background-networking", "--no-first-run", "--no-proxy-server", "--window-size=1100,760",
     "--remote-debugging-port=0", f"--user-data-dir={profile}", "about:blank"],
    stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
)
try:
    ready = pathlib.Path(profile, "DevToolsActivePort")
    end = time.monotonic() + 60
    while not (ready.exists() and ready.read_text().strip()):
        assert time.monotonic() < end and process.poll() is None, "the browser does not start"
    port = ready.read_text().split()[0]

    one = Tab(port)
    one.log_in("wrong")
    one.wait_for("document.querySelector('#login .problem').textContent === 'that is not right'")
    check(one.evaluate("document.querySelectorAll('.tile').length") == 0, "nothing is shown to who is outside")
    one.log_in("mongoose")
    one.wait_for("document.body.className === 'inside'")
    one.wait_for("document.getElementById('live').textContent === 'live'")
    one.wait_for("document.querySelectorAll('.tile').length === 3")
    check(one.evaluate("document.cookie") == "", "no script sees the session")

    # The chart is there, and it lives: what is drawn changes as values come.
    drawn = "document.getElementById('chart').toDataURL()"
    before = one.evaluate(drawn)
    count = one.evaluate("curves.get('temperature').points.length")
    check(count > 100, f"{count} points at once")
    latest = one.evaluate("curves.get('temperature').points.at(-1)[0]")
    one.wait_for(f"curves.get('temperature').points.at(-1)[0] > {latest}")
    check(one.evaluate(drawn) != before, "the chart has moved on")
    check(one.evaluate("curves.get('temperature').points.every(([time], at, all) => !at || time > all[at - 1][0])"),
          "each point comes once, in order")
    one.evaluate("document.querySelectorAll('.tile')[1].click()")
    check(one.evaluate("document.getElementById('charted').textContent") == "humidity", "another curve")
    one.evaluate("[...document.querySelectorAll('.tile')].find(tile => tile.title === 'temperature').click()")
    loaded = one.evaluate("performance.getEntriesByType('resource').map(entry => entry.name)")
    check(loaded and all(name.startswith(url) for name in loaded), f"from here alone: {loaded}")

    # A second tab has the same session. Settings of one show in the other.
    two = Tab(port)
    two.wait_for("document.getElementById('live').textContent === 'live'")
    set_name = """(() => {
        const form = document.getElementById('settings');
        form.elements.name.value = %s;
        form.requestSubmit();
    })()"""
    two.evaluate(set_name % json.dumps("Greenhouse <b>1</b>"))
    one.wait_for("document.getElementById('name').textContent === 'Greenhouse <b>1</b>'")
    check(one.evaluate("document.getElementById('settings').elements.name.value") == "Greenhouse <b>1</b>", "filled in")
    two.evaluate(set_name % json.dumps("Greenhouse 1"))
    one.wait_for("document.getElementById('name').textContent === 'Greenhouse 1'")
    two.evaluate("document.getElementById('settings').elements.limit.value = 10, document.getElementById('settings').requestSubmit()")
    one.wait_for("!document.getElementById('alarm').hidden")
    two.evaluate("document.getElementById('settings').elements.limit.value = 27, document.getElementById('settings').requestSubmit()")
    one.wait_for("settings.limit === 27")
    one.picture(None, "light")
    one.picture(picture[0] if picture else None, "dark")

    # Who logs out is out in every tab.
    two.evaluate("document.getElementById('logout').click()")
    two.wait_for("document.body.className === 'outside'")
    one.wait_for("document.body.className === 'outside'")
    check(one.evaluate("document.querySelectorAll('.tile').length") == 0, "nothing is left")
    check(not one.complaints and not two.complaints, f"{one.complaints}{two.complaints}")
finally:
    process.terminate()
    process.wait(60)

print(checks, "checks")
