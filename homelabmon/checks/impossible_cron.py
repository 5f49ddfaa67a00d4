"""impossible-cron: a schedule that cannot be read, or that never comes about."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from homelabmon.checks.support.check import Check, Problem
from homelabmon.checks.support.context import Context
from homelabmon.checks.support.cron import cron_flaw
from homelabmon.spec.cron import ALIASES
from homelabmon.spec.findings import Path, Severity
from homelabmon.spec.watch import Heartbeat


def _find(context: Context) -> Iterator[Problem]:
    for number, beat in enumerate(context.stack.heartbeats):
        path: Path = ("heartbeats", number)
        if beat.schedule is not None and (flaw := cron_flaw(beat.schedule)):
            message, fix = flaw
            yield Problem((*path, "schedule"), message, fix or context.guess(beat.schedule, ALIASES, "aliases: "))
        if beat.calendar is not None and (flaw := _calendar_flaw(beat.calendar)):
            yield Problem((*path, "calendar"), *flaw)
        yield from _dialect(beat, path)


@lru_cache(maxsize=4096)
def _calendar_flaw(text: str) -> tuple[str, str] | None:
    from zoneinfo import available_timezones

    from homelabmon.spec.on_calendar import CalendarError, check_calendar

    zones = available_timezones() if text.split()[-1:] and text.split()[-1][:1].isalpha() and " " in text else ()
    try:
        check_calendar(text, zones)
    except CalendarError as error:
        what = str(error)
        return what if what.startswith(repr(text)) else f"{text!r}: {what}", error.fix
    return None


def _dialect(beat: Heartbeat, path: Path) -> Iterator[Problem]:
    """Whose rules hold must be those of who runs it."""
    if beat.dialect is None:
        return
    if beat.schedule is not None and beat.dialect == "systemd":
        message = "dialect systemd belongs to `calendar`, and this is a cron expression"
        yield Problem((*path, "dialect"), message, "write calendar, or another dialect", Severity.WARNING)
    if beat.calendar is not None and beat.dialect != "systemd":
        message = f"dialect {beat.dialect} belongs to `schedule`, and this is systemd's OnCalendar"
        yield Problem((*path, "dialect"), message, "remove dialect, or write schedule", Severity.WARNING)


CHECK = Check("impossible-cron", Severity.ERROR, "A heartbeat's schedule cannot be read, or never comes about.", _find)
