"""Real programs on loopback for tests: started, waited for, killed, started again; their folders outlive them."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from homelabmon.spec import names
from tests.outside import ROOT
from tests.routing.alertmanager import explain_exit

T = TypeVar("T")

PATIENCE = 40.0
"""Seconds until something that should have happened counts as missing."""
TOKEN = "acceptance-token"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eventually(look: Callable[[], T], what: str, patience: float = PATIENCE) -> T:
    """Looks until there is something true to see."""
    deadline = time.monotonic() + patience
    while not (found := look()):
        assert time.monotonic() < deadline, f"in vain: {what}"
        time.sleep(0.05)
    return found


def get(url: str, token: str | None = None) -> Any:
    """What is answered to a GET, as data where it is JSON; None when nothing proper is."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        with urlopen(Request(url, headers=headers), timeout=5) as response:
            text = response.read().decode()
    except (URLError, OSError):
        return None
    with suppress(ValueError):
        return json.loads(text)
    return text


def post(url: str, body: bytes, token: str | None = None) -> int:
    """The status of the answer to a POST; 0 when there is none."""
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    try:
        with urlopen(Request(url, body, headers), timeout=10) as response:
            return int(response.status)
    except HTTPError as error:
        return error.code
    except (URLError, OSError):
        return 0


class Program:
    """One process at a time, always on the same port and in the same folder."""

    ready_path = "/-/ready"

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def command(self) -> Sequence[str]:
        raise NotImplementedError

    def start(self, *, wait: bool = True) -> None:
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(self.command(), cwd=ROOT, stdout=log, stderr=log)
        if wait:
            self.wait()

    def wait(self) -> None:
        """Until it answers."""
        eventually(self._ready, f"{type(self).__name__} gets ready: {self.folder / 'log'}")

    def _ready(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            explain_exit((self.folder / "log").read_text())
        return get(self.url + self.ready_path) is not None

    def stop(self) -> None:
        """Lets it end."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(PATIENCE)
            self._process = None

    def kill(self) -> None:
        """Ends it at once, in the middle of whatever it does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(PATIENCE)
            self._process = None

    def __enter__(self) -> Self:
        self.start(wait=False)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()


class Alertmanager(Program):
    """One replica; ``peers`` are the others of its cluster. It needs a configuration before it starts."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.cluster_port = free_port()
        self.peers: list[Alertmanager] = []

    def configure(self, config: Mapping[str, Any]) -> None:
        (self.folder / "alertmanager.yaml").write_text(json.dumps(config))

    def command(self) -> Sequence[str]:
        return [
            "alertmanager",
            f"--config.file={self.folder / 'alertmanager.yaml'}",
            f"--storage.path={self.folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            f"--cluster.listen-address=127.0.0.1:{self.cluster_port}",
            f"--cluster.advertise-address=127.0.0.1:{self.cluster_port}",
            *(f"--cluster.peer=127.0.0.1:{peer.cluster_port}" for peer in self.peers),
            "--cluster.gossip-interval=20ms",
            "--cluster.settle-timeout=1s",
            "--cluster.peer-timeout=1s",
            "--cluster.reconnect-interval=500ms",
        ]

    def knows(self, alertname: str) -> bool:
        """Whether it lists an alert of that name."""
        return any(alert["labels"]["alertname"] == alertname for alert in get(f"{self.url}/api/v2/alerts") or ())


class Prometheus(Program):
    """Looks every second; ``config`` without the intervals."""

    def __init__(self, folder: Path, config: Mapping[str, Any], rules: Sequence[Mapping[str, Any]]) -> None:
        super().__init__(folder)
        (folder / "rules.yaml").write_text(json.dumps({"groups": [{"name": "all", "rules": rules}]}))
        every_second = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
        whole = {**config, "rule_files": [str(folder / "rules.yaml")]}
        whole["global"] = {**every_second, **config.get("global", {})}
        (folder / "prometheus.yaml").write_text(json.dumps(whole))

    def command(self) -> Sequence[str]:
        return [
            "prometheus",
            f"--config.file={self.folder / 'prometheus.yaml'}",
            f"--storage.tsdb.path={self.folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--rules.alert.resend-delay=1s",
        ]


class Relay(Program):
    """``homelabmon relay`` with this configuration; the rest of it is written here."""

    ready_path = "/readyz"

    def __init__(
        self, folder: Path, webhooks: Mapping[str, str], routes: Mapping[str, str], hold: str, **more: Any
    ) -> None:
        """``webhooks``: address by channel; ``routes``: channel by alert name, the first channel for all others."""
        super().__init__(folder)
        (folder / "token").write_text(TOKEN)
        for channel, url in webhooks.items():
            (folder / f"webhook-{channel}").write_text(url)
        shared = {"group_by": ["alertname"], "hold": {"default": hold}}
        config = {
            "version": 1,
            "name": "acceptance",
            "role": "relay",
            "channels": {channel: {"webhook_file": str(folder / f"webhook-{channel}")} for channel in webhooks},
            "default": {"name": "default", "channel": next(iter(webhooks)), **shared},
            "routes": [
                {"name": alertname.lower(), "channel": channel, "matchers": [f'alertname="{alertname}"'], **shared}
                for alertname, channel in routes.items()
            ],
            "intake": {"alertmanager_token_file": str(folder / "token")},
            "database": str(folder / "relay.db"),
            **more,
        }
        self.config = folder / "relay.yaml"
        self.config.write_text(json.dumps(config))

    def command(self) -> Sequence[str]:
        where = ["--config", str(self.config), "--listen", f"127.0.0.1:{self.port}"]
        return [sys.executable, "-m", "homelabmon", "relay", *where]

    def count(self, metric: str, channel: str) -> float:
        """A metric of a channel; 0 where there is none."""
        return self.total(f'{metric}{{channel="{channel}"}}')

    def total(self, series: str) -> float:
        """The value of a series, as it stands on the metrics page; 0 where it does not."""
        for line in str(get(self.url + names.PATH_METRICS) or "").splitlines():
            if line.startswith(f"{series} "):
                return float(line.rpartition(" ")[2])
        return 0.0
