"""A real Alertmanager on loopback, and a webhook for it to call."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

from tests.outside import unavailable

PATIENCE = 30.0
"""Seconds until something that should have happened counts as missing."""


class Alertmanager:
    """The program's API."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"

    def post(self, label_sets: Iterable[Mapping[str, str]], *, resolved: bool = False) -> None:
        """Send alerts that fire from now on for an hour, or did so until a minute ago."""
        now, minute, hour = datetime.now(UTC), timedelta(minutes=1), timedelta(hours=1)
        start, end = (now - hour, now - minute) if resolved else (now, now + hour)
        alerts = [
            {"labels": dict(labels), "startsAt": start.isoformat(), "endsAt": end.isoformat()} for labels in label_sets
        ]
        body = json.dumps(alerts).encode()
        request = Request(f"{self.url}/api/v2/alerts", body, {"Content-Type": "application/json"})
        with urlopen(request, timeout=PATIENCE) as response:
            assert response.status == 200

    def alerts(self) -> list[dict[str, Any]]:
        """The alerts that fire, muted or not."""
        with urlopen(f"{self.url}/api/v2/alerts", timeout=PATIENCE) as response:
            alerts: list[dict[str, Any]] = json.load(response)
        return alerts

    def is_ready(self) -> bool:
        """Whether it answers."""
        try:
            with urlopen(f"{self.url}/-/ready", timeout=1):
                return True
        except (URLError, OSError):
            return False


@contextmanager
def running(folder: Path, config: str) -> Iterator[Alertmanager]:
    """An Alertmanager with this configuration, without a cluster, listening on loopback."""
    (folder / "alertmanager.yaml").write_text(config)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        "alertmanager",
        f"--config.file={folder / 'alertmanager.yaml'}",
        f"--storage.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
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


def explain_exit(log: str) -> None:
    """Skip the test where Debian's program lacks its templates; fail it with the log otherwise."""
    if "default.tmpl: no such file" in log:
        unavailable("Debian's alertmanager reads its templates from /usr/share, and the package is not installed there")
    raise AssertionError(log)


@contextmanager
def webhook() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A URL that takes webhooks, and the payloads it has taken so far."""
    payloads: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            payloads.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        request_queue_size = 1024

    with Server(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/", payloads
        finally:
            server.shutdown()
