"""Which lanes a notice takes, by its labels and by what Alertmanager says of the route that sent it."""

from __future__ import annotations

from typing import Any

from homelabmon.relay.incidents.notice import Lane, Notice
from homelabmon.relay.routes import lanes_of
from homelabmon.spec.relay_file import RelayFile

DEFAULT = {"name": "default", "channel": "ops", "group_by": ["alertname", "namespace"], "hold": "60s"}


def file(*routes: dict[str, Any]) -> RelayFile:
    channels = {name: {"webhook_file": f"/secrets/{name}"} for name in ("ops", "media", "night")}
    return RelayFile.model_validate(
        {
            "name": "home",
            "role": "relay",
            "channels": channels,
            "default": DEFAULT,
            "routes": [{"group_by": ["alertname"], "hold": "60s", **route} for route in routes],
            "database": "/data/relay.db",
        }
    )


def lanes(relay: RelayFile, route_key: str | None = None, **labels: str) -> list[Lane]:
    return list(lanes_of(relay)(Notice("alertmanager", "f", labels, True, 0.0), route_key))


def names(relay: RelayFile, route_key: str | None = None, **labels: str) -> list[str]:
    return [lane.route for lane in lanes(relay, route_key, **labels)]


def test_a_heartbeat_that_names_a_channel_is_told_there_and_nowhere_else() -> None:
    relay = file(MEDIA, NIGHT)
    data = relay.to_data() | {
        "heartbeats": [
            {"name": "backup", "period": "1d", "channel": "night"},
            {"name": "report", "period": "1d"},
        ]
    }
    relay = RelayFile.model_validate(data)

    def told(beat: str, source: str = "heartbeat") -> list[tuple[str, str]]:
        labels = {"alertname": "HeartbeatMissed", "heartbeat": beat, "namespace": "media", "source": source}
        return [(lane.route, lane.channel) for lane in lanes_of(relay)(Notice(source, "f", labels, True, 0.0), None)]

    assert told("backup") == [("media", "night")]
    assert told("report") == [("media", "media")]
    assert told("unknown") == [("media", "media")]
    assert told("backup", "alertmanager") == [("media", "media")]


MEDIA = {"name": "media", "channel": "media", "matchers": ['namespace="media"'], "continue": True}
NIGHT = {"name": "night", "channel": "night", "matchers": ['severity="critical"']}


WEEKLY = {"name": "updates", "weekdays": ["sunday"], "from": "03:00", "to": "05:00", "components": ["home", "backup"]}
AFTER = {"name": "after", "from": "05:00", "to": "05:30", "components": ["home"]}
SUNDAY = 1_795_910_400.0
"""2026-11-29 00:00 UTC."""


def hold(at: float, *windows: dict[str, Any], source: str = "probe", event: bool = False, **labels: str) -> float:
    relay = RelayFile.model_validate(file().to_data() | {"maintenance": list(windows)})
    notice = Notice(source, "f", {"alertname": "X", "severity": "warning", **labels}, True, at, event=event)
    (lane,) = lanes_of(relay)(notice, None)
    return lane.hold


def test_what_begins_in_a_window_that_names_it_is_held_until_that_is_over() -> None:
    three, five = SUNDAY + 3 * 3600, SUNDAY + 5 * 3600
    assert hold(three, WEEKLY, probe="home") == 2 * 3600 + 60
    assert hold(five - 60, WEEKLY, source="heartbeat", heartbeat="backup") == 60 + 60
    assert hold(three - 0.5, WEEKLY, probe="home") == 60
    assert hold(five, WEEKLY, probe="home") == 60
    assert hold(three + 86_400, WEEKLY, probe="home") == 60
    assert hold(three, WEEKLY, probe="other") == 60
    assert hold(three, WEEKLY, source="alertmanager", probe="home") == 60
    assert hold(three, WEEKLY, probe="home", event=True) == 60


def test_windows_one_after_the_other_hold_as_one() -> None:
    assert hold(SUNDAY + 4 * 3600, WEEKLY, AFTER, probe="home") == 1.5 * 3600 + 60


def test_a_window_that_names_nothing_is_about_everything_and_one_for_routes_about_none_of_it() -> None:
    everything, routes = {"name": "w", "from": "00:00", "to": "01:00"}, ["media"]
    assert hold(SUNDAY, everything, probe="home") == 3660
    assert hold(SUNDAY, everything | {"routes": routes}, probe="home") == 60


def test_labels_choose_the_route() -> None:
    relay = file(MEDIA, NIGHT)
    assert names(relay, namespace="media") == ["media"]
    assert names(relay, namespace="media", severity="critical") == ["media", "night"]
    assert names(relay, namespace="other") == ["default"]


def test_alertmanagers_choice_counts_as_it_knows_the_mute_times() -> None:
    relay = file(MEDIA, NIGHT)
    key = '{}/{severity="critical"}'
    assert names(relay, key, namespace="media", severity="critical") == ["night"]


def test_route_that_only_alertmanager_knows_says_nothing() -> None:
    relay = file(MEDIA, NIGHT)
    assert names(relay, '{}/{team="x"}', namespace="media") == ["media"]
    assert names(relay, "{}/{}", namespace="other") == ["default"]


def test_route_that_alertmanager_chose_is_taken_although_the_labels_say_otherwise() -> None:
    assert names(file(MEDIA, NIGHT), '{}/{namespace="media"}', namespace="other") == ["media"]


def test_alert_that_alertmanager_sent_by_its_root_is_for_everybody_else() -> None:
    assert names(file(MEDIA), "{}", namespace="media") == ["default"]


def test_group_has_the_labels_that_the_alert_has() -> None:
    (lane,) = lanes(file(), alertname="A", instance="i")
    assert lane.group == {"alertname": "A"}
    assert not lane.group_by_all


def test_group_by_everything() -> None:
    (lane,) = lanes(file({**NIGHT, "group_by": ["..."]}), alertname="A", severity="critical", instance="i")
    assert lane.group == {"alertname": "A", "severity": "critical", "instance": "i"}
    assert lane.group_by_all


def test_hold_is_the_severitys_own() -> None:
    relay = file({**NIGHT, "matchers": ['team="x"'], "hold": {"default": "2m", "info": "10m"}})
    assert [lanes(relay, team="x", severity=one)[0].hold for one in ("warning", "info", "critical")] == [120, 600, 0]
    assert lanes(relay, team="x")[0].hold == 120
