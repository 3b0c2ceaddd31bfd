"""A page in a real browser (chromium), by the DevTools protocol over two pipes; tests without one are skipped."""

import base64
import contextlib
import json
import os
import select
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

LIMIT = 120  # seconds that a page may take for anything
# What is wrong with a page as it is shown: wider than its window, or with pictures that do not load.
FAULTS = """(async () => {
  const images = [...document.images];
  images.forEach(image => { image.loading = "eager"; });
  await Promise.all(images.map(image => image.decode().catch(() => null)));
  const page = document.documentElement;
  const wide = page.scrollWidth > page.clientWidth ? [`${page.scrollWidth} px wide in ${page.clientWidth}`] : [];
  return wide.concat(images.filter(image => !image.naturalWidth).map(image => `broken: ${image.src}`));
})()"""


class Page:
    """A page that a browser shows."""

    def __init__(self, reads: int, writes: int):
        self.reads, self.writes = os.fdopen(reads, "rb"), os.fdopen(writes, "wb")
        self.number, self.session, self.left = 0, None, b""

    def send(self, method: str, **params: Any) -> dict[str, Any]:
        """The answer to a command of the protocol: https://chromedevtools.github.io/devtools-protocol/."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        self.writes.write(json.dumps(message | ({"sessionId": self.session} if self.session else {})).encode() + b"\0")
        self.writes.flush()
        while (answer := self._receive()).get("id") != self.number:
            pass
        assert "error" not in answer, answer
        return answer["result"]

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self.left:
            assert select.select([self.reads], [], [], LIMIT)[0], f"the page has said nothing for {LIMIT} s"
            more = os.read(self.reads.fileno(), 1 << 20)
            assert more, "the browser has ended"
            self.left += more
        message, _, self.left = self.left.partition(b"\0")
        return json.loads(message)

    def run(self, script: str) -> Any:
        """The value of a script's last expression, awaited if it is a promise."""
        done = self.send("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    def show(self, path: Path, width: int = 1280, height: int = 900) -> None:
        """Load a file in a window of this size, in pixels of the page."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.send("Emulation.setDeviceMetricsOverride", **size)
        self.send("Page.navigate", url=path.resolve().as_uri())
        loaded = "new Promise(done => document.readyState === 'complete' ? done() : addEventListener('load', done))"
        end = time.monotonic() + LIMIT
        while (here := self.run("location.href")) != path.resolve().as_uri():
            assert time.monotonic() < end, here
        self.run(loaded)

    def faults(self) -> list[str]:
        """What is wrong with the page that is shown: FAULTS."""
        return self.run(FAULTS)

    def picture(self, path: Path) -> None:
        """Write a PNG of the whole page."""
        shot = self.send("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))


@contextlib.contextmanager
def browser(folder: Path):
    """Yield a Page; the browser keeps what it writes, and what pages download, in this folder."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no chromium here")
    options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-pipe"]
    (to_child, from_us), (to_us, from_child) = os.pipe(), os.pipe()

    def pipes() -> None:  # the browser reads from file 3 and writes to file 4
        os.dup2(to_child, 103)
        os.dup2(from_child, 104)
        os.dup2(103, 3)
        os.dup2(104, 4)

    command = [program, *options, f"--user-data-dir={folder / 'browser'}", "about:blank"]
    process = subprocess.Popen(command, preexec_fn=pipes, close_fds=False, stderr=subprocess.DEVNULL)
    os.close(to_child)
    os.close(from_child)
    page = Page(to_us, from_us)
    try:
        (tab,) = [one for one in page.send("Target.getTargets")["targetInfos"] if one["type"] == "page"]
        attached = page.send("Target.attachToTarget", targetId=tab["targetId"], flatten=True)
        page.session = attached["sessionId"]
        page.send("Page.enable")
        page.send("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder.resolve()))
        yield page
    finally:
        process.kill()
        process.wait()
        page.reads.close()
        page.writes.close()
