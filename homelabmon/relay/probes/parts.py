"""The part of a service that asks probes. May import: relay.part, relay.exposition, relay.history, the vigil's
contract, its neighbours.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Final

from homelabmon.relay.exposition import Family, counter, gauge
from homelabmon.relay.history import Windows
from homelabmon.relay.part import Part, Tools
from homelabmon.relay.probes.checks.network import Network
from homelabmon.relay.probes.keeper import Keeper
from homelabmon.relay.probes.rounds import Rounds
from homelabmon.relay.probes.targets import targets_of
from homelabmon.relay.store.trouble import StoreError
from homelabmon.relay.vigil.contract import CLEAR, Sight
from homelabmon.spec import names
from homelabmon.spec.relay_file import RelayFile

log = logging.getLogger(__name__)

CLEAN_EVERY: Final = 3600.0
"""Seconds between cleanings: days that are over are summed, old results removed."""
_UP: Final = {"up": 1, "degraded": 1, "down": 0}


class Probes(Part):
    """``keeper`` knows how they are; the history of heartbeats is summed here as well."""

    name = "probes"

    def __init__(self, file: RelayFile, tools: Tools, sight: Sight = CLEAR) -> None:
        self._clock = tools.clock
        self.keeper = Keeper(tools.store, tools.clock, tools.nudge, targets_of(file))
        self.rounds = Rounds(self.keeper, Network(), sight, tools.clock)
        self.windows: Callable[[], Windows] = dict
        """The public maintenance windows of the days that are summed; the status page sets it."""

    async def prepare(self) -> None:
        """Makes the disk follow the configuration."""
        await self.rounds.prepare()

    async def run(self) -> None:
        """Asks, until it is cancelled."""
        works = [asyncio.create_task(self.rounds.run()), asyncio.create_task(self._clean())]
        try:
            await asyncio.gather(*works)
        finally:
            for work in works:
                work.cancel()
            await asyncio.gather(*works, return_exceptions=True)

    async def _clean(self) -> None:
        while True:
            try:
                await self.keeper.clean(self.windows())
            except StoreError:
                pass  # the store has said so itself
            except Exception:
                log.exception("a bug: the days that are over could not be summed")
            await self._clock.sleep(CLEAN_EVERY)

    def reconfigure(self, file: RelayFile) -> None:
        """From now on another configuration holds."""
        self.keeper.reconfigure(targets_of(file))
        self.rounds.reconfigure()

    async def families(self) -> Iterable[Family]:
        """How every probe is, how long its last answer took, when its certificate runs out, and checks by outcome."""
        if not self.keeper.targets:
            return ()
        rows = [({names.LABEL_PROBE: row.name}, row.state) for row in await self.keeper.rows()]
        up = [(labels, _UP[one.status]) for labels, one in rows if one.status in _UP]
        took = [(labels, one.latency) for labels, one in rows if one.latency is not None and one.status != "down"]
        until = [(labels, one.certificate_until) for labels, one in rows if one.certificate_until is not None]
        checks = [({"outcome": what}, count) for what, count in sorted(self.rounds.counts.items())]
        return (
            gauge(names.METRIC_PROBE_UP, "1: it answers as expected, asked from here. Unknown ones are left out.", *up),
            gauge(names.METRIC_PROBE_DURATION, "How long its last answer took.", *took),
            gauge(names.METRIC_PROBE_CERTIFICATE, "When the first certificate of its chain runs out.", *until),
            counter(names.METRIC_PROBE_CHECKS, "Checks, by outcome; blind: not believed, not counted.", *checks),
        )
