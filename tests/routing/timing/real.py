"""Running Alertmanagers on loopback, alone and in pairs, that live through the same stories as our simulation.

Everything runs at once, in real time, with intervals of seconds. Alerts arrive on whole seconds and groups are looked
at half a second later, so that no two things that matter coincide. The simulation is given the times at which the
alerts really arrived.
"""

from __future__ import annotations

import json
import re
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Final
from urllib.request import Request, urlopen

from homelabmon.routing.inhibit import InhibitRule
from homelabmon.routing.timing.alerts import OPEN
from homelabmon.routing.timing.cluster import Put
from homelabmon.routing.timing.replica import BEFORE_0_30, SINCE_0_30, SINCE_0_32, Generation, Settings
from homelabmon.routing.tree import RouteNode, RouteTree
from homelabmon.spec.matchers import parse_matcher
from tests.routing.alertmanager import PATIENCE, Alertmanager, explain_exit
from tests.routing.generate import configuration, dump

PEER_TIMEOUT: Final = 1.25
SETTLING: Final = 0.05
"""How often replicas gossip, and a tenth of the time between their looks at each other at the start. Seconds."""
RULES: Final = (
    InhibitRule(
        (parse_matcher('kind="source"'),), (parse_matcher('kind="target"'),), ("scenario", "node"), "by-source"
    ),
)


@dataclass(frozen=True)
class Scenario:
    """A story, and the route it takes. Times count from the beginning, in seconds."""

    name: str
    puts: tuple[Put, ...]
    wait: float = 0.5
    interval: float = 2.0
    repeat: float = 60.0
    group_by: tuple[str, ...] = ("alertname",)
    send_resolved: bool = True
    until: float = 12.0

    @property
    def node(self) -> RouteNode[None]:
        """Its route."""
        matchers = (parse_matcher(f'scenario="{self.name}"'),)
        return RouteNode(
            self.name, self.name, matchers, self.group_by, self.wait, self.interval, self.repeat, payload=None
        )


@dataclass(frozen=True)
class Received:
    """A notification that arrived, ``at`` seconds from the beginning."""

    at: float
    replica: int
    scenario: str
    payload: Mapping[str, Any]


@dataclass(frozen=True)
class Recording:
    """What one Alertmanager, or a pair, was told and told. ``settings`` says the same to our simulation.

    ``start``: when it began, in seconds since the epoch.
    """

    start: float
    settings: Settings
    puts: tuple[Put, ...]
    received: tuple[Received, ...]


@dataclass
class Site:
    """Running Alertmanagers, and what they have sent. ``turns``: their numbers in the order of their turns."""

    generation: Generation
    servers: list[Alertmanager] = field(default_factory=list)
    turns: list[int] = field(default_factory=list)
    inbox: list[tuple[float, str, bytes]] = field(default_factory=list)


def settings(scenarios: Sequence[Scenario], generation: Generation, replicas: int) -> Settings:
    """The cluster as we simulate it."""
    return Settings(
        RouteTree(tree(scenarios)),
        {scenario.name: scenario.send_resolved for scenario in scenarios},
        RULES,
        replicas=replicas,
        peer_timeout=PEER_TIMEOUT,
        delivery=0.01,
        gossip=0.1,
        generation=generation,
    )


def tree(scenarios: Sequence[Scenario]) -> RouteNode[None]:
    """One route for each scenario."""
    return RouteNode("root", "none", routes=tuple(scenario.node for scenario in scenarios), payload=None)


def live(site: Site, scenarios: Sequence[Scenario]) -> Recording:
    """Let the Alertmanagers live through the stories."""
    start = time.time() + 0.3
    arrived: list[Put] = []
    at: dict[float, list[Put]] = {}
    for scenario in scenarios:
        for put in scenario.puts:
            labels = {"scenario": scenario.name, **put.labels}
            at.setdefault(put.at, []).append(replace(put, labels=labels))
    with ThreadPoolExecutor(len(site.servers)) as pool:
        for moment, puts in sorted(at.items()):
            time.sleep(max(0.0, start + moment - time.time()))
            body = json.dumps([_alert(put, start) for put in puts]).encode()
            before = time.time()
            list(pool.map(lambda server, body=body: _post(server, body), site.servers))
            really = (before + time.time()) / 2 - start
            arrived += [replace(put, at=really) for put in puts]
    until = max(scenario.until for scenario in scenarios)
    time.sleep(max(0.0, start + until - time.time()))
    received = [_received(when - start, path, body, site.turns) for when, path, body in list(site.inbox)]
    return Recording(
        start,
        settings(scenarios, site.generation, len(site.servers)),
        tuple(arrived),
        tuple(sorted(received, key=lambda each: each.at)),
    )


def _alert(put: Put, start: float) -> dict[str, Any]:
    ends_at = start + 3600 if put.ends_at == OPEN else start + put.ends_at
    return {"labels": dict(put.labels), "startsAt": _time(start + put.starts_at), "endsAt": _time(ends_at)}


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def _post(server: Alertmanager, body: bytes) -> None:
    request = Request(f"{server.url}/api/v2/alerts", body, {"Content-Type": "application/json"})
    with urlopen(request, timeout=PATIENCE) as response:
        assert response.status == 200


def _received(at: float, path: str, body: bytes, turns: Sequence[int]) -> Received:
    _, number, scenario = path.split("/")
    return Received(at, turns.index(int(number)), scenario, json.loads(body))


# Starting ---------------------------------------------------------------------------------------------------------


@contextmanager
def site(program: str, folder: Path, scenarios: Sequence[Scenario], replicas: int) -> Iterator[Site]:
    """Alertmanagers that are ready, each sending to a path that says who it is."""
    with ExitStack() as stack:
        running = Site(generation(program))
        port = stack.enter_context(_webhook(running.inbox))
        gossip = [_free_port() for _ in range(replicas)]
        for number in range(replicas):
            own = folder / f"{program}-{replicas}-{number}"
            own.mkdir()
            (own / "alertmanager.yaml").write_text(_configuration(scenarios, f"http://127.0.0.1:{port}/{number}"))
            cluster = (
                [f"--cluster.listen-address=127.0.0.1:{gossip[number]}", f"--cluster.peer-timeout={PEER_TIMEOUT}s"]
                + [f"--cluster.peer=127.0.0.1:{peer}" for peer in gossip if peer != gossip[number]]
                + [f"--cluster.gossip-interval={SETTLING}s", f"--cluster.pushpull-interval={SETTLING * 10}s"]
                if replicas > 1
                else ["--cluster.listen-address="]
            )
            running.servers.append(stack.enter_context(_start(program, own, cluster)))
        running.turns += _turns(running.servers)
        yield running


def _configuration(scenarios: Sequence[Scenario], url: str) -> str:
    data = json.loads(configuration(tree(scenarios)))
    for receiver in data["receivers"]:
        for scenario in scenarios:
            if scenario.name == receiver["name"]:
                hook = {"url": f"{url}/{scenario.name}", "send_resolved": scenario.send_resolved}
                receiver["webhook_configs"] = [hook]
    rules = [
        {
            "source_matchers": list(map(str, rule.source)),
            "target_matchers": list(map(str, rule.target)),
            "equal": list(rule.equal),
        }
        for rule in RULES
    ]
    return dump({**data, "inhibit_rules": rules})


@contextmanager
def _start(program: str, folder: Path, cluster: Sequence[str]) -> Iterator[Alertmanager]:
    port = _free_port()
    command = [
        program,
        f"--config.file={folder / 'alertmanager.yaml'}",
        f"--storage.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        *cluster,
    ]
    with (folder / "log").open("w") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            server = Alertmanager(port)
            deadline = time.monotonic() + PATIENCE
            while not server.is_ready():
                if process.poll() is not None:
                    explain_exit((folder / "log").read_text())
                assert time.monotonic() < deadline, "Alertmanager does not get ready"
                time.sleep(0.05)
            yield server
        finally:
            process.terminate()


def _turns(servers: Sequence[Alertmanager]) -> list[int]:
    """The servers' numbers in the order of their names, once all of them know each other and have settled."""
    if len(servers) == 1:
        return [0]
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found = [_cluster(server) for server in servers]
        if all(each["status"] == "ready" and len(each["peers"]) == len(servers) for each in found):
            return sorted(range(len(servers)), key=lambda number: str(found[number]["name"]))
        time.sleep(0.1)
    raise AssertionError("the Alertmanagers do not find each other")


def _cluster(server: Alertmanager) -> dict[str, Any]:
    with urlopen(f"{server.url}/api/v2/status", timeout=PATIENCE) as response:
        cluster: dict[str, Any] = json.load(response)["cluster"]
    return {"peers": [], **cluster}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def _webhook(inbox: list[tuple[float, str, bytes]]) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            at = time.time()
            inbox.append((at, self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        request_queue_size = 1024

    with Server(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server.server_port
        finally:
            server.shutdown()


def generation(program: str) -> Generation:
    """How the program's version times things."""
    result = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    match = re.search(r"version v?(\d+)\.(\d+)", result.stdout + result.stderr)
    assert match is not None
    version = int(match[1]), int(match[2])
    return BEFORE_0_30 if version < (0, 30) else SINCE_0_30 if version < (0, 32) else SINCE_0_32
