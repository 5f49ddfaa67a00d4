"""The parts of a service that belong to heartbeats, put together. Made by the service. May import: its neighbours."""

from __future__ import annotations

from collections.abc import Callable

from homelabmon.relay.clock import Clock
from homelabmon.relay.heartbeats.addresses import Addresses
from homelabmon.relay.heartbeats.api import PingApi
from homelabmon.relay.heartbeats.beats import beats_of
from homelabmon.relay.heartbeats.keeper import Keeper
from homelabmon.relay.store.store import Store
from homelabmon.spec.relay_file import RelayFile


class Heartbeats:
    """``keeper`` has to be run; ``api`` answers pings."""

    def __init__(self, file: RelayFile, store: Store, clock: Clock, nudge: Callable[[], None]) -> None:
        beats = beats_of(file)
        self.addresses = Addresses(file.intake, beats)
        self.keeper = Keeper(store, clock, nudge, beats)
        self.api = PingApi(self.keeper, self.addresses, clock)

    def reconfigure(self, file: RelayFile) -> None:
        """From now on another configuration holds."""
        beats = beats_of(file)
        self.addresses.reconfigure(file.intake, beats)
        self.keeper.reconfigure(beats)
