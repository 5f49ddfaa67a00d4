"""The dead man's switch with real programs: Prometheus, two clustered Alertmanagers, the relay, the outpost outside.

Between the cluster and the outpost lies a line that can be cut. Minutes are seconds: the Watchdog comes each second,
and its silence counts after five.
"""

from __future__ import annotations

import json
import socket
import sqlite3
import threading
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Any

import pytest

from homelabmon.spec import names
from tests.relay.discord_process import DiscordProcess
from tests.relay.programs import TOKEN, Alertmanager, Prometheus, Relay, eventually, get

pytestmark = [pytest.mark.program("alertmanager"), pytest.mark.program("prometheus")]


class Line:
    """A way for TCP connections to a port on loopback. ``cut``: nothing is refused, nothing arrives, nobody is told."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._cut = threading.Event()
        self._open: list[socket.socket] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        self._cut.set()

    def mend(self) -> None:
        """What hung on the line when it was cut is lost."""
        self._hang_up()
        self._cut.clear()

    def close(self) -> None:
        self._listening.close()
        self._hang_up()

    def _hang_up(self) -> None:
        while self._open:
            one = self._open.pop()
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                try:
                    far = socket.create_connection(("127.0.0.1", self._port))
                except OSError:
                    near.close()
                    continue
                self._open += [near, far]
                for source, target in ((near, far), (far, near)):
                    threading.Thread(target=self._carry, args=(source, target), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                if not self._cut.is_set():
                    target.sendall(data)
            target.shutdown(socket.SHUT_WR)


class World:
    """Everything that runs."""

    def __init__(self, folder: Path, running: ExitStack) -> None:
        self.discord = running.enter_context(DiscordProcess("home", "outside"))
        anchors = [running.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(3)]
        self.outpost = Relay(
            folder / "outpost",
            {"outside": self.discord.webhooks["outside"]},
            {},
            "0s",
            name="home",
            role="outpost",
            intake=dict.fromkeys(("alertmanager_token_file", "scrape_token_file"), str(folder / "outpost" / "token")),
            watchdog={"alertname": "Watchdog", "silence": "5s", "channel": "outside"},
            anchors=[f"127.0.0.1:{anchor.getsockname()[1]}" for anchor in anchors],
        )
        self.line = Line(self.outpost.port)
        running.callback(self.line.close)
        self.replicas = [Alertmanager(folder / f"alertmanager-{number}") for number in range(2)]
        self.relay = Relay(
            folder / "relay",
            {"home": self.discord.webhooks["home"]},
            {},
            "0s",
            name="home",
            upstream={"url": f"http://127.0.0.1:{self.line.port}", "token_file": str(folder / "relay" / "token")},
        )
        for replica in self.replicas:
            replica.peers = [one for one in self.replicas if one is not replica]
            replica.configure(_alertmanager(self.line.port))
        targets = [replica.url.removeprefix("http://") for replica in self.replicas]
        self.prometheus = Prometheus(
            folder / "prometheus",
            {
                "global": {"external_labels": {"prometheus": "monitoring/k8s"}},
                "alerting": {"alertmanagers": [{"static_configs": [{"targets": targets}]}]},
            },
            [{"alert": "Watchdog", "expr": "vector(1)", "labels": {"severity": "none"}}],
        )
        started = [self.outpost, *self.replicas, self.relay, self.prometheus]
        for program in started:
            running.enter_context(program)
        for program in started:
            program.wait()

    def metric(self, series: str) -> float:
        """What the outpost's metrics say; 0 where they say nothing."""
        page = str(get(self.outpost.url + names.PATH_METRICS, TOKEN) or "")
        return next((float(line.split()[-1]) for line in page.splitlines() if line.startswith(f"{series} ")), 0.0)

    def why(self) -> str | None:
        """Why the outpost takes the Watchdog for silent, as it has noted it."""
        with closing(sqlite3.connect(f"file:{self.outpost.folder / 'relay.db'}?mode=ro", uri=True)) as connection:
            (text,) = connection.execute("SELECT value FROM texts WHERE key = 'watchdog'").fetchone()
        why: str | None
        (why,) = (engine["why"] for engine in json.loads(text)["engines"].values())
        return why

    def texts(self, channel: str) -> list[str]:
        """The messages of a channel. That nothing has come yet is said where the first Watchdog takes its time."""
        texts = [one["text"] for one in self.discord.messages() if one["webhook"] == channel]
        return [text for text in texts if "home has never been heard" not in text]


def _alertmanager(port: int) -> dict[str, Any]:
    webhook = {
        "url": f"http://127.0.0.1:{port}{names.PATH_ALERTMANAGER}",
        "send_resolved": True,
        "http_config": {"authorization": {"credentials": TOKEN}},
    }
    timing = {"group_by": ["alertname"], "group_wait": "0s", "group_interval": "1s", "repeat_interval": "800ms"}
    return {
        "route": {"receiver": "deadman", **timing},
        "receivers": [{"name": "deadman", "webhook_configs": [webhook]}],
    }


def test_a_line_that_is_cut_is_told_and_ends_and_a_dead_prometheus_is_known_from_alertmanager(tmp_path: Path) -> None:
    with ExitStack() as running:
        world = World(tmp_path, running)
        eventually(lambda: world.metric(names.METRIC_REPORT_SEEN), "a report comes")
        eventually(lambda: _silent(world) is False, "the Watchdog comes")
        assert world.texts("outside") == []
        world.line.cut()
        eventually(lambda: world.texts("outside"), "the silence is told")
        (text,) = world.texts("outside")
        assert "home has fallen silent: its Watchdog does not come" in text
        world.line.mend()
        eventually(lambda: "RESOLVED" in world.texts("outside")[0], "its end is told")
        world.prometheus.kill()
        eventually(lambda: world.why() == "resolved", "Alertmanager says that the Watchdog is over")
        assert len(world.texts("outside")) == 1
        assert world.texts("home") == []


def _silent(world: World) -> bool | None:
    """None: no Watchdog has come yet."""
    if not world.metric(f'{names.METRIC_WATCHDOG_SEEN}{{engine="monitoring/k8s"}}'):
        return None
    return bool(world.metric(f'{names.METRIC_WATCHDOG_SILENT}{{engine="monitoring/k8s"}}'))
