"""The heartbeats of a configuration, ready for use.

Used by the keeper and the addresses. May import: its neighbours, spec.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from homelabmon.relay.heartbeats.schedules import Period
from homelabmon.relay.heartbeats.state import Rules, rules_of
from homelabmon.spec.relay_file import RelayFile
from homelabmon.spec.watch import Heartbeat


@dataclass(frozen=True, slots=True)
class Beat:
    """One heartbeat. ``written``: its rules as they were written down, to tell when they change."""

    name: str
    rules: Rules
    severity: str
    description: str
    written: str


def beats_of(file: RelayFile) -> Mapping[str, Beat]:
    """Those of a configuration, by name. Raises ScheduleError; reading the configuration has raised it before."""
    return {beat.name: _beat(beat) for beat in file.heartbeats}


def made(name: str) -> Beat:
    """One that a client asked for by ``?create=1``: once a day with an hour of grace, as with healthchecks."""
    return Beat(name, _DAILY, "warning", "", "made by a ping")


_DAILY: Final = Rules(Period(86_400.0), grace=3600.0)


def _beat(beat: Heartbeat) -> Beat:
    shown = beat.model_dump_json(exclude={"name", "description", "severity", "channel", "group"}, exclude_defaults=True)
    return Beat(beat.name, rules_of(beat), beat.severity, beat.description, shown)
