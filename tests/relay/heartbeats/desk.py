"""A keeper on a database in memory, with a clock that is moved by hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from homelabmon.relay.heartbeats import records
from homelabmon.relay.heartbeats.beats import Beat, beats_of
from homelabmon.relay.heartbeats.keeper import Keeper
from homelabmon.relay.heartbeats.records import Heard
from homelabmon.relay.heartbeats.state import Kind
from homelabmon.spec.relay_file import RelayFile
from tests.relay.fake_clock import FakeClock
from tests.relay.memory_disk import MemoryDisk as MemoryDisk

M: Final = 60.0
H: Final = 3600.0
DAY: Final = 86_400.0
MIDNIGHT: Final = 1_790_035_200.0
"""A Tuesday's, in UTC: 2026-09-22."""


def file_of(*heartbeats: Mapping[str, Any], **rest: Any) -> RelayFile:
    return RelayFile.model_validate(
        {
            "name": "home",
            "role": "outpost",
            "channels": {name: {"webhook_file": f"/secrets/{name}"} for name in ("ops", "media")},
            "default": {"name": "default", "channel": "ops", "group_by": ["alertname", "heartbeat"], "hold": "0s"},
            "database": "/data/outpost.db",
            "heartbeats": list(heartbeats),
            **rest,
        }
    )


def beats(*heartbeats: Mapping[str, Any]) -> Mapping[str, Beat]:
    return beats_of(file_of(*heartbeats))


NIGHTLY: Final = {"name": "nightly", "schedule": "0 3 * * *", "grace": "1h"}
HOURLY: Final = {"name": "hourly", "period": "1h", "grace": "10m"}


class Eyes:
    """Whether the service sees is set by hand. ``asked``: how often somebody wanted to be sure."""

    def __init__(self) -> None:
        self.blind_since: float | None = None
        self.goes_blind: float | None = None
        """Noticed when somebody asks: the moment since when nothing is seen."""
        self.asked = 0
        self._callbacks: list[Callable[[], None]] = []

    async def sure(self) -> bool:
        self.asked += 1
        if self.goes_blind is not None:
            self.blind_since, self.goes_blind = self.goes_blind, None
        return self.blind_since is None

    def on_return(self, callback: Callable[[], None]) -> None:
        self._callbacks.append(callback)

    def returns(self) -> None:
        self.blind_since = None
        for callback in self._callbacks:
            callback()


class Desk:
    """A keeper, and what it tells."""

    def __init__(self, *heartbeats: Mapping[str, Any], disk: MemoryDisk | None = None, now: float = MIDNIGHT) -> None:
        self.clock = FakeClock(now)
        self.disk = disk or MemoryDisk()
        self.nudges = 0
        self.eyes = Eyes()
        self.keeper = Keeper(self.disk, self.clock, self._nudge, beats(*heartbeats), sight=self.eyes)

    def _nudge(self) -> None:
        self.nudges += 1

    async def ping(
        self, name: str, kind: Kind = "success", *, at: float | None = None, create: bool = False, **rest: Any
    ) -> bool | None:
        now = self.clock.now()
        return await self.keeper.hear(name, Heard(kind, now if at is None else at, now, **rest), create=create)

    @property
    def second(self) -> float:
        """What the clock shows, in seconds after midnight."""
        return self.clock.now() - MIDNIGHT

    async def at(self, now: float) -> float:
        """The clock shows this (seconds after midnight), and the keeper looks."""
        self.clock.set_wall(MIDNIGHT + now)
        return await self.keeper.look()

    def told(self) -> list[tuple[str, str, float]]:
        """Takes what lies in the inbox: what happened to which heartbeat, and when, in seconds after midnight."""
        found = []
        for notice in self.notices():
            what = "event" if notice["event"] else "down" if notice["firing"] else "back"
            at = notice["starts_at"] if notice["firing"] else notice["ends_at"]
            found.append((what, notice["labels"].get("heartbeat", ""), at - MIDNIGHT))
        return found

    def notices(self) -> list[dict[str, Any]]:
        """Takes what lies in the inbox."""
        rows = self.disk.connection.execute("SELECT source, body FROM inbox ORDER BY id").fetchall()
        self.disk.connection.execute("DELETE FROM inbox")
        assert {source for source, _ in rows} <= {"own"}
        return [notice for _, body in rows for notice in json.loads(body)]

    def status(self, name: str) -> str | None:
        record = records.find(self.disk.connection, name)
        return None if record is None else record.state.status
