"""unknown-timezone: a time zone that the zone database does not have."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from homelabmon.checks.support.check import Check, Problem
from homelabmon.checks.support.context import Context
from homelabmon.spec.findings import Path, Severity


def _find(context: Context) -> Iterator[Problem]:
    for path, zone in _zones(context):
        if not is_zone(zone):
            yield Problem(path, f"{zone!r} is no time zone", _fix(context, zone))


_ABBREVIATED: Final = {
    **dict.fromkeys(("pst", "pdt", "pt", "pacific"), "America/Los_Angeles"),
    **dict.fromkeys(("mdt", "mt", "mountain"), "America/Denver"),
    **dict.fromkeys(("cst", "cdt", "ct", "central"), "America/Chicago"),
    **dict.fromkeys(("edt", "et", "eastern"), "America/New_York"),
    **dict.fromkeys(("akst", "akdt"), "America/Anchorage"),
    **dict.fromkeys(("bst", "uk"), "Europe/London"),
    **dict.fromkeys(("cest", "mez", "mesz"), "Europe/Berlin"),
    **dict.fromkeys(("eest",), "Europe/Helsinki"),
    **dict.fromkeys(("west",), "Europe/Lisbon"),
    **dict.fromkeys(("msk",), "Europe/Moscow"),
    **dict.fromkeys(("ist",), "Asia/Kolkata"),
    **dict.fromkeys(("jst",), "Asia/Tokyo"),
    **dict.fromkeys(("kst",), "Asia/Seoul"),
    **dict.fromkeys(("sgt",), "Asia/Singapore"),
    **dict.fromkeys(("aest", "aedt"), "Australia/Sydney"),
    **dict.fromkeys(("awst",), "Australia/Perth"),
    **dict.fromkeys(("nzst", "nzdt"), "Pacific/Auckland"),
    **dict.fromkeys(("z", "zulu", "local", "localtime"), "UTC"),
}
"""What people call a zone, by a place where that is the time; abbreviations themselves are ambiguous."""
_OFFSET: Final = re.compile(r"(?:utc|gmt)?\s*([+-])\s*0?(\d{1,2})(?::?00)?", re.IGNORECASE)


def _fix(context: Context, zone: str) -> str:
    """What to write: a place, as a zone of the database knows its changes of clocks."""
    place = _ABBREVIATED.get(zone.strip().lower())
    if place is not None:
        return f"write {place}, or the place whose clocks you mean"
    offset = _OFFSET.fullmatch(zone.strip())
    if offset is not None and int(offset[2]) <= 12:
        # The names of these zones have the sign of POSIX, the other way round.
        fixed = f"Etc/GMT{'-' if offset[1] == '+' else '+'}{offset[2]}" if int(offset[2]) else "UTC"
        return f"write a place, such as Europe/London, whose clocks change as yours do; or {fixed} for no change at all"
    from zoneinfo import available_timezones

    names = {name for name in available_timezones() if "/" in name or name == "UTC"}
    return context.likely(zone, names) or "write an IANA name, such as Europe/London"


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
