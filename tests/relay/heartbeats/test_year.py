"""A year of jobs that run as their schedulers run them: no false alarm, and no missed run unseen.

Every dialect, in zones whose clocks change by different rules, with jitter inside the grace; runs are dropped, hang and
fail on purpose. The keeper runs as it does in the service, on SQLite, in virtual time: what it tells, and the moment at
which it does, is compared with what each job knows of itself. All 200 jobs: ``HOMELABMON_YEAR=200``.
"""

from __future__ import annotations

import asyncio
import heapq
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import pairwise
from random import Random
from typing import Any, Final, Literal
from uuid import UUID

import pytest

from homelabmon.relay.heartbeats import keeper
from homelabmon.relay.heartbeats.state import Kind
from tests.relay.heartbeats.desk import Desk
from tests.relay.heartbeats.schedulers import Slot, runs, stretches
from tests.relay.heartbeats.test_schedules import at as moment

JOBS: Final = int(os.environ.get("HOMELABMON_YEAR", "28"))
BEGIN: Final = int(moment("2026-01-01"))
END: Final = int(moment("2027-01-01"))
ZONES: Final[Mapping[str, str]] = {
    "Europe/London": "30 1 * * *",
    "America/New_York": "30 1,2 * * *",
    "Australia/Lord_Howe": "10,45 1,2 * * *",  # by half an hour
    "Africa/Casablanca": "30 2 * * *",  # back for Ramadan, and forward again
    "Pacific/Chatham": "0 3 * * *",  # 12:45 and 13:45 ahead, at a quarter to three
    "America/Santiago": "15 0,23 * * *",  # at midnight
    "Africa/Cairo": "15 0,23 * * *",  # at midnight
    "America/Sao_Paulo": "0 0 * * *",  # not any more
}
"""Each with times of the day that a change of its clocks leaves out, or shows twice."""
KINDS: Final = ("debian", "kubernetes", "github", "vixie", "systemd", "debian", "period")
STYLES: Final = ("plain", "started", "limited", "eager", "soon")
SELDOM: Final = ("0 1,4 * * *", "0 3 * * 1", "20 2 * * 0", "59 1 1,15 * *", "5 2 * 3,4,9,10,11 *", "10 */6 * * *")
OFTEN: Final = ("0 * * * *", "7 */2 * * *", "*/30 * * * *")
CALENDARS: Final[Mapping[str, str]] = {
    "0 1,4 * * *": "1,4:00",
    "0 3 * * 1": "Mon 03:00",
    "20 2 * * 0": "Sun *-*-* 02:20:00",
    "59 1 1,15 * *": "*-*-01,15 01:59",
    "5 2 * 3,4,9,10,11 *": "*-3,4,9..11-* 02:05",
    "10 */6 * * *": "0/6:10",
    "0 * * * *": "hourly",
    "*/30 * * * *": "*:0/30",
    "7 */2 * * *": "0/2:07",
}
LOOK_EVERY: Final = 40 * 86_400.0
"""In place of ten seconds, or the year would have three million looks: the keeper sleeps from deadline to deadline."""

Fate = Literal["runs", "dropped", "hangs", "fails"]
LIKELY: Final[tuple[Fate, ...]] = (*("runs",) * 46, "dropped", "dropped", "fails", "hangs")
NEAR_A_CHANGE: Final[tuple[Fate, ...]] = ("runs", "dropped")
Told = tuple[str, float]
"""``down`` since, or ``back`` at, in Unix seconds."""


class Job:
    """One job: when it pings, and what people ought to be told of it. ``expected`` grows as the year goes on."""

    def __init__(self, number: int) -> None:
        self.dice = Random(number)
        self.name = f"job-{number:03}"
        self.kind = KINDS[number % len(KINDS)]
        self.style = "plain" if self.kind == "period" else STYLES[number // len(KINDS) % len(STYLES)]
        self.zone = list(ZONES)[number % len(ZONES)]
        self.expected: list[Told] = []
        self.dropped = 0
        self._down: float | None = None
        self._last = 0.0
        own, self.slots = self._schedule(number)
        gaps = [later.at - one.due for one, later in pairwise(self.slots)]
        self.grace = min(3600, min(gaps) // 4 // 60 * 60)
        self.start_grace, self.limit = self.grace // 4, self.grace * 3 // 2
        self.heartbeat = {"name": self.name, "grace": f"{self.grace}s", **own, **self._rules()}

    def _schedule(self, number: int) -> tuple[dict[str, Any], list[Slot]]:
        if self.kind == "period":
            self.period = self.dice.choice([3600] if number > 50 else [21_600, 86_400])
            return {"period": f"{self.period}s"}, [Slot(at, at) for at in range(BEGIN + 600, END, self.period)]
        tricky = ZONES[self.zone]
        text = self.dice.choice(OFTEN if number % 30 == 29 else SELDOM if number % 3 == 2 else (tricky,))
        own = {"schedule": text, "dialect": self.kind}
        if self.kind == "systemd":
            minute, hour, *_ = text.split()
            own = {"calendar": f"*-*-* {hour}:{minute}:00" if text == tricky else CALENDARS[text]}
        return {"timezone": self.zone, **own}, runs(text, self.zone, self.kind, BEGIN, END, self.dice)

    def _rules(self) -> dict[str, str]:
        match self.style:
            case "limited":
                return {"max_runtime": f"{self.limit}s"}
            case "eager":
                return {"early_tolerance": f"{self.grace // 2}s"}
            case "soon":
                return {"start_grace": f"{self.start_grace}s", "max_runtime": f"{self.limit}s"}
        return {}

    def life(self) -> Iterator[tuple[float, str, Kind, str | None]]:
        """Its pings in order: when, its name, what kind, and the run's id. What it means is noted."""
        changes = [one.begin for one in stretches(self.zone, BEGIN, END)]
        for number, slot in enumerate(self.slots):
            near = any(abs(slot.at - change) < 3 * 3600 for change in changes)
            fate: Fate = "runs" if number == 0 else self.dice.choice(NEAR_A_CHANGE if near else LIKELY)
            if fate == "hangs" and self.style in ("plain", "eager"):
                fate = "dropped"
            yield from self._run(slot, fate)

    def _run(self, slot: Slot, fate: Fate) -> Iterator[tuple[float, str, Kind, str | None]]:
        if fate == "dropped":
            self.dropped += 1
            late = self.start_grace if self.style == "soon" else self.grace
            self._is_down((self._last + self.period if self.kind == "period" else slot.due) + late)
            return
        begins = slot.at + self._jitter()
        rid = None
        if self.style in ("started", "limited", "soon"):
            rid = str(UUID(int=self.dice.getrandbits(128)))
            yield begins, self.name, "start", rid
            if fate == "hangs":
                self.dropped += 1
                limit = min(begins, slot.due) + self.grace if self.style == "started" else begins + self.limit
                self._is_down(limit)
                return
            begins += self.dice.random() * (self.grace * 0.4 if self.style == "started" else self.limit * 0.95)
        begins = self._last = round(begins, 3)
        if fate == "fails":
            yield begins, self.name, "fail", rid
            self._down = begins if self._down is None else self._down
            self.expected.append(("down", self._down))
            return
        yield begins, self.name, "success", rid
        if self._down is not None:
            self._down = None
            self.expected.append(("back", begins))

    def _jitter(self) -> float:
        most = {"started": self.grace / 2, "soon": self.start_grace}.get(self.style, self.grace)
        least = -self.grace / 2 if self.style == "eager" else 0.0
        return round(self.dice.uniform(least * 0.99, most * 0.99), 3)

    def _is_down(self, since: float) -> None:
        if self._down is None:
            self._down = since
            self.expected.append(("down", since))


class Listener(Desk):
    """Notes who is told of, and how late, at the very moment at which there is something to tell."""

    def __init__(self, *heartbeats: Mapping[str, Any]) -> None:
        super().__init__(*heartbeats, now=float(BEGIN))
        self.heard: dict[str, list[Told]] = {beat["name"]: [] for beat in heartbeats}
        self.latest = 0.0

    def _nudge(self) -> None:
        for notice in self.notices():
            down = notice["firing"]
            since = notice["starts_at"] if down else notice["ends_at"]
            self.heard[notice["labels"]["heartbeat"]].append(("down" if down else "back", since))
            if down and "failed" not in notice["annotations"]["summary"]:
                self.latest = max(self.latest, self.clock.now() - since)


def test_of_a_year_of_jobs_nothing_is_missed_unseen_and_no_alarm_is_false(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "LOOK_EVERY", LOOK_EVERY)

    async def scenario() -> None:
        jobs = [Job(number) for number in range(JOBS)]
        desk = Listener(*(job.heartbeat for job in jobs))
        running = asyncio.ensure_future(desk.keeper.run())
        for at, name, kind, rid in heapq.merge(*(job.life() for job in jobs)):
            await desk.clock.advance(at - desk.clock.now())
            await desk.ping(name, kind, at=at, rid=rid, exit_code=3 if kind == "fail" else None)
        await desk.clock.advance(END - 3600 - desk.clock.now())
        for job in jobs:
            told = [one for one in job.expected if one[1] < END - 3600]
            heard = [one for one in desk.heard[job.name] if one[1] < END - 3600]
            assert heard == told, (job.name, job.kind, job.style, job.heartbeat)
        assert desk.latest < 0.001
        assert sum(job.dropped for job in jobs) > 5 * JOBS
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

    asyncio.run(scenario())
