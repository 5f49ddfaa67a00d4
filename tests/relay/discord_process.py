"""A fake Discord in a process of its own, for tests and benchmarks of whole programs.

::

    with DiscordProcess("ops", "security") as discord:
        ...                                       # give discord.webhooks["ops"] to the program
        discord.fault("hang", stored=True, times=1)
        assert discord.visible(["alert-1"]) == {"alert-1"}
"""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Self

from tests.outside import ROOT


class DiscordProcess:
    """``names``: the webhooks, ``NAME`` or ``NAME:forum``. ``speed``: how much faster than real time its clock runs."""

    def __init__(self, *names: str, speed: float = 1.0, unlimited: bool = False, port: int = 0) -> None:
        options = [option for name in names for option in ("--webhook", name)]
        options += ["--speed", str(speed), "--port", str(port), *(["--unlimited"] if unlimited else [])]
        self._command = [sys.executable, "-m", "tests.relay.fake_discord", *options]
        self._process: subprocess.Popen[str] | None = None
        self._control = ""
        self.webhooks: dict[str, str] = {}

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(self._command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        said = json.loads(self._process.stdout.readline())
        self._control, self.webhooks = said["control"], said["webhooks"]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait(timeout=30)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def fault(self, kind: str, **details: Any) -> None:
        """Something goes wrong from now on: see :class:`tests.relay.fake_discord.Fault`."""
        self._ask("POST", "/faults", {"kind": kind, **details})

    def release(self) -> None:
        """Nothing goes wrong any more."""
        self._ask("DELETE", "/faults")

    def go_down(self) -> None:
        """Connections are refused."""
        self._ask("POST", "/down", {})

    def come_up(self) -> None:
        """Connections are taken again."""
        self._ask("POST", "/up", {})

    def delete_webhook(self, name: str) -> None:
        """Somebody deletes it."""
        self._ask("DELETE", f"/webhooks/{name}")

    def stats(self) -> dict[str, Any]:
        """See :meth:`tests.relay.fake_discord.FakeDiscord.stats`."""
        found: dict[str, Any] = self._ask("GET", "/stats")
        return found

    def messages(self) -> list[dict[str, Any]]:
        """Every message with all its versions, ``text`` as it reads now, and ``deleted_at``."""
        found: list[dict[str, Any]] = self._ask("GET", "/messages")
        return found

    def visible(self, needles: Iterable[str], webhook: str | None = None) -> set[str]:
        """Which of the texts can be read now."""
        return set(self._ask("POST", "/visible", {"needles": list(needles), "webhook": webhook}))

    def first_seen(self, pattern: str) -> dict[str, float]:
        """When each text of this shape could first be read: Unix seconds of the fake's clock."""
        found: dict[str, float] = self._ask("POST", "/first-seen", {"pattern": pattern})
        return found

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self._control + path, data, {"Content-Type": "application/json"}, method=method
        )
        with urllib.request.urlopen(request, timeout=60) as response:
            answer = response.read()
        return json.loads(answer) if answer else None
