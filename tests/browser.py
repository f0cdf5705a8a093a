"""Drive a headless Chromium over its DevTools protocol: open pages, press keys, move the pointer, take pictures."""

from __future__ import annotations

import base64
import json
import os
import select
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

_FLAGS = (
    "--headless", "--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
    "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND", "--hide-scrollbars", "--remote-debugging-pipe",
)  # fmt: skip
_PATIENCE_S = 120.0


class Browser:
    """A Chromium that shows one page at a time, with a software GPU and without a network.

    Messages go through two pipes, as `--remote-debugging-pipe` has it: JSON, each ended by a zero byte. requests: the
    addresses that the page asked for, but those of its own data. errors: what it wrote to the console as errors, and
    exceptions that nobody caught.
    """

    def __init__(self, chromium: str, profile: Path, size: tuple[int, int] = (900, 640)) -> None:
        to_read, self._write = os.pipe()
        self._read, to_write = os.pipe()

        def hand_over() -> None:
            os.dup2(to_read, 3)
            os.dup2(to_write, 4)

        self._process = subprocess.Popen(
            [chromium, *_FLAGS, f"--user-data-dir={profile}", f"--window-size={size[0]},{size[1]}", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, pass_fds=(3, 4), preexec_fn=hand_over,
        )  # fmt: skip
        os.close(to_read)
        os.close(to_write)
        self._received, self._number, self._session = b"", 0, ""
        self.requests: list[str] = []
        self.errors: list[str] = []
        targets = self.send("Target.getTargets")["targetInfos"]
        target = next(each["targetId"] for each in targets if each["type"] == "page")
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.send(f"{domain}.enable")
        self.resize(*size)

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._write)
        self._process.terminate()
        self._process.wait(20)
        os.close(self._read)

    def send(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command and wait for its answer."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next(_PATIENCE_S)
            if answer.get("id") == self._number:
                assert "error" not in answer, answer["error"]
                return answer["result"]

    def _next(self, patience_s: float) -> dict[str, Any]:
        end = time.monotonic() + patience_s
        while b"\0" not in self._received:
            left = end - time.monotonic()
            assert left > 0, "the browser does not answer"
            if select.select([self._read], [], [], left)[0]:
                self._received += os.read(self._read, 1 << 20)
        text, self._received = self._received.split(b"\0", 1)
        message = json.loads(text)
        self._note(message.get("method", ""), message.get("params", {}))
        return message

    def _note(self, method: str, params: dict[str, Any]) -> None:
        if method == "Network.requestWillBeSent" and not params["request"]["url"].startswith(
            ("data:", "blob:", "file:")
        ):
            self.requests.append(params["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            self.errors.append(details.get("exception", {}).get("description") or details["text"])
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning"):
            self.errors.append(" ".join(str(each.get("value")) for each in params["args"]))
        elif method == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.errors.append(params["entry"]["text"])

    def resize(self, width: int, height: int, *, scale: float = 1, phone: bool = False) -> None:
        """Give the page a window of this size in CSS pixels."""
        self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=phone
        )

    def open(self, path: Path, fragment: str = "") -> None:
        """Open a page from disk, and wait until it is ready."""
        self.send("Page.navigate", url="about:blank")
        self.requests.clear()
        self.errors.clear()
        self.send("Page.navigate", url=path.as_uri() + (f"#{fragment}" if fragment else ""))
        self.wait("document.body && (document.body.dataset.readyMs || document.body.dataset.error)")

    @contextmanager
    def beforehand(self, script: str) -> Iterator[None]:
        """Run a script in every page before its own."""
        added = self.send("Page.addScriptToEvaluateOnNewDocument", source=script)
        try:
            yield
        finally:
            self.send("Page.removeScriptToEvaluateOnNewDocument", identifier=added["identifier"])

    def run(self, script: str) -> Any:
        """The value of an expression in the page; a promise is awaited."""
        result = self.send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def wait(self, condition: str, patience_s: float = _PATIENCE_S) -> None:
        """Wait until an expression in the page is true."""
        end = time.monotonic() + patience_s
        while not self.run(f"Boolean({condition})"):
            assert time.monotonic() < end, f"never: {condition}; {self.errors}"
            time.sleep(0.05)

    def settle(self) -> None:
        """Wait until the picture is drawn at its full quality."""
        self.run("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        self.wait("document.body.dataset.quality === 'fine'")

    def mouse(self, kind: str, x: float, y: float, *, buttons: int = 0, button: str = "left", **more: Any) -> None:
        """Let the pointer do something: mouseMoved, mousePressed, mouseReleased, mouseWheel."""
        used = button if kind in ("mousePressed", "mouseReleased") or buttons else "none"
        at = {"x": x, "y": y, "buttons": buttons, "button": used, "clickCount": 1}
        self.send("Input.dispatchMouseEvent", type=kind, **at, **more)

    def click(self, x: float, y: float) -> None:
        """Press and release the left button."""
        self.mouse("mouseMoved", x, y)
        self.mouse("mousePressed", x, y, buttons=1)
        self.mouse("mouseReleased", x, y)

    def drag(self, start: tuple[float, float], end: tuple[float, float], steps: int = 4) -> None:
        """Press the left button, move, release."""
        self.mouse("mouseMoved", *start)
        self.mouse("mousePressed", *start, buttons=1)
        for k in range(1, steps + 1):
            x, y = (a + (b - a) * k / steps for a, b in zip(start, end, strict=True))
            self.mouse("mouseMoved", x, y, buttons=1)
        self.mouse("mouseReleased", *end)

    def touch(self, *fingers: list[tuple[float, float]]) -> None:
        """Put fingers down, move each along its places, all at once, and lift them."""
        self.send("Emulation.setTouchEmulationEnabled", enabled=True, maxTouchPoints=max(len(fingers), 1))
        for k, places in enumerate(zip(*fingers, strict=True)):
            points = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(places)]
            self.send("Input.dispatchTouchEvent", type="touchMove" if k else "touchStart", touchPoints=points)
        self.send("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
        self.send("Emulation.setTouchEmulationEnabled", enabled=False)

    def key(self, key: str) -> None:
        """Press a key, named as in KeyboardEvent.key."""
        text = {"text": key} if len(key) == 1 else {"text": "\r"} if key == "Enter" else {}
        codes = {"Escape": 27, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "Enter": 13, "Tab": 9}
        for kind in ("keyDown", "keyUp"):
            self.send(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                windowsVirtualKeyCode=codes.get(key, ord(key[0].upper())),
                **(text if kind == "keyDown" else {}),
            )

    def middle(self, selector: str) -> tuple[float, float]:
        """The middle of an element in CSS pixels."""
        box = f"document.querySelector({selector!r}).getBoundingClientRect()"
        x, y = self.run(f"(b => [b.x + b.width / 2, b.y + b.height / 2])({box})")
        return x, y

    def shot(self, path: Path | None = None) -> NDArray[np.uint8]:
        """A picture (H, W, 3) RGB of the window."""
        data = base64.b64decode(self.send("Page.captureScreenshot", format="png")["data"])
        if path is not None:
            path.write_bytes(data)
        decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
        assert decoded is not None
        return np.asarray(decoded, np.uint8)

    def render(self) -> NDArray[np.uint8]:
        """The current view (H, W, 3) RGB at the photo's own size and full quality, as the page saves it."""
        text = self.run("page.render().toDataURL('image/png').split(',')[1]")
        self.run("page.changed()")
        decoded = cv2.imdecode(np.frombuffer(base64.b64decode(text), np.uint8), cv2.IMREAD_COLOR_RGB)
        assert decoded is not None
        return np.asarray(decoded, np.uint8)
