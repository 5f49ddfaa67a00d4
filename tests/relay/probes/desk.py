"""Probes without a network: a keeper on a database in memory, answers that are made up, a clock moved by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from homelabmon.relay import history
from homelabmon.relay.probes import records
from homelabmon.relay.probes.keeper import Checked, Keeper, Taken
from homelabmon.relay.probes.outcome import Outcome, Theirs
from homelabmon.relay.probes.state import State
from homelabmon.relay.probes.targets import Target, target_of, targets_of
from homelabmon.spec.watch import Probe
from tests.relay.fake_clock import FakeClock
from tests.relay.heartbeats.desk import MIDNIGHT, MemoryDisk, file_of

OK: Final = Outcome("ok", latency=0.1)
SLOW: Final = Outcome("ok", latency=3.0)
BAD: Final = Outcome("failed", "status 503 instead of 200", latency=0.1)
CANNOT: Final = Outcome("unknown", "cannot ping here")

GHCR: Final = {"name": "ghcr", "url": "https://ghcr.io/v2/", "expect": {"status": [200, 401]}}


def target(**fields: Any) -> Target:
    return target_of(Probe.model_validate({"name": "a", "url": "https://a.example/", **fields}))


def targets(*probes: Mapping[str, Any]) -> dict[str, Target]:
    return dict(targets_of(file_of(probes=list(probes))))


def chain(*names: str, **fields: Any) -> list[dict[str, Any]]:
    """Probes of which each is the parent of the next."""
    return [
        {"name": name, "url": f"https://{name}.example/", **({"parent": parent} if parent else {}), **fields}
        for name, parent in zip(names, (None, *names), strict=False)
    ]


class Desk:
    """A keeper, and what it tells. Times are seconds after midnight."""

    def __init__(self, *probes: Mapping[str, Any], disk: MemoryDisk | None = None) -> None:
        self.clock = FakeClock(MIDNIGHT)
        self.disk = disk or MemoryDisk()
        self.nudges = 0
        self.elsewhere: frozenset[str] = frozenset()
        self.keeper = Keeper(self.disk, self.clock, self._nudge, targets(*probes), lambda *_: self.elsewhere)

    def _nudge(self) -> None:
        self.nudges += 1

    async def take(self, at: float, theirs: Theirs | None = None, **found: Outcome) -> Taken:
        """At that second these checks end, which began then as well."""
        self.clock.set_wall(MIDNIGHT + at)
        return await self.keeper.take(
            [Checked(name, MIDNIGHT + at, outcome, theirs) for name, outcome in found.items()]
        )

    def told(self) -> list[tuple[str, str, str, float]]:
        """Takes what lies in the inbox: what began or ended, of which probe, and when."""
        return [
            (
                "begins" if one["firing"] else "ends",
                one["labels"]["alertname"],
                one["labels"]["probe"],
                (one["starts_at"] if one["firing"] else one["ends_at"]) - MIDNIGHT,
            )
            for one in self.notices()
        ]

    def notices(self) -> list[dict[str, Any]]:
        rows = self.disk.connection.execute("SELECT source, body FROM inbox ORDER BY id").fetchall()
        self.disk.connection.execute("DELETE FROM inbox")
        assert {source for source, _ in rows} <= {"own"}
        return [notice for _, body in rows for notice in json.loads(body)]

    def state(self, name: str) -> State:
        return records.everything(self.disk.connection)[name].state

    def noted(self, name: str) -> list[tuple[float, str]]:
        found = history.spans(self.disk.connection, history.of_probe(name), 0.0)
        return [(span.began - MIDNIGHT, span.state) for span in found]
