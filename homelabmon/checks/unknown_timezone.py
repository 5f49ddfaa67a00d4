"""unknown-timezone: a time zone that the zone database does not have."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from homelabmon.checks.support.check import Check, Problem
from homelabmon.checks.support.context import Context
from homelabmon.spec.findings import Path, Severity


def _find(context: Context) -> Iterator[Problem]:
    for path, zone in _zones(context):
        if not is_zone(zone):
            from zoneinfo import available_timezones

            fix = context.likely(zone, available_timezones()) or "write an IANA name, such as Europe/London"
            yield Problem(path, f"{zone!r} is no time zone", fix)


def _zones(context: Context) -> Iterator[tuple[Path, str]]:
    for number, window in enumerate(context.stack.maintenance):
        yield ("maintenance", number, "timezone"), window.timezone
    for number, beat in enumerate(context.stack.heartbeats):
        yield ("heartbeats", number, "timezone"), beat.timezone


@lru_cache(maxsize=1024)
def is_zone(name: str) -> bool:
    """Whether the zone database has it. Without a database every name passes: nothing can be said."""
    if name == "UTC":
        return True
    from zoneinfo import ZoneInfo, available_timezones

    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # ZoneInfoNotFoundError is a KeyError
        return not available_timezones()
    return True


CHECK = Check(
    "unknown-timezone",
    Severity.ERROR,
    "A heartbeat or a maintenance window is in a time zone that does not exist.",
    _find,
)
