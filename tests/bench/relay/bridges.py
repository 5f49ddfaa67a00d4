"""What is measured: our relay as a process, and other bridges, each started the way its own README says."""

from __future__ import annotations

import os
import shlex
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.outside import ROOT

PATIENCE: Final = 20.0
"""Seconds a bridge gets to answer its first request."""


@dataclass(frozen=True, slots=True)
class Bridge:
    """A program that takes Alertmanager's webhooks. ``url``: where. ``token``: what it wants to be shown."""

    name: str
    url: str
    process: subprocess.Popen[bytes]
    token: str = ""

    def resident(self) -> float:
        """MiB of memory it holds."""
        return self._status("VmRSS")

    def peak(self) -> float:
        """MiB of memory it has held at most."""
        return self._status("VmHWM")

    def forget_peak(self) -> None:
        """The peak is counted from now on."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")

    def _status(self, key: str) -> float:
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        (line,) = [line for line in lines if line.startswith(key)]
        return int(line.split()[1]) / 1024


TOKEN: Final = "a-token-of-the-benchmark"  # no secret
RELAY: Final = """\
version: 1
name: bench
role: relay
channels: {{ops: {{webhook_file: {folder}/webhook}}}}
intake: {{alertmanager_token_file: {folder}/token}}
default: {{name: default, channel: ops, group_by: [alertname], hold: {{default: {hold}s, critical: 0s}}}}
database: {folder}/relay.db
"""


@contextmanager
def relay(webhook: str, folder: Path, *, hold: int = 0) -> Iterator[Bridge]:
    """Ours. Every alert is told at once, unless ``hold`` says otherwise."""
    (folder / "webhook").write_text(webhook)
    (folder / "token").write_text(TOKEN)
    (folder / "relay.yaml").write_text(RELAY.format(folder=folder, hold=hold))
    port = free_port()
    listen = ["--config", str(folder / "relay.yaml"), "--listen", f"127.0.0.1:{port}"]
    command = [sys.executable, "-m", "homelabmon", "relay", *listen]
    with running("homelabmon", command, f"http://127.0.0.1:{port}/v1/alertmanager", folder, TOKEN) as bridge:
        yield bridge


@contextmanager
def peer(name: str, template: str, webhook: str, folder: Path) -> Iterator[Bridge]:
    """Another bridge: its command, with ``{webhook}``, ``{port}`` and ``{listen}`` filled in."""
    port = free_port()
    words = [word.format(webhook=webhook, port=port, listen=f"127.0.0.1:{port}") for word in shlex.split(template)]
    with running(name, words, f"http://127.0.0.1:{port}/", folder) as bridge:
        yield bridge


@contextmanager
def running(name: str, command: list[str], url: str, folder: Path, token: str = "") -> Iterator[Bridge]:
    """The program, from when it answers until the end of the block. What it says goes into a file of the folder."""
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=log, stderr=log, env={**os.environ, "PYTHONUNBUFFERED": "1"}
        )
    try:
        wait_for(url, process, folder / f"{name}.log")
        yield Bridge(name, url, process, token)
    finally:
        process.terminate()
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Returns when something answers there. Raises RuntimeError with what the program said when nothing does."""
    give_up = time.monotonic() + PATIENCE
    while time.monotonic() < give_up and process.poll() is None:
        try:
            urllib.request.urlopen(url.partition("/v1/")[0], timeout=1).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"{process.args!r} does not answer: {log.read_text(errors='replace')[-2000:]}")


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
