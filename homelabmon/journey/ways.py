"""Where an alert with some labels goes: Alertmanager's routes, and behind its receiver the relay's.

Asked by ``explain``, ``test`` and ``simulate``. Pure: time, inhibition and mute windows are not looked at here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from homelabmon.journey.running import Reader, Running, Service
from homelabmon.routing.tree import ResolvedRoute
from homelabmon.spec import names
from homelabmon.spec.relay_file import RouteEntry
from homelabmon.spec.routes import hold_for
from homelabmon.spec.watch import Heartbeat, Probe

RELAY_SOURCES: Final = ("falco", "flux", "event")
"""What posts to the relay itself, by its ``source``."""
OUTPOST_SOURCES: Final = (names.SOURCE_HEARTBEAT, names.SOURCE_PROBE, names.SOURCE_OUTPOST)
"""What the outpost tells of its own."""

Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Way:
    """One of the ways an alert takes.

    ``route`` is Alertmanager's, None for what does not pass through it; ``entry`` that of the relay or the outpost,
    whose ``reader`` it is, None where Alertmanager tells the channel by itself. ``channel`` is where people read; None:
    nobody does. ``hold`` (seconds, from the moment it fired) is how long the relay holds it back.
    """

    reader: Reader
    route: ResolvedRoute[Mapping[str, Any]] | None = None
    entry: ResolvedRoute[RouteEntry] | None = None
    channel: str | None = None
    hold: float = 0.0


def ways(running: Running, labels: Labels) -> tuple[Way, ...]:
    """Every way of an alert, in the order in which the routes stand. One channel may be reached more than once.

    An alert with a ``source`` of the relay's or the outpost's does not pass through Alertmanager.
    """
    source = labels.get(names.LABEL_SOURCE, "")
    if source in OUTPOST_SOURCES:
        return tuple(_straight(running.outpost, "outpost", labels, own_channel(running, labels)))
    if source in RELAY_SOURCES:
        return tuple(_straight(running.relay, "relay", labels))
    if running.alertmanager is None:
        return ()
    found: list[Way] = []
    for route in running.alertmanager.tree.match(labels):
        reader, name = running.reader(route.receiver)
        if reader == "relay":
            assert running.relay is not None
            found += [
                Way("relay", route, entry, entry.receiver, _hold(entry, labels))
                for entry in running.relay.table.routes(labels, route.key)
            ]
        else:
            found.append(Way(reader, route, channel=name if reader == "channel" else None))
    return tuple(found)


def channels(running: Running, labels: Labels) -> tuple[str, ...]:
    """The channels that hear of an alert, each once, in the order of its ways."""
    return tuple(dict.fromkeys(way.channel for way in ways(running, labels) if way.channel is not None))


def _straight(service: Service | None, reader: Reader, labels: Labels, channel: str | None = None) -> Iterator[Way]:
    """The ways of what is posted to a service, or noticed by it. Events are told at once, heartbeats and probes as
    alerts are. ``channel``: the one that is named, in place of those of the routes."""
    for entry in service.table.routes(labels) if service is not None else ():
        hold = 0.0 if reader == "relay" else _hold(entry, labels)
        yield Way(reader, None, entry, channel or entry.receiver, hold)
        if channel is not None:
            return


def _hold(entry: ResolvedRoute[RouteEntry], labels: Labels) -> float:
    return hold_for(entry.payload.hold, labels.get(names.LABEL_SEVERITY, "")).total_seconds()


def own_channel(running: Running, labels: Labels) -> str | None:
    """The channel that stack.yaml names for a heartbeat, a probe or the outpost itself, in place of the routes'."""
    if labels.get(names.LABEL_SOURCE) == names.SOURCE_OUTPOST:
        watchdog = running.outpost.file.watchdog if running.outpost is not None else None
        return watchdog.channel if watchdog is not None else None
    thing = watched_outside(running, labels)
    return thing.channel if thing is not None else None


def watched_outside(running: Running, labels: Labels) -> Heartbeat | Probe | None:
    """The heartbeat or the probe of the outpost that an alert is about."""
    if running.outpost is None:
        return None
    file = running.outpost.file
    things: tuple[Heartbeat | Probe, ...] = (
        file.heartbeats if labels.get(names.LABEL_SOURCE) == "heartbeat" else file.probes
    )
    name = labels.get(names.LABEL_HEARTBEAT) or labels.get(names.LABEL_PROBE)
    return next((thing for thing in things if thing.name == name), None)
