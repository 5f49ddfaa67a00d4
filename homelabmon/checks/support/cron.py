"""Cron expressions: what is wrong with one, and the gap between its runs. cronsim is imported when one is read."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice, pairwise
from typing import Final

from homelabmon.spec.cron import cron_of

_FIELDS: Final = {
    "Bad minute": ("minute", "0 to 59"),
    "Bad hour": ("hour", "0 to 23"),
    "Bad day-of-month": ("day of the month", "1 to 31"),
    "Bad month": ("month", "1 to 12, or JAN to DEC"),
    "Bad day-of-week": ("day of the week", "0 to 7, or SUN to SAT"),
}
_START: Final = datetime(2024, 1, 1, tzinfo=UTC)
_SEEN: Final = 9
_CALENDAR: Final = frozenset(
    {"hourly", "daily", "weekly", "monthly", "quarterly", "semiannually", "yearly", "annually"}
)
"""Words of systemd's calendar, which people write in place of a cron expression."""
_POSITIONS: Final = {name: number for number, name in enumerate(_FIELDS)}


@lru_cache(maxsize=4096)
def cron_flaw(text: str) -> tuple[str, str] | None:
    """What is wrong with a cron expression, and what to write; None when nothing is."""
    written = text.strip()
    if written.startswith("@") and cron_of(written) == written:
        if written.lower() in ("@reboot", "@every_reboot"):
            return f"{written} is at no time of its own, so nobody can tell when it is late", "write a `period`"
        if written.lower().startswith("@every "):
            return f"{written!r} is no cron expression", f"write `period: {written.split()[1]}`"
        return f"{written!r} is no schedule", ""
    fields = cron_of(written).split()
    if len(fields) != 5:
        hint = "write minute, hour, day of the month, month, day of the week, as in 0 3 * * *"
        if fields and fields[0].upper().startswith(("TZ=", "CRON_TZ=")):
            zone = fields[0].partition("=")[2]
            return f"{text!r} begins with a time zone", f"write timezone: {zone} and schedule: {' '.join(fields[1:])!r}"
        if len(fields) == 1 and fields[0].lower() in _CALENDAR:
            return f"{text!r} is no cron expression", f"write `calendar: {fields[0].lower()}`"
        if len(fields) == 6:
            hint = f"seconds and years are not known here: did you mean {' '.join(fields[1:])!r}?"
        return f"{text!r} has {len(fields)} field{'' if len(fields) == 1 else 's'}, not 5", hint
    return _refused(text, fields)


def _refused(text: str, fields: list[str]) -> tuple[str, str] | None:
    from cronsim import CronSim, CronSimError

    try:
        next(CronSim(" ".join(fields), _START))
    except StopIteration:
        return f"{text!r} never comes about", "check day and month"
    except CronSimError as error:
        reason = str(error)
    else:
        return None
    if reason in _FIELDS:
        name, range_ = _FIELDS[reason]
        field = fields[_POSITIONS[reason]]
        if reason == "Bad day-of-month" and field.replace(",", "").isdecimal() and 0 < int(field.split(",")[0]) <= 31:
            return f"{text!r} never comes about: no such month has {field} days", "check day and month"
        return _odd_field(text, field, name) or (f"{text!r}: {field!r} is no {name}", f"it goes from {range_}")
    return f"{text!r} is no cron expression: {reason}", "write five fields, as in 0 3 * * *"


_ENDS: Final = {
    "minute": (0, 59),
    "hour": (0, 23),
    "day of the month": (1, 31),
    "month": (1, 12),
    "day of the week": (0, 6),
}
_RANGE: Final = re.compile(r"(\d+)-(\d+)(?:/\d+)?")


def _odd_field(text: str, field: str, name: str) -> tuple[str, str] | None:
    """A mistake in how a field is written, whichever field it is."""
    for part in field.split(","):
        range_ = _RANGE.fullmatch(part)
        if not part:
            return f"{text!r}: nothing stands beside a comma in {field!r}", "remove the comma"
        if part.partition("/")[2] == "0":
            return f"{text!r}: {part!r} steps by nothing", "write a step of 1 or more, as in */5"
        if range_ is not None and int(range_[1]) > int(range_[2]):
            first, last = _ENDS[name]
            return (
                f"{text!r}: the range {part!r} ends before it begins",
                f"write {range_[1]}-{last},{first}-{range_[2]} to go past the end, or {range_[2]}-{range_[1]}",
            )
        if part in ("H", "?") or part.startswith("H/"):
            return f"{text!r}: {part!r} is of another scheduler (Jenkins, Quartz)", "write * or a number"
    return None


@lru_cache(maxsize=4096)
def shortest_gap(text: str) -> timedelta | None:
    """The shortest time between the first few runs, which a later one may still undercut; None without two runs."""
    from cronsim import CronSim

    times = list(islice(CronSim(cron_of(text), _START), _SEEN))
    return min((later - earlier for earlier, later in pairwise(times)), default=None)
