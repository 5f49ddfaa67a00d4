"""What the service is made of besides the relay itself: heartbeats, probes, the vigil, the status page, the spool.

A part is made with the configuration, prepared before anybody is listened to, run until it is cancelled, and told of
each new configuration. One that has nothing to do in a configuration costs nothing. Used by the service.
May import: aiohttp, relay.exposition, relay.store, relay.clock, spec.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from aiohttp import web

from homelabmon.relay.clock import Clock
from homelabmon.relay.exposition import Family
from homelabmon.relay.store.store import Store
from homelabmon.spec.relay_file import RelayFile


@dataclass(frozen=True, slots=True)
class Tools:
    """What every part is given. ``nudge``: to be called when something was put into the inbox."""

    store: Store
    clock: Clock
    nudge: Callable[[], None]


class Part:
    """One part of the service; what it does not need it leaves as it is here."""

    name: str

    async def prepare(self) -> None:
        """Before anybody is listened to. Raises StoreError, which is waited out by :meth:`run`."""

    async def run(self) -> None:
        """Works until it is cancelled. Survives whatever the disk and the network do; raises only for bugs."""
        await asyncio.Event().wait()

    def reconfigure(self, file: RelayFile) -> None:
        """From now on another configuration holds."""

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse | None:
        """The answer to a request; None where it is none of its own."""
        return None

    async def families(self) -> Iterable[Family]:
        """What the metrics page tells of it. Raises StoreError: then what it told last is told again."""
        return ()
