"""Nobody is accused falsely: what is said to be silent for ever is silent at every moment there is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from homelabmon.checks import run_checks
from homelabmon.components.alertmanager_config import alertmanager_config
from homelabmon.routing.alertmanager_file import read_alertmanager
from homelabmon.routing.intervals import muting_intervals
from homelabmon.spec import names
from homelabmon.spec.findings import Finding
from homelabmon.stack import Stack, site_of
from tests.stacks_common import stack_of

DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
HOURS = ["00:00", "06:00", "12:00", "18:00", "24:00"]
ALERTS = [names.WATCHDOG, "NodeDown", "KubePodNotReady", "Other"]
HOURLY = [datetime(2026, 3, 23, tzinfo=UTC) + timedelta(minutes=30 * number) for number in range(2 * 24 * 14)]
"""Two weeks, with the night in the middle in which the clocks of Europe change."""


def unheard(stack: Stack) -> list[Finding]:
    return [finding for finding in run_checks(stack, None) if finding.check == "unheard-alert"]


windows = st.fixed_dictionaries(
    {
        "from": st.sampled_from(HOURS),
        "to": st.sampled_from(HOURS),
        "weekdays": st.one_of(st.just([]), st.lists(st.sampled_from(DAYS), min_size=4, max_size=7, unique=True)),
        "timezone": st.sampled_from(["UTC", "Europe/London"]),
        "routes": st.sampled_from([[], ["a"], ["a"], ["b"], ["a", "b"]]),
    }
).filter(lambda item: item["from"] != item["to"] and (item["from"], item["to"]) != ("24:00", "00:00"))


@given(found=st.lists(windows, max_size=5), mutes=st.lists(st.integers(0, 4), max_size=2, unique=True))
@settings(max_examples=120)
def test_a_route_that_is_said_to_be_silent_never_speaks(found: list[dict[str, Any]], mutes: list[int]) -> None:
    maintenance = [{"name": f"w{number}", **item} for number, item in enumerate(found)]
    inner = {"name": "b", "match": {"x": "1"}, "mute": [f"w{number}" for number in mutes if number < len(found)]}
    routes = [{"name": "a", "match": {"y": "1"}, "routes": [inner]}]
    stack = stack_of(components={"alertmanager": {}, "relay": {}}, routes=routes, maintenance=maintenance)
    file = read_alertmanager(alertmanager_config(site_of(stack)))
    paths = {"a": {"y": "1"}, "b": {"y": "1", "x": "1"}, "": {"z": "1"}}
    for finding in unheard(stack):
        wholly = finding.path[0] == "maintenance"
        accused = paths if wholly else {"b" if len(finding.path) > 3 else "a": {}}
        for name in accused:
            (route,) = file.tree.match(paths[name])
            muted = route.mute_time_intervals
            assert all(muting_intervals(muted, (), file.intervals, moment) for moment in HOURLY)
    if not unheard(stack):  # and where nothing is said of a route, it speaks at some moment, in one zone at least
        for labels in paths.values():
            (route,) = file.tree.match(labels)
            zones = {item["timezone"] for item in found}
            speaks = any(not muting_intervals(route.mute_time_intervals, (), file.intervals, at) for at in HOURLY)
            assert speaks or len(zones) > 1


matchers = st.one_of(
    st.builds(lambda name: f'alertname="{name}"', st.sampled_from(ALERTS)),
    st.builds(lambda one, two: f'alertname=~"{one}|{two}"', st.sampled_from(ALERTS), st.sampled_from(ALERTS)),
    st.sampled_from(
        ['alertname!="Watchdog"', 'alertname=~".+"', 'alertname!~"W.*"', 'severity="none"', 'x="1"', 'x!="1"']
    ),
)


@given(
    source=st.lists(matchers, min_size=1, max_size=2),
    target=st.lists(matchers, min_size=1, max_size=2),
    equal=st.sampled_from([[], [], ["namespace"]]),
)
@settings(max_examples=150)
def test_what_is_said_to_be_inhibited_for_ever_is_inhibited_by_the_watchdog(
    source: list[str], target: list[str], equal: list[str]
) -> None:
    inhibit = [{"source": {"matchers": source}, "target": {"matchers": target}, "equal": equal}]
    stack = stack_of(components={"prometheus": {}, "alertmanager": {}}, inhibit=inhibit)
    if not unheard(stack):
        return
    rule = read_alertmanager(alertmanager_config(site_of(stack))).inhibit_rules[-1]
    watchdog = {"alertname": names.WATCHDOG, "severity": "none", "prometheus": "monitoring/k"}
    for name in ALERTS[1:]:
        for labels in ({}, {"x": "1"}, {"severity": "none"}, {"namespace": "media", "severity": "warning"}):
            alert = {"alertname": name, **labels}
            assert not rule.matches_target(alert) or rule.inhibits(watchdog, alert)
