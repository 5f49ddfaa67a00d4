"""Channels that heartbeats and probes of the cluster name: routes for them, where none leads there anyway."""

from __future__ import annotations

from typing import Any

import pytest

from homelabmon.components.channel_routes import ALERTS
from homelabmon.journey.explain import explain
from homelabmon.journey.running import Running, running_from
from homelabmon.journey.subject import subject
from homelabmon.journey.ways import channels, ways
from homelabmon.load import load
from homelabmon.render.plan import make_plan
from homelabmon.spec.relay_file import RelayFile
from homelabmon.stack import site_of
from tests.stacks_common import EVERYTHING, GOLDEN, plan_of, stack_of

CHANNELS = {name: {"discord": {"webhook": {"secret": "hooks", "key": name}}} for name in ("ops", "media", "backups")}
NATIVE: dict[str, Any] = {"prometheus": {}, "alertmanager": {}}
BEAT = {"name": "restic", "cronjob": "backups/restic", "channel": "backups"}
PROBE = {"name": "web", "url": "https://www.example.net/", "channel": "media"}
MISSED = {"alertname": "HeartbeatMissed", "heartbeat": "restic", "namespace": "backups", "severity": "warning"}


def made(**sections: Any) -> list[tuple[str, str | None, dict[str, tuple[str, ...]]]]:
    """The routes that follow: name, channel, and what else but the alerts' names they match."""
    found = site_of(stack_of(**{"components": EVERYTHING, "channels": CHANNELS, **sections})).channel_routes
    return [
        (route.name, route.channel, {name: values for name, values in route.match.items() if name != "alertname"})
        for route in found
    ]


def runs(**sections: Any) -> Running:
    sections = {"components": EVERYTHING, "channels": CHANNELS, **sections}
    return running_from(stack_of(**sections), plan_of(**sections).folded)


@pytest.mark.parametrize("components", [EVERYTHING, NATIVE], ids=["relay", "native"])
def test_alerts_about_a_heartbeat_of_the_cluster_go_to_the_channel_it_names(components: dict[str, Any]) -> None:
    found = runs(components=components, heartbeats=[BEAT], probes=[{**PROBE, "from": "both"}])
    for label, name, channel in (("heartbeat", "restic", "backups"), ("probe", "web", "media")):
        for alertname, severity in ALERTS[label].items():
            labels = {"alertname": alertname, label: name, "severity": severity or "warning"}
            assert channels(found, labels) == (channel,)
            assert channels(found, {**labels, label: "another"}) == ("ops",)


def test_alertmanager_and_the_relay_take_the_same_route_with_what_the_defaults_say() -> None:
    defaults = {"channel": "ops", "hold": "5m", "group_by": ["alertname"]}
    (way,) = ways(runs(heartbeats=[BEAT], defaults=defaults), MISSED)
    assert way.route is not None
    assert way.entry is not None
    assert (way.route.name, way.entry.name, way.hold) == ("heartbeats-in-backups", "heartbeats-in-backups", 300.0)
    assert (way.route.key, way.route.group_by) == (way.entry.key, ("alertname",))


def test_the_channel_replaces_those_of_the_routes_even_of_one_that_continues() -> None:
    log = {"name": "log", "channel": "media", "continue": True}
    found = runs(heartbeats=[BEAT], routes=[log])
    assert channels(found, MISSED) == ("backups",)
    assert channels(found, {"alertname": "X", "severity": "warning"}) == ("media",)


def test_things_that_are_told_in_one_channel_share_its_messages() -> None:
    beats = [BEAT, {**BEAT, "name": "photos", "cronjob": "apps/photos"}]
    assert made(heartbeats=beats, probes=[PROBE]) == [
        ("heartbeats-in-backups", "backups", {"heartbeat": ("restic", "photos")}),
        ("probes-in-media", "media", {"probe": ("web",)}),
    ]


def test_nothing_follows_where_routes_lead_there_anyway() -> None:
    by_namespace = [{"name": "backups", "channel": "backups", "match": {"namespace": "backups"}}]
    assert made(heartbeats=[BEAT], routes=by_namespace) == []
    assert made(heartbeats=[{**BEAT, "channel": "ops"}]) == []
    falco = [{"name": "falco", "channel": "media", "match": {"source": "falco"}}]
    assert made(heartbeats=[{**BEAT, "channel": "ops"}], routes=falco) == []


@pytest.mark.parametrize("match", [{"severity": "warning"}, {"alertname": "HeartbeatSuspended"}, {"site": "home"}])
def test_a_route_that_may_take_one_of_the_alerts_elsewhere_is_preceded(match: dict[str, str]) -> None:
    other = [{"name": "other", "channel": "media", "match": match}]
    assert len(made(heartbeats=[{**BEAT, "channel": "ops", "severity": "critical"}], routes=other)) == 1


def test_what_the_outpost_watches_needs_no_route_and_its_table_has_none() -> None:
    outpost = {"url": "https://status.example.net"}
    pinged = {"name": "nightly", "period": "1d", "channel": "backups"}
    outside = {**PROBE, "name": "outside", "from": "outpost"}
    assert made(heartbeats=[pinged], probes=[outside], outpost=outpost) == []
    found = runs(heartbeats=[BEAT], outpost=outpost)
    assert found.relay is not None
    assert found.outpost is not None
    assert [route.name for route in found.relay.file.routes] == ["heartbeats-in-backups"]
    assert found.outpost.file.routes == ()


def test_without_rules_or_without_a_channel_there_is_nothing_to_tell() -> None:
    assert made(heartbeats=[BEAT], components={"alertmanager": {}, "relay": {}}) == []
    assert made(heartbeats=[BEAT], packs={"cronjobs": {"enabled": False}}) == []
    assert made(heartbeats=[{"name": "restic", "cronjob": "backups/restic"}], probes=[{**PROBE, "channel": None}]) == []
    assert made(heartbeats=[{**BEAT, "channel": "nowhere"}]) == []


def test_a_name_that_is_taken_gets_a_number() -> None:
    routes = [{"name": "x", "match": {"a": "1"}, "routes": [{"name": "heartbeats-in-backups", "match": {"b": "1"}}]}]
    assert [name for name, _, _ in made(heartbeats=[BEAT], routes=routes)] == ["heartbeats-in-backups-2"]
    channel = "c" * 63
    one = {channel: CHANNELS["ops"], "ops": CHANNELS["ops"]}
    (found,) = plan_of(
        components=EVERYTHING, channels=one, heartbeats=[{**BEAT, "channel": channel}]
    ).folded.site.channel_routes
    assert found.name == f"heartbeats-in-{channel}"[:60]


def test_an_alert_of_the_owners_about_a_probes_series_goes_by_the_routes() -> None:
    found = runs(probes=[PROBE])
    assert channels(found, {"alertname": "InternetDown", "probe": "web", "severity": "critical"}) == ("ops",)


def test_a_window_may_name_such_a_route() -> None:
    window = {"name": "night", "from": "22:00", "to": "06:00", "routes": ["heartbeats-in-backups"]}
    (way,) = ways(runs(heartbeats=[BEAT], maintenance=[window]), MISSED)
    assert way.route is not None
    assert way.route.mute_time_intervals == ("night",)


def test_explain_names_it() -> None:
    found = runs(heartbeats=[BEAT])
    (stop,) = explain(found, subject(found, "restic", {})).stops
    assert (stop.way.channel, stop.way.route.name if stop.way.route else "") == ("backups", "heartbeats-in-backups")


def test_the_relay_reads_them_and_the_page_shows_them() -> None:
    plan = plan_of(components=EVERYTHING, channels=CHANNELS, heartbeats=[BEAT])
    page = next(text for path, text in plan.files.items() if path.endswith("monitoring.md"))
    assert "| heartbeats-in-backups | `alertname` is `HeartbeatMissed`," in page
    assert "`heartbeats-in-backups` follows from the channels that heartbeats and probes name." in page
    assert "`#backups`" in page
    table = runs(heartbeats=[BEAT]).relay
    assert table is not None
    assert RelayFile.model_validate(table.file.to_data()).routes[0].channel == "backups"


def test_every_alert_that_carries_the_label_is_known_with_its_severity() -> None:
    stack = load(GOLDEN / "everything" / "stack.yaml")
    own = {beat.name: beat.severity for beat in stack.heartbeats}
    own |= {probe.name: probe.severity for probe in stack.probes}
    rules = make_plan(stack).folded.rules
    for pack, label in (("cronjobs", "heartbeat"), ("probes", "probe")):
        labelled = [rule for group in rules[pack] for rule in group["rules"] if label in rule["labels"]]
        assert {rule["alert"] for rule in labelled} == set(ALERTS[label])
        for rule in labelled:
            severity = ALERTS[label][rule["alert"]] or own[rule["labels"][label]]
            assert rule["labels"]["severity"] == severity
