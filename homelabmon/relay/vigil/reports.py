"""What the cluster's relay reports of itself, and what of it the disk has at the outpost.

Each report replaces the one before it. Reports are what the outpost adds to its own words, and what it need not say
again: they prove nothing, and an outpost without any works as well. Pure, and SQL. Used by the vigil, and by whoever
tells of probes. May import: relay.intake.reading, relay.vigil.texts, spec.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from homelabmon.relay.intake.reading import UnreadableError, json_of, plain, text_of, texts, written
from homelabmon.relay.vigil.texts import read, write
from homelabmon.spec import names

VERSION: Final = 1
EVERY: Final = 60.0
"""Seconds between reports when nothing changes."""
FRESH: Final = 150.0
"""Seconds after which a report is too old to say how things stand: two were missed."""
MOST_OPEN: Final = 50
"""Incidents that a report lists."""
_KEY: Final = "report"
_LONGEST: Final = 300
_LABELS: Final = 12


@dataclass(frozen=True, slots=True)
class OpenAlert:
    """An alert that the cluster has told people of, and that goes on."""

    labels: Mapping[str, str]
    severity: str
    since: float
    title: str


@dataclass(frozen=True, slots=True)
class Report:
    """How a relay is. Times are Unix seconds by its own clock."""

    name: str
    at: float
    started_at: float
    stored: bool = True
    """Whether its disk works."""
    watchdog_missing: bool = False
    """Its Alertmanagers answer, and know of no Watchdog."""
    open: tuple[OpenAlert, ...] = ()
    """The worst first."""
    more: int = 0
    """How many more are open than are listed."""
    failing: tuple[str, ...] = ()
    """Channels that do not deliver."""


@dataclass(frozen=True, slots=True)
class Received:
    """A report, and when it came, by the outpost's clock."""

    at: float
    report: Report

    def fresh(self, now: float) -> bool:
        """Whether it still says how things stand."""
        return now - self.at <= FRESH


def body_of(report: Report) -> bytes:
    """A report as it is sent."""
    return written(
        {
            "version": VERSION,
            "name": report.name,
            "at": report.at,
            "started_at": report.started_at,
            "stored": report.stored,
            "watchdog_missing": report.watchdog_missing,
            "open": [
                {"labels": dict(one.labels), "severity": one.severity, "since": one.since, "title": one.title}
                for one in report.open
            ],
            "more": report.more,
            "failing": list(report.failing),
        }
    )


def parse(body: bytes) -> Report:
    """A report as it came. What is not known is ignored, as later versions add to it. Raises UnreadableError."""
    data = json_of(text_of(body))
    if not isinstance(data, dict):
        raise UnreadableError("it is JSON, but no object")
    if data.get("version") != VERSION:
        raise UnreadableError(f"it is not version {VERSION} of a relay's report")
    listed = data.get("open") or []
    failing = data.get("failing") or []
    if not isinstance(listed, list) or not isinstance(failing, list):
        raise UnreadableError("open, or failing, is not a list")
    return Report(
        name=_text(data.get("name")),
        at=_number(data.get("at"), "at"),
        started_at=_number(data.get("started_at"), "started_at"),
        stored=data.get("stored") is not False,
        watchdog_missing=data.get("watchdog_missing") is True,
        open=tuple(_open(item) for item in listed[:MOST_OPEN]),
        more=max(int(_number(data.get("more", 0), "more")), 0) + max(len(listed) - MOST_OPEN, 0),
        failing=tuple(_text(item) for item in failing[:MOST_OPEN]),
    )


def _open(item: Any) -> OpenAlert:
    if not isinstance(item, dict):
        raise UnreadableError("an open incident is no object")
    labels = texts(item.get("labels"), "labels")
    kept = {name[:_LONGEST]: value[:_LONGEST] for name, value in list(labels.items())[:_LABELS]}
    return OpenAlert(kept, _text(item.get("severity")), _number(item.get("since"), "since"), _text(item.get("title")))


def _text(value: Any) -> str:
    return plain(value)[:_LONGEST]


def _number(value: Any, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < 1e12:
        raise UnreadableError(f"{what} is not a number")
    return float(value)


# On the disk, in whatever transaction the caller is in ------------------------------------------------------------


def keep(connection: sqlite3.Connection, report: Report, now: float) -> None:
    """Stores a report that came at ``now``, in place of the one before it."""
    write(connection, _KEY, now, body_of(report).decode())


def last(connection: sqlite3.Connection) -> Received | None:
    """The last report; None when none has come."""
    found = read(connection, _KEY)
    if found is None:
        return None
    at, text = found
    return Received(at, parse(text.encode()))


def probes_told(connection: sqlite3.Connection, now: float) -> frozenset[str]:
    """The probes that the cluster has told people of, and goes on telling of: nobody has to hear of them twice.

    None where the last report is not fresh: then nobody knows whether the cluster still tells anybody anything.
    """
    received = last(connection)
    if received is None or not received.fresh(now):
        return frozenset()
    told = (one.labels for one in received.report.open if one.labels.get(names.LABEL_ALERTNAME) == names.ALERT_PROBE)
    return frozenset(labels[names.LABEL_PROBE] for labels in told if names.LABEL_PROBE in labels)
