"""Heartbeats that were missed or came back: written by the service itself, in the transaction that noticed it.

They lie in the inbox as what senders send does, so that a crash between noticing and telling loses nothing.
May import: contract, reading, spec.names.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, Final

from homelabmon.relay.incidents.notice import Notice
from homelabmon.relay.intake.contract import Intake, Parsed, Refused
from homelabmon.relay.intake.reading import UnreadableError, json_of, text_of, written
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


INTAKE: Final = Intake(names.SOURCE_HEARTBEAT, "", "none", parse)
