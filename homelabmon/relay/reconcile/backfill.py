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
from homelabmon.relay.reconcile.prometheus import FURTHEST, LEAD, external_labels, history, missed

log = logging.getLogger(__name__)

PATIENCE: Final = 900.0
"""Seconds for which Prometheus may take to answer: after a power cut everything starts at once."""
AGAIN: Final = 15.0
BRIEF: Final = 20.0
"""Seconds. A shorter gap holds nothing that Alertmanager would not try again."""


class Lists(Protocol):
    """What it wants of Alertmanager."""

    async def labels(self) -> Sequence[Mapping[str, str]]:
        """The labels of every alert that is listed; none where nobody answers."""
        ...


async def backfill(
    engine: Engine, prometheus: str, transport: Transport, alertmanager: Lists, clock: Clock, last_alive: float | None
) -> bool:
    """Takes what was missed into the book; False when Prometheus did not answer in a quarter of an hour.

    ``last_alive``: when the relay last noted that it was, before this start; None when it never was.
    """
    began = clock.now()
    if last_alive is None or began - last_alive < BRIEF:
        return True
    if began - last_alive > FURTHEST:
        log.warning("the relay was down for more than a day; only the last day is looked at")
    deadline = clock.monotonic() + PATIENCE
    while (found := await history(transport, prometheus, last_alive - LEAD, clock.now())) is None:
        if clock.monotonic() >= deadline:
            log.error("Prometheus does not answer; what fired and ended while the relay was down is not known")
            return False
        await clock.sleep(AGAIN)
    notices = missed(found, external_labels(found, await alertmanager.labels()))
    told = await engine.act(lambda book, now: _tell(book, notices, now))
    log.info("looked for alerts that fired and ended while the relay was down", extra={"found": told})
    return True


def _tell(book: Book, notices: Sequence[Notice], now: float) -> int:
    new = tuple(notice for notice in notices if not book.knows(notice))
    if new:
        book.take(Delivery(0, now, new), now)
    return len(new)
