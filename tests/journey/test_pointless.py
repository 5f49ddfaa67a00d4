"""Routes that are said to be pointless are so in what is rendered: tried with every alert and event there can be."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from homelabmon.checks import redundant_route, unreachable_route
from homelabmon.checks.support.alerts import known_alerts
from homelabmon.checks.support.check import Check
from homelabmon.checks.support.context import Context
from homelabmon.components.alertmanager_config import alertmanager_config
from homelabmon.components.relay import relay_file
from homelabmon.journey.running import Running, Service, built_in_routes, route_names
from homelabmon.journey.ways import Way, ways
from homelabmon.relay.routes import RouteTable
from homelabmon.routing.alertmanager_file import read_alertmanager
from homelabmon.spec.base import format_duration
from homelabmon.spec.findings import Finding
from homelabmon.stack import Stack, site_of
from tests.routing import amtool
from tests.routing.generate import dump
from tests.stacks_common import stack_of

VALUES = {
    "alertname": ("Watchdog", "InfoInhibitor", "A", "ProbeDown"),
    "component": ("", "relay"),
    "source": ("", "falco"),
    "severity": ("critical", "warning", "info"),
    "ns": ("", "m", "n"),
    "probe": ("", "web"),
}
ALERTS: list[dict[str, str]] = [
    {name: value for name, value in zip(VALUES, chosen, strict=True) if value}
    for chosen in itertools.product(*VALUES.values())
    # No event has a name that is ours, or is about the relay: routes for those are in the way of alerts alone.
    if "falco" not in chosen or (chosen[0] == "A" and "relay" not in chosen)
    # The label of a probe is of interest where its alerts are, and on one other alert that carries it as well.
    if "web" not in chosen or "ProbeDown" in chosen or ("A" in chosen and "falco" not in chosen)
]
CHANNELS = {name: {"discord": {"webhook": {"secret": "hooks", "key": name}}} for name in ("ops", "media")}

matcher = st.one_of(
    st.sampled_from([(name, op, value) for name, values in VALUES.items() for value in values for op in ("=", "!=")]),
    st.sampled_from(
        [("ns", "=~", ".+"), ("ns", "!~", "m|n"), ("severity", "=~", "critical|warning"), ("ns", "=~", "m.*")]
    ),
)


def route(inside: st.SearchStrategy[list[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "matchers": st.lists(matcher.map(lambda one: f'{one[0]}{one[1]}"{one[2]}"'), min_size=1, max_size=2),
            "routes": inside,
        },
        optional={
            "channel": st.sampled_from(list(CHANNELS)),
            "continue": st.just(True),
            "hold": st.sampled_from(["60s", "90s", {"default": "60s", "critical": "0s"}]),
            "group_by": st.sampled_from([["alertname", "namespace"], ["alertname"], ["..."]]),
            "mute": st.just(["night"]),
            "title": st.just("{alertname}"),
        },
    )


routes = st.lists(route(st.lists(route(st.just([])), max_size=2)), min_size=1, max_size=4)


def named(written: list[dict[str, Any]], prefix: str = "r") -> list[dict[str, Any]]:
    return [
        {**item, "name": f"{prefix}{number}", "routes": named(item["routes"], f"{prefix}{number}-")}
        for number, item in enumerate(written)
    ]


def stack(written: list[dict[str, Any]], relay: bool, window: bool, told: str | None = None) -> Stack:
    components: dict[str, Any] = {"prometheus": {}, "alertmanager": {}} | ({"relay": {}} if relay else {})
    nights = [{"name": "night", "from": "22:00", "to": "06:00", "routes": [] if window else ["nobody"]}]
    probes = [{"name": "web", "url": "https://www.example.net/", **({"channel": told} if told else {})}]
    return stack_of(components=components, channels=CHANNELS, routes=written, maintenance=nights, probes=probes)


def pointless(found: Stack, check: Check) -> list[Finding]:
    return list(check.run(Context(found)))


def runs(found: Stack) -> Running:
    """What :func:`~homelabmon.journey.running.running` makes of it, without rendering what does not route."""
    site = site_of(found)
    data = alertmanager_config(site)
    file = read_alertmanager(data, route_names(site.all_routes), built_in_routes(site, data))
    config = found.components.relay
    relay = relay_file(config, site) if config is not None else None
    service = Service(relay, RouteTable(relay)) if relay is not None else None
    return Running(found, site, file, service, None, (), known_alerts(found, site), 30.0, 30.0, 1)


def without(written: list[dict[str, Any]], path: tuple[str | int, ...]) -> list[dict[str, Any]]:
    """The routes without the one at ``("routes", 0, "routes", 1, "name")``."""
    position, rest = path[1], path[2:]
    assert isinstance(position, int)
    if rest == ("name",):
        return [item for number, item in enumerate(written) if number != position]
    changed = {**written[position], "routes": without(written[position]["routes"], rest)}
    return [*written[:position], changed, *written[position + 1 :]]


def at(written: list[dict[str, Any]], path: tuple[str | int, ...]) -> str:
    here: Any = {"routes": written}
    for part in path:
        here = here[part]
    return str(here)


def treatment(found: Running, labels: dict[str, str]) -> Iterator[tuple[Any, ...]]:
    """What becomes of an alert: who hears, with whom together, when."""
    for way in ways(found, labels):
        if way.reader == "nobody":  # keeps what a route with `continue` has taken from what is there for the rest
            continue
        yield (way.reader, way.channel, way.hold, *_grouping(way, labels), *_timing(way))


def _grouping(way: Way, labels: dict[str, str]) -> tuple[Any, ...]:
    grouped = way.entry if way.entry is not None else way.route
    assert grouped is not None
    return tuple(grouped.group_labels(labels).items()), way.entry.payload.title if way.entry is not None else None


def _timing(way: Way) -> tuple[Any, ...]:
    if way.route is None:
        return ()
    timings = map(format_duration, (way.route.group_wait, way.route.group_interval, way.route.repeat_interval))
    return (*timings, frozenset(way.route.mute_time_intervals))


@given(written=routes, relay=st.booleans(), window=st.booleans(), told=st.sampled_from([None, "ops", "media"]))
@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
def test_unreachable_routes_take_nothing_and_redundant_ones_change_nothing(
    written: list[dict[str, Any]], relay: bool, window: bool, told: str | None
) -> None:
    written = named(written)
    whole = stack(written, relay, window, told)
    found = runs(whole)
    assert found.alertmanager is not None
    keys = [route.key for route in found.alertmanager.tree.routes if route.name]
    assert len(set(keys)) == len(keys), "the relay would take what one route sends for another's"
    down = {"alertname": "ProbeDown", "severity": "warning", "probe": "web"}
    assert told is None or {way.channel for way in ways(found, down) if way.reader != "nobody"} == {told}
    taken = {
        name
        for labels in ALERTS
        for way in ways(found, labels)
        for name in (way.route.name if way.route else "", way.entry.payload.name if way.entry else "")
    }
    for finding in pointless(whole, unreachable_route.CHECK):
        assert at(written, finding.path) not in taken, finding.message
    before = [set(treatment(found, labels)) for labels in ALERTS]
    for finding in pointless(whole, redundant_route.CHECK):
        less = runs(stack(without(written, finding.path), relay, window, told))
        assert [set(treatment(less, labels)) for labels in ALERTS] == before, finding.message


@pytest.mark.program("amtool")
@given(written=routes, relay=st.booleans())
@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
def test_an_unreachable_route_is_one_that_amtool_never_takes(written: list[dict[str, Any]], relay: bool) -> None:
    """Each of the owner's routes is given a receiver of its own; amtool is asked about every alert that may come."""
    whole = stack(named(written), relay, window=False)
    accused = {at(named(written), finding.path) for finding in pointless(whole, unreachable_route.CHECK)}
    found = runs(whole)
    assert found.alertmanager is not None
    for resolved in found.alertmanager.tree.routes:
        if resolved.name in accused:
            resolved.payload["receiver"] = resolved.name  # type: ignore[index]
    if not accused:
        return
    config = alertmanager_config(site_of(whole))
    config["receivers"] = [*config["receivers"], *({"name": name} for name in sorted(accused))]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "alertmanager.yaml"
        path.write_text(dump({**config, "route": found.alertmanager.tree.root.payload}))
        for labels in ALERTS:
            if "source" not in labels:
                assert not accused & set(amtool.receivers(path, labels))
