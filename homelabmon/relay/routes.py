"""The relay's route table: which lanes a notice takes.

Asked by the book. May import: spec, routing, and the incidents' data. The same search as Alertmanager's, over the
routes that the renderer wrote out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from homelabmon.relay.incidents.notice import Lane, Notice
from homelabmon.routing.tree import GROUP_BY_ALL, ResolvedRoute, RouteNode, RouteTree
from homelabmon.routing.windows import openings
from homelabmon.spec import names
from homelabmon.spec.matchers import parse_matcher
from homelabmon.spec.relay_file import RelayFile, RouteEntry
from homelabmon.spec.routes import hold_for

Resolved = ResolvedRoute[RouteEntry]
_NAMED_BY: Final = {names.SOURCE_HEARTBEAT: names.LABEL_HEARTBEAT, names.SOURCE_PROBE: names.LABEL_PROBE}
"""The label that tells one of a source from another."""
_MOST_WINDOWS: Final = 64
"""Windows one after the other that are followed."""


class RouteTable:
    """The routes of one configuration."""

    def __init__(self, file: RelayFile) -> None:
        self._own = dict(_own(file))
        self._windows = file.maintenance
        self.tree: RouteTree[RouteEntry] = RouteTree(_root(file))
        by_key: dict[str, list[Resolved]] = defaultdict(list)
        for route in self.tree.routes:
            by_key[route.key].append(route)
        self._by_key = dict(by_key)

    @property
    def names(self) -> frozenset[str]:
        """The names of all routes."""
        return frozenset(route.payload.name for route in self.tree.routes)

    def routes(self, labels: Mapping[str, str], route_key: str | None = None) -> tuple[Resolved, ...]:
        """The routes that labels take; never none.

        With ``route_key``, Alertmanager has chosen: its mute times are not known here, so that a route which the labels
        match may be one it has passed over. Where one of ours has that key, only such a route is taken; a key that
        none has (another Alertmanager's, or of a configuration not yet reloaded) says nothing.
        """
        matched = self.tree.match(labels)
        if route_key is None or route_key not in self._by_key:
            return matched
        chosen = tuple(route for route in matched if route.key == route_key)
        return chosen or tuple(self._by_key[route_key][:1])

    def lanes(self, notice: Notice, route_key: str | None = None) -> Sequence[Lane]:
        """The lanes a notice takes, never none. What the service itself noticed is told in the channel that stack.yaml
        names for it, and nowhere else; what began in a maintenance window of its own is held until that is over.
        """
        severity = notice.labels.get(names.LABEL_SEVERITY, "")
        component = notice.labels.get(_NAMED_BY.get(notice.source, ""), "")
        own = self._own.get((notice.source, component))
        if own is not None:
            first = self.routes(notice.labels)[0]
            lanes: tuple[Lane, ...] = (replace(_lane(first, notice.labels, severity), channel=own),)
        else:
            lanes = tuple(_lane(route, notice.labels, severity) for route in self.routes(notice.labels, route_key))
        quiet = self._quiet(component, notice.starts_at) if component and not notice.event else 0.0
        return tuple(replace(lane, hold=lane.hold + quiet) for lane in lanes) if quiet else lanes

    def _quiet(self, component: str, at: float) -> float:
        """For how many seconds from then on windows that name a component are open, one after the other."""
        until, windows = at, [window for window in self._windows if window.names(component)]
        for _ in range(_MOST_WINDOWS):
            around = (pair for window in windows for pair in openings(window, until, until + 1.0))
            closing = [closes for opens, closes in around if opens <= until]
            if not closing:
                break
            until = max(closing)
        return until - at


def lanes_of(file: RelayFile) -> Callable[[Notice, str | None], Sequence[Lane]]:
    """What a book asks for the ways a notice takes."""
    return RouteTable(file).lanes


def _lane(route: Resolved, labels: Mapping[str, str], severity: str) -> Lane:
    entry = route.payload
    return Lane(
        route=entry.name,
        channel=entry.channel,
        group=route.group_labels(labels),
        hold=hold_for(entry.hold, severity).total_seconds(),
        title=entry.title,
        group_by_all=route.group_by == GROUP_BY_ALL,
    )


def _own(file: RelayFile) -> Iterator[tuple[tuple[str, str], str]]:
    """Source and name of whatever has a channel of its own."""
    for beat in file.heartbeats:
        if beat.channel is not None:
            yield (names.SOURCE_HEARTBEAT, beat.name), beat.channel
    for probe in file.probes:
        if probe.channel is not None:
            yield (names.SOURCE_PROBE, probe.name), probe.channel
    if file.watchdog is not None:
        yield (names.SOURCE_OUTPOST, ""), file.watchdog.channel


def _root(file: RelayFile) -> RouteNode[RouteEntry]:
    return RouteNode(
        name=file.default.name,
        receiver=file.default.channel,
        group_by=file.default.group_by,
        routes=tuple(map(_node, file.routes)),
        payload=file.default,
    )


def _node(entry: RouteEntry) -> RouteNode[RouteEntry]:
    return RouteNode(
        name=entry.name,
        receiver=entry.channel,
        matchers=tuple(parse_matcher(text) for text in entry.matchers),
        group_by=entry.group_by,
        continue_=entry.continue_,
        routes=tuple(map(_node, entry.routes)),
        payload=entry,
    )
