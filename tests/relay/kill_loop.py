"""Kills relays with SIGKILL at random moments while alerts come in, and counts what was lost and what was repeated.

``python -m tests.relay.kill_loop --kills 300 --seed 1 --summary FILE``; the exit code is 1 when anything was lost, or
more messages were repeated than relays killed. Several relays are killed side by side, each with its own database,
channels and sender. A sender does as Alertmanager does: it repeats a group until it is answered by 200.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from homelabmon.relay.reconcile.prometheus import fingerprint
from homelabmon.spec import names
from tests.outside import ROOT
from tests.relay.discord_process import DiscordProcess
from tests.relay.programs import PATIENCE, TOKEN, Relay, eventually, get, post

CHANNELS: Final = 6
"""Of each relay: one channel takes thirty messages a minute, which would make the end take long."""
EARLY: Final = 0.2
"""The share of relays that are killed while they start."""
LONGEST_START: Final = 0.3
LONGEST_LIFE: Final = 0.5
"""Seconds from when a relay answers to its kill: into what it takes, saves, posts."""
PAUSE: Final = 0.1
"""Seconds between two groups of a sender."""
DRAIN: Final = 150.0
"""Seconds in which the last relay of each kind has to tell everything that is left."""
_NAME: Final = r"alert-\d+-\d+"
_GROUP: Final = r"Group\d+"


@dataclass
class Summary:
    """What came of it. ``lost``: alerts that were answered by 200 and stand in no message."""

    seed: int
    kills: int = 0
    alerts: int = 0
    messages: int = 0
    repeated: int = 0
    lost: list[str] = field(default_factory=list)
    unbalanced: list[str] = field(default_factory=list)
    """Channels whose accounts do not add up, or in which something still waits."""
    seconds: float = 0.0

    @property
    def good(self) -> bool:
        return not self.lost and not self.unbalanced and self.repeated <= self.kills

    def __str__(self) -> str:
        return (
            f"seed {self.seed}: {self.kills} kills in {self.seconds:.0f} s, {self.alerts} alerts in {self.messages} "
            f"messages, {len(self.lost)} lost, {self.repeated} repeated"
        )


class Nursery:
    """Starts one relay after the other."""

    def __init__(self, relay: Relay) -> None:
        command = [sys.executable, "-m", "tests.relay.nursery", str(relay.config), str(relay.port)]
        with (relay.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log
            )
        self._child = 0

    def start(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        self._child = int(self._process.stdout.readline())

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        assert self._process.stdout is not None
        os.kill(self._child, how)
        assert self._process.stdout.readline() == "\n"

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(PATIENCE)
        self._process.stdout.close()


class Sender(threading.Thread):
    """Tells groups of alerts, some of which end later, until it is told to stop. ``told``: what was answered by 200."""

    def __init__(self, relay: Relay, number: int, seed: int) -> None:
        super().__init__(name=f"sender {number}", daemon=True)
        self._relay, self._number = relay, number
        self._random = random.Random(seed)
        self._enough = threading.Event()
        self._count = 0
        self.told: set[str] = set()

    def stop(self) -> None:
        self._enough.set()
        self.join(PATIENCE)
        assert not self.is_alive(), "the sender is stuck"

    def run(self) -> None:
        group = 0
        ending: list[tuple[int, list[str], datetime]] = []
        while not self._enough.is_set():
            group += 1
            alerts = [self._fresh_name() for _ in range(self._random.randint(1, 4))]
            began = datetime.now(UTC)
            self._tell(group, alerts, began, None)
            if group % 2:
                ending.append((group, alerts, began))
            if len(ending) > 5:
                number, ended, start = ending.pop(0)
                self._tell(number, ended, start, datetime.now(UTC))
            self._enough.wait(PAUSE)

    def _fresh_name(self) -> str:
        self._count += 1
        return f"alert-{self._number}-{self._count}"

    def _tell(self, group: int, alerts: Sequence[str], began: datetime, ended: datetime | None) -> None:
        body = json.dumps(_payload(group, alerts, began, ended)).encode()
        while post(self._relay.url + names.PATH_ALERTMANAGER, body, TOKEN) != 200:
            time.sleep(0.02)
        self.told.update(alerts)


def _payload(group: int, alerts: Iterable[str], began: datetime, ended: datetime | None) -> dict[str, Any]:
    """Alertmanager's webhook. Every third group is held for a second, and never ends within that."""
    held = group % 3 == 0
    common = {
        "alertname": f"Group{group}",
        "severity": "warning" if held else "critical",
        "part": str(group % CHANNELS),
    }
    if ended is not None and held:
        ended = max(ended, began + timedelta(seconds=2))
    return {
        "version": "4",
        "groupKey": f'{{}}/{{part="{group % CHANNELS}"}}:{{alertname="Group{group}"}}',
        "status": "firing" if ended is None else "resolved",
        "alerts": [
            {
                "status": "firing" if ended is None else "resolved",
                "labels": {**common, "name": name},
                "annotations": {},
                "startsAt": began.isoformat(),
                "endsAt": "0001-01-01T00:00:00Z" if ended is None else ended.isoformat(),
                "fingerprint": fingerprint({**common, "name": name}),
            }
            for name in alerts
        ],
    }


def run(kills: int, seed: int, relays: int, folder: Path) -> Summary:
    """Kills so many relays in all."""
    summary, begun = Summary(seed), time.monotonic()
    channels = [f"c{number}-{part}" for number in range(relays) for part in range(CHANNELS)]
    with DiscordProcess(*channels, unlimited=True) as discord, ThreadPoolExecutor(relays) as threads:
        discord.fault("slow", seconds=0.03)
        shares = [kills // relays + (number < kills % relays) for number in range(relays)]
        parts = [
            threads.submit(_one_relay, number, share, seed * 1000 + number, folder / str(number), discord)
            for number, share in enumerate(shares)
        ]
        told = set[str]()
        for part, share in zip(parts, shares, strict=True):
            alerts, unbalanced = part.result()
            told |= alerts
            summary.unbalanced += unbalanced
            summary.kills += share
        messages = discord.messages()
        summary.alerts, summary.messages = len(told), len(messages)
        summary.lost = sorted(told - visible(messages))
        summary.repeated = sum(repeated([one for one in messages if one["webhook"] == name]) for name in channels)
    summary.seconds = time.monotonic() - begun
    return summary


def _one_relay(number: int, kills: int, seed: int, folder: Path, discord: DiscordProcess) -> tuple[set[str], list[str]]:
    """One relay's lives: the alerts that were told, and the channels in which something does not add up."""
    channels = [f"c{number}-{part}" for part in range(CHANNELS)]
    relay = Relay(folder, {name: discord.webhooks[name] for name in channels}, {}, "1s")
    _route_by_part(relay, channels)
    chance, nursery, sender = random.Random(seed), Nursery(relay), Sender(relay, number, seed)
    sender.start()
    try:
        for _ in range(kills):
            nursery.start()
            if chance.random() < EARLY:
                time.sleep(chance.random() * LONGEST_START)
            else:
                eventually(lambda: get(relay.url + names.PATH_HEALTH) is not None, "the relay answers")
                time.sleep(chance.random() * LONGEST_LIFE)
            nursery.kill()
        nursery.start()
        sender.stop()
        eventually(lambda: _drained(relay, channels), f"everything is told: {relay.folder / 'log'}", DRAIN)
        unbalanced = [name for name in channels if not _balances(relay, name)]
        nursery.kill(signal.SIGTERM)
    finally:
        nursery.close()
    return sender.told, unbalanced


def _route_by_part(relay: Relay, channels: Sequence[str]) -> None:
    config = json.loads(relay.config.read_text())
    shared = {"group_by": ["alertname"], "hold": {"default": "1s"}}
    config["routes"] = [
        {"name": name, "channel": name, "matchers": [f'part="{part}"'], **shared} for part, name in enumerate(channels)
    ]
    relay.config.write_text(json.dumps(config))


def _drained(relay: Relay, channels: Iterable[str]) -> bool:
    if get(relay.url + names.PATH_READY) is None:
        return False
    return not any(relay.count(names.METRIC_QUEUED, name) for name in channels) and relay.total(names.METRIC_INBOX) == 0


def _balances(relay: Relay, channel: str) -> bool:
    received = relay.count(names.METRIC_RECEIVED, channel)
    others = (names.METRIC_POSTED, names.METRIC_SUPPRESSED, names.METRIC_DEDUPLICATED, names.METRIC_DEAD_LETTERED)
    return received > 0 and received == sum(relay.count(metric, channel) for metric in others)


def visible(messages: Iterable[dict[str, Any]]) -> set[str]:
    standing = (one["text"] for one in messages if one["deleted_at"] is None)
    return {name for text in standing for name in re.findall(_NAME, text)}


def repeated(messages: Iterable[dict[str, Any]]) -> int:
    """How many messages of a channel tell, when they are posted, only of groups that an earlier one tells of."""
    seen, repeated = set[str](), 0
    for message in sorted(messages, key=lambda one: int(one["id"])):
        groups = set(re.findall(_GROUP, json.dumps(message["versions"][0]["payload"])))
        repeated += groups <= seen
        seen |= groups
    return repeated


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.relay.kill_loop", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--relays", type=int, default=3, help="killed side by side")
    parser.add_argument("--summary", type=Path, help="file for the summary, as JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        summary = run(options.kills, options.seed, options.relays, Path(folder))
    if options.summary is not None:
        options.summary.write_text(json.dumps(asdict(summary), indent=2) + "\n")
    print(summary)
    return 0 if summary.good else 1


if __name__ == "__main__":
    sys.exit(main())
