"""A real headless Chromium, driven over its DevTools pipe: tabs, keys, screenshots, console."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

FLAGS = (
    "--headless",
    "--no-sandbox",  # the tests run as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--remote-debugging-pipe",
)
_KEYS = {"Enter": 13, "Escape": 27, "PageUp": 33, "PageDown": 34, "End": 35, "Home": 36, "Tab": 9} | {
    "ArrowLeft": 37,
    "ArrowUp": 38,
    "ArrowRight": 39,
    "ArrowDown": 40,
}


class Browser:
    """One Chromium with an empty profile. A context manager.

    with Browser() as browser:
        tab = browser.open(address)
        tab.wait("document.querySelectorAll('.tile').length === 2")
        tab.press("ArrowRight"); tab.screenshot(Path("x.png"))
    """

    def __init__(self, size: tuple[int, int] = (1280, 800)) -> None:
        program = shutil.which("chromium") or shutil.which("chromium-browser")
        assert program, "the lab needs chromium: apt-get install chromium"
        self._profile = Path(tempfile.mkdtemp(prefix="x11fwd-browser-"))
        self.downloads = self._profile / "downloads"
        self.downloads.mkdir()
        to_browser, ours_out = os.pipe()
        ours_in, from_browser = os.pipe()
        # Chromium reads commands from descriptor 3 and answers on 4; these copies are neither.
        high_in, high_out = (fcntl.fcntl(one, fcntl.F_DUPFD, 10) for one in (to_browser, from_browser))
        argv = [program, *FLAGS, f"--user-data-dir={self._profile}", f"--window-size={size[0]},{size[1]}"]
        self._process = subprocess.Popen(
            [*argv, "about:blank"],
            pass_fds=(3, 4),
            preexec_fn=lambda: (os.dup2(high_in, 3), os.dup2(high_out, 4), None)[-1],  # noqa: PLW1509  only dup2
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env={**os.environ, "HOME": str(self._profile)},
        )
        for one in (to_browser, from_browser, high_in, high_out):
            os.close(one)
        self._out, self._in = ours_out, ours_in
        self._condition = threading.Condition()
        self._number = 0
        self._answers: dict[int, dict[str, Any]] = {}
        self._tabs: dict[str, Tab] = {}
        self._ended = False
        threading.Thread(target=self._read, daemon=True).start()

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def open(self, address: str = "about:blank") -> Tab:
        """A new tab; not waited for what is in it."""
        target = self.call("Target.createTarget", {"url": "about:blank"})["targetId"]
        session = self.call("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        tab = Tab(self, session, target)
        self._tabs[session] = tab
        for domain in ("Page", "Runtime", "Log", "Network"):
            tab.call(f"{domain}.enable")
        if address != "about:blank":
            tab.go(address)
        return tab

    def call(
        self, method: str, parameters: dict[str, Any] | None = None, session: str = "", limit: float = 120.0
    ) -> dict[str, Any]:
        """One DevTools command and its answer. Raises RuntimeError for a fault, TimeoutError."""
        with self._condition:
            self._number += 1
            number = self._number
            message = {"id": number, "method": method, "params": parameters or {}}
            if session:
                message["sessionId"] = session
            data = json.dumps(message).encode() + b"\0"
            while data:
                data = data[os.write(self._out, data) :]
            if not self._condition.wait_for(lambda: number in self._answers or self._ended, limit):
                raise TimeoutError(f"Chromium did not answer {method} within {limit:g} s")
            if number not in self._answers:
                raise RuntimeError("Chromium has ended")
            answer = self._answers.pop(number)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        result: dict[str, Any] = answer["result"]
        return result

    def close(self) -> None:
        """End it with everything it started, and remove its profile."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        with self._condition:
            for one in (self._out, self._in):
                with suppress(OSError):
                    os.close(one)
        shutil.rmtree(self._profile, ignore_errors=True)

    def _read(self) -> None:
        rest = b""
        while True:
            try:
                data = os.read(self._in, 1 << 16)
            except OSError:
                data = b""
            if not data:
                break
            *whole, rest = (rest + data).split(b"\0")
            for one in whole:
                self._take(json.loads(one))
        with self._condition:
            self._ended = True
            self._condition.notify_all()

    def _take(self, message: dict[str, Any]) -> None:
        with self._condition:
            if "id" in message:
                self._answers[message["id"]] = message
                self._condition.notify_all()
                return
        tab = self._tabs.get(message.get("sessionId", ""))
        if tab is not None:
            tab.heard(message["method"], message["params"])


class Tab:
    """One page. `console` holds warnings and errors of the console, refused loads and exceptions, as text."""

    def __init__(self, browser: Browser, session: str, target: str) -> None:
        self._browser = browser
        self._session = session
        self._target = target
        self.console: list[str] = []
        self.requests: list[str] = []

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """A DevTools command for this tab."""
        return self._browser.call(method, parameters, self._session)

    def go(self, address: str) -> None:
        """Load an address, without waiting for it."""
        self.call("Page.navigate", url=address)

    def reload(self) -> None:
        self.call("Page.reload")

    def close(self) -> None:
        self._browser.call("Target.closeTarget", {"targetId": self._target})

    def evaluate(self, script: str) -> Any:
        """The value of a JavaScript expression; a promise is waited for. Raises RuntimeError."""
        answer = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(json.dumps(answer["exceptionDetails"])[:2000])
        return answer["result"].get("value")

    def wait(self, script: str, limit: float = 90.0) -> Any:
        """Until the expression is true. Returns its value. Raises AssertionError."""
        end = time.monotonic() + limit
        while True:
            try:
                value = self.evaluate(f"(() => {{ const v = ({script}); return v instanceof Node || v; }})()")
            except RuntimeError as error:  # the page is being changed
                value, reason = None, str(error)
            else:
                reason = f"last: {value!r}"
            if value:
                return value
            assert time.monotonic() < end, (
                f"not so within {limit:g} s: {script}; {reason}; {self.console[-5:]}"
            )
            time.sleep(0.02)

    def press(self, key: str, times: int = 1) -> None:
        """Press and release a key: a character or a name such as `Enter`, `ArrowLeft`."""
        text = {"Enter": "\r"}.get(key, key if len(key) == 1 else "")
        code = _KEYS.get(key, ord(key.upper()) if len(key) == 1 else 0)
        for _ in range(times):
            down = {"key": key, "code": key, "windowsVirtualKeyCode": code}
            kind = "keyDown" if text else "rawKeyDown"
            self.call("Input.dispatchKeyEvent", type=kind, text=text, **down)
            self.call("Input.dispatchKeyEvent", type="keyUp", **down)

    def click(self, selector: str) -> None:
        """Click the middle of the first element of this CSS selector."""
        script = f"""(() => {{ const e = document.querySelector({json.dumps(selector)});
            e.scrollIntoView({{block: "center"}}); const b = e.getBoundingClientRect();
            return [b.left + b.width / 2, b.top + b.height / 2]; }})()"""
        x, y = self.evaluate(script)
        self.mouse("mouseMoved", x, y)
        self.mouse("mousePressed", x, y)
        self.mouse("mouseReleased", x, y)

    def mouse(self, kind: str, x: float, y: float, **more: Any) -> None:
        """A mouse event: mouseMoved, mousePressed, mouseReleased, mouseWheel (with deltaX, deltaY)."""
        button = {} if kind == "mouseWheel" else {"button": "left", "clickCount": 1}
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **button, **more)

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Drag with the left button."""
        self.mouse("mousePressed", *start)
        for step in range(1, 6):
            at = [a + (b - a) * step / 5 for a, b in zip(start, end, strict=True)]
            self.mouse("mouseMoved", at[0], at[1], buttons=1)
        self.mouse("mouseReleased", *end)

    def colours(self, scheme: str) -> None:
        """What the system is said to prefer: `light` or `dark`."""
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def size(self, width: int, height: int, *, phone: bool = False) -> None:
        """The window in CSS pixels; a phone's has two device pixels to one and touch."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=2 if phone else 1,
            mobile=phone,
        )

    def screenshot(self, path: Path) -> bytes:
        """A PNG of what is in the window, written to `path`."""
        data = base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return data

    def accessible(self) -> list[tuple[str, str]]:
        """Role and name of everything a screen reader finds."""
        nodes = self.call("Accessibility.getFullAXTree")["nodes"]
        return [
            (node["role"]["value"], node.get("name", {}).get("value", ""))
            for node in nodes
            if not node.get("ignored") and "role" in node
        ]

    def heard(self, method: str, parameters: dict[str, Any]) -> None:
        """An event of this tab; called by the reader."""
        if method == "Runtime.exceptionThrown":
            self.console.append(json.dumps(parameters["exceptionDetails"])[:2000])
        elif method == "Runtime.consoleAPICalled" and parameters["type"] in {"error", "warning"}:
            self.console.append(json.dumps(parameters["args"])[:2000])
        elif method == "Log.entryAdded" and parameters["entry"]["level"] in {"error", "warning"}:
            self.console.append(parameters["entry"]["text"] + " " + parameters["entry"].get("url", ""))
        elif method == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"])
