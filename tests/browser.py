"""A real browser, headless, by the W3C WebDriver protocol: what tests need of it and no more.

``with Browser(scripts=False) as browser: browser.open(url); browser.click("button")``. Needs chromium and chromedriver.
It keeps to loopback: it looks up no host, and its background services are off.
"""

from __future__ import annotations

import base64
import json
import re
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

_ELEMENT: Final = "element-6066-11e4-a52e-4f735466cecf"
"""The key under which WebDriver names an element (W3C WebDriver, 12.)."""
_ARGUMENTS: Final = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
_PATIENCE: Final = 30.0
_STALE_TRIES: Final = 10
_STALE: Final = "stale element reference"
"""The error code of an element whose page is gone (W3C WebDriver, 6.6)."""


class _StaleError(AssertionError):
    """The element belongs to a page that is not there any more."""


class Browser:
    """One window. ``scripts=False``: JavaScript is off. ``width`` in pixels. ``dark``: the reader prefers dark."""

    def __init__(self, *, scripts: bool = True, width: int = 1000, dark: bool = False) -> None:
        self._arguments = [*_ARGUMENTS, f"--window-size={width},1400"]
        if dark:
            self._arguments.append("--blink-settings=preferredColorScheme=0")
        self._preferences = {} if scripts else {"profile.managed_default_content_settings.javascript": 2}

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory()
        self._driver = subprocess.Popen(
            ["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert self._driver.stdout is not None
        said = ""
        while (port := re.search(r"started successfully on port (\d+)", said)) is None:
            line = self._driver.stdout.readline()
            assert line, said
            said += line
        self._session = f"http://127.0.0.1:{port[1]}/session"
        options = {
            "args": [*self._arguments, f"--user-data-dir={self._folder.name}"],
            "prefs": self._preferences,
        }
        started = self._ask("POST", "", {"capabilities": {"alwaysMatch": {"goog:chromeOptions": options}}})
        self._session += f"/{started['sessionId']}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._ask("DELETE", "")
        finally:
            self._driver.terminate()
            self._driver.wait(timeout=30)
            assert self._driver.stdout is not None
            self._driver.stdout.close()
            self._folder.cleanup()

    def open(self, url: str) -> None:
        """Goes there, and returns when the page has been loaded."""
        self._ask("POST", "/url", {"url": url})

    @property
    def title(self) -> str:
        """The page's title."""
        return str(self._ask("GET", "/title"))

    def text(self, selector: str = "body") -> str:
        """What a reader sees of the first element."""
        return str(self._of(selector, "/text"))

    def style(self, selector: str, name: str) -> str:
        """A computed property of the first element."""
        return str(self._of(selector, f"/css/{name}"))

    def width(self, selector: str) -> int:
        """How wide the first element is drawn, in pixels."""
        return int(self._of(selector, "/rect")["width"])

    def click(self, selector: str) -> None:
        """Presses the first element, which stays on this page."""
        self._ask("POST", f"/element/{self._find(selector)}/click", {})

    def follow(self, selector: str) -> None:
        """Presses the first element, which leads to another page (or to this one anew); returns when that is loaded."""
        left = self._find("html")
        self.click(selector)
        deadline = time.monotonic() + _PATIENCE
        while self._is_there(left):
            assert time.monotonic() < deadline, f"{selector} led nowhere"
            time.sleep(0.02)

    def resize(self, width: int) -> None:
        """Makes the window so many pixels wide."""
        self._ask("POST", "/window/rect", {"width": width, "height": 1400})

    def run(self, script: str, *arguments: Any) -> Any:
        """Runs JavaScript in the page, whatever the page itself allows. Its last argument is a function that takes the
        result; ``arguments`` and the result are JSON. The browser must have been started with scripts."""
        return self._ask("POST", "/execute/async", {"script": script, "args": list(arguments)})

    def screenshot(self, path: Path) -> None:
        """Draws the window into a PNG file."""
        path.write_bytes(base64.b64decode(self._ask("GET", "/screenshot")))

    def _find(self, selector: str) -> str:
        return str(self._ask("POST", "/element", {"using": "css selector", "value": selector})[_ELEMENT])

    def _of(self, selector: str, what: str) -> Any:
        """Something of the first element; looked up again when the page has changed since it was found."""
        for _ in range(_STALE_TRIES):
            with suppress(_StaleError):
                return self._ask("GET", f"/element/{self._find(selector)}{what}")
        raise AssertionError(f"{selector} changes faster than one can look")

    def _is_there(self, element: str) -> bool:
        try:
            self._ask("GET", f"/element/{element}/name")
        except _StaleError:
            return False
        return True

    def _ask(self, method: str, path: str, data: Any = None) -> Any:
        body = None if data is None else json.dumps(data).encode()
        request = urllib.request.Request(
            self._session + path, body, {"Content-Type": "application/json"}, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            with error:
                said = json.load(error)["value"]
            kind = _StaleError if said["error"] == _STALE else AssertionError
            raise kind(said["message"]) from None
