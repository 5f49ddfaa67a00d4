"""What Alertmanager's silence proves, with real programs: an alert that is gone was churn, unless Prometheus is dead.

A replica proves that only three minutes after its start. So the relay asks through a proxy that makes the replicas look
an hour older; everything else that they say is theirs. Holds are six seconds, and an alert expires twelve seconds after
Prometheus last spoke of it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from homelabmon.spec import names
from tests.relay.acceptance.test_acceptance import HOLD, Target, url
from tests.relay.discord_process import DiscordProcess
from tests.relay.programs import TOKEN, Alertmanager, Prometheus, Relay, eventually

ROUTES = {"Gone": "gone", "Stays": "stays"}

pytestmark = [pytest.mark.program("alertmanager"), pytest.mark.program("prometheus")]


class Older:
    """A replica, as it will answer when it has run for long."""

    def __init__(self, replica: Alertmanager) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                try:
                    with urlopen(replica.url + self.path, timeout=5) as response:
                        body, date = response.read(), response.headers["Date"]
                except URLError:
                    self.send_error(502)
                    return
                if self.path.startswith("/api/v2/status"):
                    body = json.dumps({**json.loads(body), "uptime": "2026-01-01T00:00:00Z"}).encode()
                self.send_response_only(200)
                self.send_header("Date", date)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Calm(Prometheus):
    """Renews alerts every three seconds: on a busy machine, one that does so each second lets them expire at times."""

    def command(self) -> Sequence[str]:
        return [part.replace("resend-delay=1s", "resend-delay=3s") for part in super().command()]


class World:
    """Prometheus, two replicas, the relay and Discord."""

    def __init__(self, folder: Path, running: ExitStack) -> None:
        self.target = Target()
        running.callback(self.target.close)
        self.discord = running.enter_context(DiscordProcess(*ROUTES.values()))
        replicas = [Alertmanager(folder / f"alertmanager-{number}") for number in range(2)]
        older = [Older(replica) for replica in replicas]
        for proxy in older:
            running.callback(proxy.close)
        self.relay = Relay(
            folder / "relay", self.discord.webhooks, ROUTES, f"{HOLD:g}s", alertmanagers=[one.url for one in older]
        )
        for replica in replicas:
            replica.peers = [one for one in replicas if one is not replica]
            replica.configure(self._config())
        self.prometheus = Calm(
            folder / "prometheus",
            {
                "alerting": {"alertmanagers": [{"static_configs": [{"targets": [url(one) for one in replicas]}]}]},
                "scrape_configs": [{"job_name": "target", "static_configs": [{"targets": [self.target.address]}]}],
            },
            [
                *({"alert": name, "expr": f'condition{{about="{name}"}} == 1'} for name in ROUTES),
                {"alert": names.WATCHDOG, "expr": "vector(1)"},
            ],
        )
        programs = [*replicas, self.prometheus, self.relay]
        for program in programs:
            running.enter_context(program)
        for program in programs:
            program.wait()

    def _config(self) -> dict[str, Any]:
        webhook = {
            "url": f"{self.relay.url}{names.PATH_ALERTMANAGER}",
            "http_config": {"authorization": {"credentials": TOKEN}},
        }
        soon = {"group_by": ["alertname"], "group_wait": "0s", "group_interval": "1s", "repeat_interval": "1h"}
        ends_are_told_late = {"matchers": ['alertname="Gone"'], "group_interval": "10m"}
        return {
            "route": {
                "receiver": "nobody",
                **soon,
                "routes": [
                    {"receiver": "relay", **ends_are_told_late},
                    {"receiver": "relay", "matchers": ['alertname="Stays"']},
                ],
            },
            "receivers": [{"name": "nobody"}, {"name": "relay", "webhook_configs": [webhook]}],
        }

    def message(self, channel: str) -> str:
        (message,) = [one for one in self.discord.messages() if one["webhook"] == channel] or [{"text": ""}]
        return str(message["text"])


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with ExitStack() as running:
        yield World(tmp_path, running)


def test_what_no_replica_knows_any_more_was_churn_unless_prometheus_is_dead(world: World) -> None:
    world.target.set("Gone", "n1")
    world.target.set("Stays", "n1")
    eventually(lambda: world.relay.count(names.METRIC_RECEIVED, "gone"), "the relay hears of it")
    world.target.set("Gone")
    eventually(lambda: world.relay.count(names.METRIC_SUPPRESSED, "gone"), "it is gone, and was churn")
    assert world.relay.count(names.METRIC_RECEIVED, "gone") == 1
    eventually(lambda: "FIRING" in world.message("stays"), "what goes on is posted")
    assert world.message("gone") == ""

    world.prometheus.kill()
    eventually(lambda: "EXPIRED" in world.message("stays"), "nobody claims that it is over", 80)
    assert "RESOLVED" not in world.message("stays")
