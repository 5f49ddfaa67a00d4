"""The whole way with real programs: Prometheus, two clustered Alertmanagers, the relay, and a Discord that refuses.

The scenarios run at the same time, each with an alert and a channel of its own: most of their time is waiting. Those
that kill something have Alertmanagers and a relay of their own. Holds are six seconds instead of sixty.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from homelabmon.spec import names
from tests.relay.discord_process import DiscordProcess
from tests.relay.programs import TOKEN, Alertmanager, Prometheus, Relay, eventually

HOLD = 6.0
CALM = {"FireAndResolve": "fire", "Blip": "blip", "ThreeNodes": "nodes", "Flap": "flap"}
ROUGH = {"RelayKilled": "restart", "OneReplica": "replica", "AllRestarted": "alertmanagers"}
MISSED = {"Missed": "missed"}
SCENARIOS: dict[str, Callable[[World], None]] = {}

pytestmark = [pytest.mark.program("alertmanager"), pytest.mark.program("prometheus")]


class Target:
    """What Prometheus scrapes: one series for each condition that is true."""

    def __init__(self) -> None:
        self._true: set[tuple[str, str]] = set()
        self._lock = threading.Lock()
        target = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                with target._lock:
                    lines = [f'condition{{about="{about}",node="{node}"}} 1\n' for about, node in sorted(target._true)]
                self.send_response(200)
                self.send_header("Content-Type", "text/plain")
                self.end_headers()
                self.wfile.write("".join(lines).encode())

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def set(self, about: str, *nodes: str) -> None:
        """From now on the condition is true on these nodes, and on no other."""
        with self._lock:
            self._true = {one for one in self._true if one[0] != about} | {(about, node) for node in nodes}

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class World:
    """Everything that runs."""

    def __init__(self, folder: Path, running: ExitStack) -> None:
        self.target = Target()
        running.callback(self.target.close)
        channels = [*CALM.values(), *ROUGH.values(), *MISSED.values(), "others"]
        self.discord = running.enter_context(DiscordProcess(*channels))
        self.relay, self.calm = self._wing(folder / "calm", CALM)
        self.rough_relay, self.rough = self._wing(folder / "rough", ROUGH)
        every = [*self.calm, *self.rough]
        self.prometheus = Prometheus(
            folder / "prometheus",
            {
                "global": {"external_labels": {"cluster": "home"}},
                "alerting": {"alertmanagers": [{"static_configs": [{"targets": [url(one) for one in every]}]}]},
                "scrape_configs": [
                    {"job_name": "target", "static_configs": [{"targets": [self.target.address]}]},
                ],
            },
            [
                {"alert": name, "expr": f'condition{{about="{name}"}} == 1', "labels": {"severity": "warning"}}
                for name in {**CALM, **ROUGH, **MISSED}
            ],
        )
        self.late_relay = Relay(
            folder / "late",
            {channel: self.discord.webhooks[channel] for channel in ("others", "missed")},
            MISSED,
            f"{HOLD:g}s",
            alertmanagers=[one.url for one in self.calm],
            prometheus=self.prometheus.url,
        )
        started = [*every, self.prometheus, self.relay, self.rough_relay, self.late_relay]
        for program in started:
            running.enter_context(program)
        for program in started:
            program.wait()

    def _wing(self, folder: Path, routes: dict[str, str]) -> tuple[Relay, list[Alertmanager]]:
        """A relay, and the two Alertmanagers that send to it what it has routes for."""
        replicas = [Alertmanager(folder / f"alertmanager-{number}") for number in range(2)]
        webhooks = {channel: self.discord.webhooks[channel] for channel in routes.values()}
        relay = Relay(folder / "relay", webhooks, routes, f"{HOLD:g}s", alertmanagers=[one.url for one in replicas])
        for replica in replicas:
            replica.peers = [one for one in replicas if one is not replica]
            replica.configure(alertmanager_config(relay, "|".join(routes)))
        return relay, replicas

    def texts(self, channel: str) -> list[str]:
        """The messages that stand in a channel."""
        return [
            one["text"] for one in self.discord.messages() if one["webhook"] == channel and one["deleted_at"] is None
        ]

    def message(self, channel: str, word: str) -> str:
        """Waits until the one message of a channel says the word."""

        def look() -> str | None:
            found = self.texts(channel)
            assert len(found) <= 1, found
            return found[0] if found and word in found[0] else None

        return eventually(look, f"{word} in #{channel}") or ""

    def posted_at(self, channel: str) -> float:
        (message,) = [one for one in self.discord.messages() if one["webhook"] == channel]
        return float(message["versions"][0]["at"])


def url(program: Alertmanager) -> str:
    return program.url.removeprefix("http://")


def alertmanager_config(relay: Relay, mine: str) -> dict[str, Any]:
    webhook = {
        "url": f"{relay.url}{names.PATH_ALERTMANAGER}",
        "http_config": {"authorization": {"credentials": TOKEN}},
    }
    timing = {"group_by": ["alertname"], "group_wait": "0s", "group_interval": "1s", "repeat_interval": "1h"}
    return {
        "route": {
            "receiver": "nobody",
            **timing,
            "routes": [{"receiver": "relay", "matchers": [f'alertname=~"{mine}"']}],
        },
        "receivers": [{"name": "nobody"}, {"name": "relay", "webhook_configs": [webhook]}],
    }


# Scenarios ---------------------------------------------------------------------------------------------------------


def scenario(play: Callable[[World], None]) -> Callable[[World], None]:
    SCENARIOS[play.__name__] = play
    return play


@scenario
def fire_and_resolve(world: World) -> None:
    begun = time.time()
    world.target.set("FireAndResolve", "n1")
    assert "n1" in world.message("fire", "FIRING")
    assert world.posted_at("fire") >= begun + HOLD
    world.target.set("FireAndResolve")
    world.message("fire", "RESOLVED")


@scenario
def blip(world: World) -> None:
    world.target.set("Blip", "n1")
    eventually(lambda: world.relay.count(names.METRIC_RECEIVED, "blip"), "the relay hears of the blip")
    world.target.set("Blip")
    eventually(lambda: world.relay.count(names.METRIC_SUPPRESSED, "blip"), "the blip is counted as suppressed")
    eventually(lambda: not world.relay.count(names.METRIC_QUEUED, "blip"), "nothing waits")
    assert world.texts("blip") == []


@scenario
def three_nodes(world: World) -> None:
    for nodes in (["n1"], ["n1", "n2"], ["n1", "n2", "n3"]):
        world.target.set("ThreeNodes", *nodes)
        time.sleep(0.7)
    eventually(lambda: world.discord.visible(["n1", "n2", "n3"], "nodes") == {"n1", "n2", "n3"}, "all three nodes")
    world.target.set("ThreeNodes")
    world.message("nodes", "RESOLVED")


@scenario
def flap(world: World) -> None:
    for _ in range(2):
        world.target.set("Flap", "n1")
        world.message("flap", "FIRING")
        world.target.set("Flap")
        world.message("flap", "RESOLVED")


@scenario
def killed_and_restarted(world: World) -> None:
    """One after the other: the relay during a hold, one Alertmanager, both Alertmanagers."""
    world.target.set("RelayKilled", "n1")
    eventually(lambda: world.rough_relay.count(names.METRIC_RECEIVED, "restart"), "the relay hears of it")
    world.rough_relay.kill()
    world.rough_relay.start()
    assert world.texts("restart") == []
    world.message("restart", "FIRING")

    world.rough[0].kill()
    world.target.set("OneReplica", "n1")
    world.message("replica", "FIRING")
    world.target.set("OneReplica")
    world.message("replica", "RESOLVED")
    world.rough[0].start()

    world.target.set("AllRestarted", "n1")
    world.message("alertmanagers", "FIRING")
    for replica in world.rough:
        replica.stop()
    for replica in world.rough:
        replica.start()
    for replica in world.rough:
        eventually(lambda replica=replica: replica.knows("AllRestarted"), "Alertmanager hears of it anew")  # type: ignore[misc]
    world.message("alertmanagers", "FIRING")
    world.target.set("AllRestarted", "n1", "n2")
    assert "FIRING" in world.message("alertmanagers", "n2")
    world.target.set("AllRestarted")
    world.message("alertmanagers", "RESOLVED")
    world.target.set("RelayKilled")
    world.message("restart", "RESOLVED")


@scenario
def fired_and_ended_while_the_relay_was_down(world: World) -> None:
    world.late_relay.stop()
    world.target.set("Missed", "n1")
    time.sleep(25)
    world.target.set("Missed")
    eventually(lambda: not any(one.knows("Missed") for one in world.calm), "it has ended")
    time.sleep(16)  # the record is looked at in steps of 15 s: its end must lie between two of them
    world.late_relay.start()
    world.message("missed", "RESOLVED")


# The run -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[None]]]:
    with ExitStack() as running:
        world = World(tmp_path_factory.mktemp("world"), running)
        with ThreadPoolExecutor(len(SCENARIOS)) as threads:
            yield {name: threads.submit(play, world) for name, play in SCENARIOS.items()}
        assert set(world.discord.stats()["statuses"]) <= {"200"}


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario(name: str, results: dict[str, Future[None]]) -> None:
    results[name].result()
