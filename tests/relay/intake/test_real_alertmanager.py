"""What a real Alertmanager sends is read as it meant it: fingerprints, times, and the key of the route."""

from __future__ import annotations

import http.server
import json
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from homelabmon.relay.intake.alertmanager import parse
from homelabmon.relay.intake.contract import Parsed
from homelabmon.relay.intake.reading import fingerprint
from homelabmon.routing.tree import RouteNode, RouteTree
from homelabmon.spec.matchers import parse_matcher

MATCHERS = ['odd=~".*[:{}\\"].*"', 'severity="warning"']
LABELS = {"alertname": 'Strange {name="x"}:{}', "severity": "warning", "odd": ':{a="b"}\\ "\u2603"\n}'}
CONFIG = {
    "route": {
        "receiver": "relay",
        "group_by": ["alertname", "odd"],
        "group_wait": "0s",
        "routes": [{"receiver": "relay", "matchers": MATCHERS, "group_wait": "0s"}],
    },
    "receivers": [{"name": "relay", "webhook_configs": [{"url": "http://127.0.0.1:{port}/", "max_alerts": 0}]}],
}


class Collector(http.server.BaseHTTPRequestHandler):
    """Keeps what is posted."""

    bodies: list[bytes]
    arrived: threading.Event

    def do_POST(self) -> None:
        self.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.end_headers()
        self.arrived.set()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def collector() -> Iterator[tuple[type[Collector], int]]:
    handler = type("Handler", (Collector,), {"bodies": [], "arrived": threading.Event()})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield handler, server.server_address[1]
        server.shutdown()


@pytest.mark.program("alertmanager")
def test_a_real_alertmanagers_group_is_read_as_it_was_meant(
    tmp_path: Path, collector: tuple[type[Collector], int]
) -> None:
    handler, port = collector
    config = tmp_path / "alertmanager.yml"
    config.write_text(json.dumps(CONFIG).replace("{port}", str(port)))
    own = free_port()
    command = ["alertmanager", f"--config.file={config}", f"--storage.path={tmp_path / 'data'}",
               f"--web.listen-address=127.0.0.1:{own}", "--cluster.listen-address="]  # fmt: skip
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            post(own, [{"labels": LABELS, "startsAt": "2026-11-22T20:31:16.123456789+01:00"}])
            assert handler.arrived.wait(30)
        finally:
            process.terminate()
    told = parse(handler.bodies[0], 0.0)
    assert isinstance(told, Parsed)
    (notice,) = told.notices
    assert notice.labels == LABELS
    assert notice.fingerprint == json.loads(handler.bodies[0])["alerts"][0]["fingerprint"] == fingerprint(LABELS)
    assert notice.starts_at == 1795375876.123456789
    assert told.route_key == ours().match(LABELS)[0].key


def ours() -> RouteTree[None]:
    matchers = tuple(parse_matcher(text) for text in MATCHERS)
    child = RouteNode[None]("strange", matchers=matchers, payload=None)
    return RouteTree(RouteNode[None]("root", receiver="relay", routes=(child,), payload=None))


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def post(port: int, alerts: object) -> None:
    """Posts alerts as soon as Alertmanager listens."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/v2/alerts",
        json.dumps(alerts).encode(),
        {"Content-Type": "application/json"},
    )
    deadline = time.monotonic() + 30
    while True:
        try:
            urllib.request.urlopen(request, timeout=5).close()
            return
        except OSError:
            assert time.monotonic() < deadline, "Alertmanager does not listen"
            threading.Event().wait(0.05)
