"""What the service itself has to tell: heartbeats, probes, the dead man's switch. Written in the transaction that
noticed it.

It lies in the inbox as what senders send does, so that a crash between noticing and telling loses nothing.
May import: contract, reading, relay.store.queries, spec.names.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any, Final

from homelabmon.relay.incidents.notice import Notice
from homelabmon.relay.intake.contract import Intake, Parsed, Refused
from homelabmon.relay.intake.reading import UnreadableError, json_of, text_of, written
from homelabmon.relay.store import queries
from homelabmon.spec import names


def body_of(notices: Iterable[Notice]) -> bytes:
    """Notices as they lie in the inbox."""
    return written([asdict(notice) for notice in notices])


def parse(body: bytes, _: float) -> Parsed | Refused:
    """The notices again."""
    try:
        data: list[dict[str, Any]] = json_of(text_of(body))
    except UnreadableError as error:
        return Refused(str(error))
    return Parsed(tuple(Notice(**item) for item in data))


INTAKE: Final = Intake(names.SOURCE_OWN, "", "none", parse)


def put(connection: sqlite3.Connection, told: Sequence[Notice], now: float) -> None:
    """Puts notices into the inbox, in whatever transaction the caller is in. Nudge the engine afterwards."""
    if told:
        queries.put(connection, now, INTAKE.name, 0, body_of(told))
