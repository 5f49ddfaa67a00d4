"""After a start without a memory: takes over what fires already.

Alertmanager tells nobody twice before its repeat_interval, twelve hours as we render it. So a relay whose database is
new, because it was lost or the volume was, would be silent about everything that fires, for that long. Alertmanager
lists what fires, and for which receivers; that is taken as if it had just been told.

Started by the service. May import: relay.engine, relay.clock, relay.incidents, its neighbours, spec.names.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from typing import Final, Protocol

from homelabmon.relay.clock import Clock
from homelabmon.relay.engine import Engine
from homelabmon.relay.incidents.book import Book
from homelabmon.relay.incidents.notice import Delivery, Notice
from homelabmon.relay.reconcile.alertmanager import ListedAlert
from homelabmon.spec import names

log = logging.getLogger(__name__)

PATIENCE: Final = 900.0
"""Seconds for which to look: after a power cut, Alertmanager itself may have to hear of everything first."""
AGAIN: Final = 15.0


class Lists(Protocol):
    """What it wants of Alertmanager."""

    async def active(self, receiver: str) -> tuple[Sequence[ListedAlert], bool]:
        """Alerts that fire and go to the receiver, and whether every replica has listed all it will ever know."""
        ...


async def adopt(engine: Engine, alertmanager: Lists, clock: Clock, receiver: str = names.RECEIVER_PEOPLE) -> int:
    """Takes what Alertmanager lists, until all replicas have settled; gives how many alerts the book did not know.

    What the book knows already, since Alertmanager has told it meanwhile, is left alone.
    """
    deadline, adopted = clock.monotonic() + PATIENCE, 0
    while True:
        alerts, settled = await alertmanager.active(receiver)
        adopted += await engine.act(partial(_take, [_notice(alert, clock.now()) for alert in alerts]))
        if settled or clock.monotonic() >= deadline:
            break
        await clock.sleep(AGAIN)
    log.info("took over what fires already, as there was no memory of it", extra={"alerts": adopted})
    return adopted


def _notice(alert: ListedAlert, now: float) -> Notice:
    return Notice(
        names.SOURCE_ALERTMANAGER,
        alert.fingerprint,
        alert.labels,
        firing=True,
        starts_at=now if alert.starts_at is None else alert.starts_at,
        annotations=alert.annotations,
        generator_url=alert.generator_url,
    )


def _take(notices: Sequence[Notice], book: Book, now: float) -> int:
    new = tuple(notice for notice in notices if not book.knows(notice))
    if new:
        book.take(Delivery(0, now, new), now)
    return len(new)
