"""The relay's route table as a route tree.

Asked by the relay, and by :mod:`homelabmon.journey`. May import: spec, and its neighbours in routing.
"""

from __future__ import annotations

from collections.abc import Mapping

from homelabmon.routing.tree import RouteNode, RouteTree
from homelabmon.spec.matchers import parse_matcher
from homelabmon.spec.relay_file import RelayFile, RouteEntry
from homelabmon.spec.routes import hold_for


def relay_tree(file: RelayFile) -> RouteTree[RouteEntry]:
    """The tree of a configuration: the receiver of a route is its channel, the payload its entry.

    The timings in the tree mean nothing: the relay has no others than the hold. Raises
    :class:`~homelabmon.routing.tree.RouteError`.
    """
    return RouteTree(_node(file.default, tuple(_node(entry) for entry in file.routes)))


def _node(entry: RouteEntry, routes: tuple[RouteNode[RouteEntry], ...] | None = None) -> RouteNode[RouteEntry]:
    return RouteNode(
        name=entry.name,
        receiver=entry.channel,
        matchers=tuple(map(parse_matcher, entry.matchers)),
        group_by=entry.group_by,
        continue_=entry.continue_,
        routes=tuple(map(_node, entry.routes)) if routes is None else routes,
        payload=entry,
    )


def hold_seconds(entry: RouteEntry, labels: Mapping[str, str]) -> float:
    """How long the relay holds back an alert with these labels on this route, from the moment it fired."""
    return hold_for(entry.hold, labels.get("severity", "")).total_seconds()
