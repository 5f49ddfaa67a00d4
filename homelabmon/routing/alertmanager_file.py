"""Alertmanager's configuration as it stands in its file, read into what can be asked.

Read by :mod:`homelabmon.journey` and by tests. May import: spec, and its neighbours in routing.
Source of the names: Alertmanager docs/configuration.md; what it refuses, config/config.go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from homelabmon.routing.inhibit import InhibitRule
from homelabmon.routing.intervals import TimeInterval, TimeIntervalError, parse_time_intervals
from homelabmon.routing.tree import RouteError, RouteNode, RouteTree
from homelabmon.spec.base import parse_duration
from homelabmon.spec.matchers import (
    Matcher,
    MatcherSyntaxError,
    MatchOp,
    format_matchers,
    parse_matchers,
    sort_matchers,
)

PEER_TIMEOUT: Final = 15.0
"""Seconds that each replica waits for the one before it (Alertmanager --cluster.peer-timeout)."""

Names = Mapping[tuple[str, ...], Sequence[str]]
"""What routes are called: the matchers from the first route below the root down to it, each level printed, to the
names of the routes that have just these, in order."""


class AlertmanagerFileError(ValueError):
    """A configuration that Alertmanager would refuse. Says where, and why."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """Somebody who is notified, and by which integrations (``webhook``, ``discord``); none at all: nobody hears."""

    name: str
    integrations: tuple[str, ...] = ()
    send_resolved: bool = False


@dataclass(frozen=True, slots=True)
class AlertmanagerFile:
    """The whole configuration. The payload of a route is the route as written."""

    tree: RouteTree[Mapping[str, Any]]
    receivers: Mapping[str, Receiver]
    inhibit_rules: tuple[InhibitRule, ...]
    intervals: Mapping[str, tuple[TimeInterval, ...]]


def read_alertmanager(data: Mapping[str, Any], names: Names | None = None, unnamed: int = 0) -> AlertmanagerFile:
    """Read a configuration. ``names`` gives routes their names, which the file itself has no place for; but not the
    first few, ``unnamed``, below the root.

    Raises :class:`AlertmanagerFileError`.
    """
    try:
        root = _node(_mapping(data.get("route"), "route"), "route", _Names(names or {}, unnamed), ())
        tree = RouteTree(root)
        intervals = parse_time_intervals(
            [*_list(data, "mute_time_intervals", ""), *_list(data, "time_intervals", "")],
        )
        rules = tuple(_inhibit_rule(item, number) for number, item in enumerate(_list(data, "inhibit_rules", "")))
    except (RouteError, TimeIntervalError, MatcherSyntaxError) as error:
        raise AlertmanagerFileError(str(error)) from None
    receivers = {receiver.name: receiver for receiver in map(_receiver, _list(data, "receivers", ""))}
    for route in tree.routes:
        if route.receiver not in receivers:
            raise AlertmanagerFileError(f"a route names the receiver {route.receiver!r}, which is not there")
        for name in (*route.mute_time_intervals, *route.active_time_intervals):
            if name not in intervals:
                raise AlertmanagerFileError(f"a route names the time interval {name!r}, which is not there")
    return AlertmanagerFile(tree, receivers, rules, intervals)


class _Names:
    """Hands out names; of routes with the same matchers the first gets the first name."""

    def __init__(self, names: Names, unnamed: int) -> None:
        self._unnamed = {f"route.routes[{number}]" for number in range(unnamed)}
        self._left = {chain: list(given) for chain, given in names.items()}

    def take(self, chain: tuple[str, ...], where: str) -> str:
        left = self._left.get(chain)
        return left.pop(0) if left and where not in self._unnamed else ""


def printed(matchers: Sequence[Matcher]) -> str:
    """Matchers as one line, in the order in which they are kept: a key for :data:`Names`."""
    return format_matchers(sort_matchers(matchers))


def _node(data: Mapping[str, Any], where: str, names: _Names, above: tuple[str, ...]) -> RouteNode[Mapping[str, Any]]:
    matchers = _matchers(data, where, ("matchers", "match", "match_re"))
    chain = (*above, printed(matchers)) if where != "route" else ()
    group_by = data.get("group_by")
    return RouteNode(
        name=names.take(chain, where) if chain else "",
        receiver=data.get("receiver"),
        matchers=matchers,
        group_by=None if group_by is None else tuple(map(str, group_by)),
        group_wait=_seconds(data, "group_wait", where),
        group_interval=_seconds(data, "group_interval", where),
        repeat_interval=_seconds(data, "repeat_interval", where),
        continue_=bool(data.get("continue", False)),
        mute_time_intervals=tuple(data.get("mute_time_intervals") or ()),
        active_time_intervals=tuple(data.get("active_time_intervals") or ()),
        routes=tuple(
            _node(_mapping(child, f"{where}.routes[{number}]"), f"{where}.routes[{number}]", names, chain)
            for number, child in enumerate(_list(data, "routes", where))
        ),
        payload=data,
    )


def _inhibit_rule(data: object, number: int) -> InhibitRule:
    where = f"inhibit_rules[{number}]"
    rule = _mapping(data, where)
    return InhibitRule(
        source=_matchers(rule, where, ("source_matchers", "source_match", "source_match_re")),
        target=_matchers(rule, where, ("target_matchers", "target_match", "target_match_re")),
        equal=tuple(map(str, rule.get("equal") or ())),
        name=str(rule.get("name") or ""),
    )


def _matchers(data: Mapping[str, Any], where: str, keys: tuple[str, str, str]) -> tuple[Matcher, ...]:
    """The matchers, and those of the two older keys, which Alertmanager still reads."""
    texts, equal, regex = keys
    found: list[Matcher] = []
    for text in _list(data, texts, where):
        if not isinstance(text, str):
            raise AlertmanagerFileError(f"{where}.{texts}: {text!r} is no matcher: write it as text")
        found += parse_matchers(text)
    for key, op in ((equal, MatchOp.EQ), (regex, MatchOp.RE)):
        found += [Matcher(str(name), op, str(value)) for name, value in _mapping(data.get(key) or {}, where).items()]
    return tuple(found)


def _receiver(data: object) -> Receiver:
    item = _mapping(data, "receivers")
    kinds = [(key.removesuffix("_configs"), configs) for key, configs in item.items() if key.endswith("_configs")]
    told = any(_sends_resolved(kind, config) for kind, configs in kinds for config in configs or ())
    return Receiver(str(item.get("name", "")), tuple(kind for kind, configs in kinds if configs), told)


def _sends_resolved(kind: str, config: object) -> bool:
    # The defaults of Alertmanager config/notifiers.go.
    usual = kind not in ("slack", "email", "wechat")
    return bool(config.get("send_resolved", usual)) if isinstance(config, Mapping) else usual


def _seconds(data: Mapping[str, Any], key: str, where: str) -> float | None:
    if data.get(key) is None:
        return None
    try:
        value = parse_duration(data[key])
    except ValueError as error:
        raise AlertmanagerFileError(f"{where}.{key}: {data[key]!r}: {error}") from None
    assert isinstance(value, timedelta)
    return value.total_seconds()


def _list(data: Mapping[str, Any], key: str, where: str) -> Sequence[Any]:
    value = data.get(key)
    if value is None:
        return ()
    if not isinstance(value, (list, tuple)):
        raise AlertmanagerFileError(f"{where}{'.' if where else ''}{key}: expected a list, found {value!r}")
    return value


def _mapping(value: object, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise AlertmanagerFileError(f"{where}: expected a mapping, found {value!r}")
    return value
