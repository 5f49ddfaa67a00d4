"""After a start: tells what fired and ended while the relay was down. Started by the service, once.

May import: relay.engine, relay.clock, relay.incidents, and its neighbours.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from homelabmon.relay.clock import Clock
from homelabmon.relay.delivery.transport import Transport
from homelabmon.relay.engine import Engine
from homelabmon.relay.incidents.book import Book
from homelabmon.relay.incidents.notice import Delivery, Notice
from homelabmon.relay.reconcile.prometheus import FURTHEST, LEAD, Firing, external_labels, history, missed

log = logging.getLogger(__name__)

PATIENCE: Final = 900.0
"""Seconds for which Prometheus may take to answer: after a power cut everything starts at once."""
AGAIN: Final = 15.0
BRIEF: Final = 20.0
"""Seconds. A shorter gap holds nothing that Alertmanager would not try again."""

_OPEN_SINCE: Final = "gap_open_since"


class Notes(Protocol):
    """What it wants of the store."""

    async def last_beat(self) -> float | None:
        """When the relay was last known to be alive."""
        ...

    async def remember(self, name: str, value: float) -> None:
        """Notes a number under a name."""
        ...

    async def recall(self, name: str) -> float | None:
        """The number that was noted under a name."""
        ...


class Lists(Protocol):
    """What it wants of Alertmanager."""

    async def labels(self) -> Sequence[Mapping[str, str]]:
        """The labels of every alert that is listed; none where nobody answers."""
        ...


async def gap_began(notes: Notes) -> float | None:
    """Since when something may have been missed; None at a first start. To be asked before the engine runs.

    A gap stays open over restarts until it has been looked at.
    """
    since = await notes.recall(_OPEN_SINCE) or await notes.last_beat()
    if since is not None:
        await notes.remember(_OPEN_SINCE, since)
    return since


async def backfill(
    engine: Engine,
    prometheus: str,
    transport: Transport,
    alertmanager: Lists,
    notes: Notes,
    clock: Clock,
    since: float | None,
) -> bool:
    """Takes what was missed into the book; False when Prometheus did not answer in a quarter of an hour.

    ``since``: what :func:`gap_began` gave.
    """
    if since is None:
        return True
    if clock.now() - since >= BRIEF:
        found = await _looked_up(prometheus, transport, clock, since)
        if found is None:
            log.error("Prometheus does not answer; what fired and ended while the relay was down is not known")
            return False
        notices = missed(found, external_labels(found, await alertmanager.labels()))
        told = await engine.act(lambda book, now: _tell(book, notices, now))
        log.info("looked for alerts that fired and ended while the relay was down", extra={"found": told})
    await notes.remember(_OPEN_SINCE, 0.0)
    return True


async def _looked_up(prometheus: str, transport: Transport, clock: Clock, since: float) -> list[Firing] | None:
    until, deadline = clock.now(), clock.monotonic() + PATIENCE
    if until - since > FURTHEST:
        log.warning("the relay was down for more than a day; only the last day is looked at")
    while (found := await history(transport, prometheus, since - LEAD, clock.now())) is None:
        if clock.monotonic() >= deadline:
            return None
        await clock.sleep(AGAIN)
    return found


def _tell(book: Book, notices: Sequence[Notice], now: float) -> int:
    new = tuple(notice for notice in notices if not book.knows(notice))
    if new:
        book.take(Delivery(0, now, new), now)
    return len(new)
