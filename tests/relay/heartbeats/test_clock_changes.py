"""Jobs that run as their schedulers run them, through changes of clocks: no false alarm, and no missed run unseen."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import product
from typing import Final
from zoneinfo import ZoneInfo

import pytest

from homelabmon.relay.heartbeats.schedules import schedule_of
from homelabmon.relay.heartbeats.state import Ping, Rules, born, look, take
from tests.relay.heartbeats.test_schedules import DIALECTS, FOLD, MINUTE, ZONES, changes, cron, fits, left_out

GRACE: Final = 300.0
DELAY: Final = 20.0
"""Seconds after its time that a job's ping comes."""
DAYS: Final = 2
TEXTS: Final = ("30 2 * * *", "0 1,3 * * *", "10 0 * * *", "*/30 * * * *")


def runs(text: str, zone: str, dialect: str, begin: int, end: int, *, second: bool) -> Iterator[int]:
    """When the job runs. ``second``: where nobody says in which of two equal hours, in the second one."""
    info, shows = ZoneInfo(zone), fits(text, dialect)
    numbers = dialect in ("debian", "github") and not any(field.startswith("*") for field in text.split()[:2])
    for now in range(begin, end, MINUTE):
        wall, before = (datetime.fromtimestamp(at, info).replace(tzinfo=None) for at in (now, now - MINUTE))
        if numbers and any(shows(skipped) for skipped in left_out(before, wall)):
            yield now
        elif shows(wall):
            near = range(now - FOLD * MINUTE, now + FOLD * MINUTE, MINUTE)
            twins = [at for at in near if datetime.fromtimestamp(at, info).replace(tzinfo=None) == wall]
            if not numbers or now == twins[-1 if second and dialect == "github" else 0]:
                yield now


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_who_runs_on_time_is_never_missed_and_who_does_not_always_is(zone: str, dialect: str) -> None:
    seconds = (False, True) if dialect == "github" else (False,)
    for change, second in product(changes(zone)[:2], seconds):
        begin = change // 86_400 * 86_400 - DAYS * 86_400
        for text in TEXTS:
            found = list(runs(text, zone, dialect, begin, begin + 2 * DAYS * 86_400, second=second))
            rules = Rules(schedule_of(cron(text, zone, dialect)), GRACE)
            state = take(born(0.0), Ping("success", found[0] + DELAY))
            for at in found[1:]:
                late = at + DELAY
                assert look(state, rules, late).status == "up", (text, at)
                missed = look(state, rules, at + GRACE + (0 if second or dialect != "github" else 2 * 3600))
                assert missed.status == "down", (text, at)
                state = take(state, Ping("success", late))
