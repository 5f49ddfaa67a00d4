"""What receivers are told, and when."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest

from homelabmon.routing.inhibit import InhibitRule
from homelabmon.routing.intervals import parse_time_intervals
from homelabmon.routing.timing.cluster import Cluster, Put
from homelabmon.routing.timing.notification import Notification
from homelabmon.routing.timing.replica import BEFORE_0_30, SINCE_0_30, Generation, Settings
from homelabmon.routing.tree import RouteNode, RouteTree
from homelabmon.spec.matchers import parse_matcher

HOUR = 3600.0
Story = list[tuple[float, str, str]]


def settings(
    *, wait: float = 30.0, interval: float = 300.0, repeat: float = 4 * HOUR, sends_resolved: bool = True, **more: Any
) -> Settings:
    """One route to one receiver; alerts are grouped by name."""
    root: RouteNode[object] = RouteNode(
        "root", "r", (), ("alertname",), wait, interval, repeat, payload=None, routes=more.pop("routes", ())
    )
    return Settings(RouteTree(root), {"r": sends_resolved}, **more)


def fires(at: float, name: str = "A", since: float | None = None, **labels: str) -> Put:
    return Put(at, {"alertname": name, **labels}, at if since is None else since)


def ends(at: float, name: str = "A", since: float = 0.0, **labels: str) -> Put:
    return Put(at, {"alertname": name, **labels}, since, at)


def told(configured: Settings, puts: Iterable[Put], until: float = 24 * HOUR) -> Story:
    """When, why and of which alerts (in upper case while they fire) receivers are told."""
    cluster = Cluster(configured)
    cluster.put(puts)
    return [(sent.at, sent.reason.value, _alerts(sent)) for sent in cluster.advance(until)]


def _alerts(sent: Notification) -> str:
    names = [(alert.labels.get("node", alert.labels["alertname"]), alert.resolved) for alert in sent.alerts]
    return " ".join(name.lower() if resolved else name.upper() for name, resolved in names)


def test_a_new_group_is_told_after_group_wait_and_then_looked_at_every_group_interval() -> None:
    puts = [fires(0, node="a"), fires(40, node="b"), ends(700, node="a"), ends(710, node="b", since=40)]
    assert told(settings(), puts) == [
        (30, "first notification", "A"),
        (330, "new alerts added", "A B"),
        (930, "all alerts resolved", "a b"),
    ]


def test_alerts_that_come_during_group_wait_are_told_together() -> None:
    assert told(settings(), [fires(0, node="a"), fires(29, node="b")])[:1] == [(30, "first notification", "A B")]


def test_a_group_that_is_over_before_it_was_told_is_never_told() -> None:
    assert told(settings(), [fires(0), ends(29)]) == []


def test_an_alert_that_is_old_when_it_arrives_is_told_at_once() -> None:
    assert told(settings(), [fires(1000, since=900)], until=1000) == [(1000, "first notification", "A")]


def test_only_the_alert_that_makes_a_group_can_hurry_it() -> None:
    puts = [fires(1000, node="a"), fires(1010, node="b", since=900)]
    assert told(settings(), puts, 1100) == [(1030, "first notification", "A B")]


def test_before_0_30_every_old_alert_hurried_a_group_that_had_not_been_told() -> None:
    puts = [fires(1000, node="a"), fires(1010, node="b", since=900)]
    assert told(settings(generation=BEFORE_0_30), puts, 1100) == [(1010, "first notification", "A B")]


def test_some_of_a_group_may_resolve() -> None:
    puts = [fires(0, node="a"), fires(0, node="b"), ends(100, node="a")]
    assert told(settings(), puts, HOUR) == [
        (30, "first notification", "A B"),
        (330, "some alerts resolved", "a B"),
    ]


def test_a_receiver_that_wants_no_resolved_alerts_hears_of_those_that_fire() -> None:
    puts = [fires(0, node="a"), fires(0, node="b"), ends(100, node="a"), fires(400, node="c"), ends(900, node="b")]
    assert told(settings(sends_resolved=False), puts, HOUR) == [
        (30, "first notification", "A B"),
        (630, "new alerts added", "B C"),
    ]


def test_the_end_of_a_group_is_not_sent_to_who_does_not_want_it_but_its_return_is() -> None:
    puts = [fires(0), ends(100), fires(1000), ends(1100, since=1000)]
    assert told(settings(sends_resolved=False), puts) == [
        (30, "first notification", "A"),
        (1030, "first notification", "A"),
    ]


def test_a_repetition_waits_for_the_first_flush_after_repeat_interval() -> None:
    story = told(settings(wait=0, interval=60, repeat=100), [fires(0)], until=500)
    assert [at for at, _, _ in story] == [0, 120, 240, 360, 480]
    assert {why for _, why, _ in story[1:]} == {"repeat interval elapsed"}


def test_repeat_interval_equal_to_group_interval_repeats_at_every_second_flush() -> None:
    assert [at for at, _, _ in told(settings(wait=0, interval=60, repeat=60), [fires(0)], until=300)] == [0, 120, 240]


def test_a_repetition_happens_at_every_flush_when_it_is_due_a_little_earlier() -> None:
    assert [at for at, _, _ in told(settings(wait=0, interval=60, repeat=50), [fires(0)], until=200)] == [
        0,
        60,
        120,
        180,
    ]


def test_alerts_of_nobody_are_told_to_nobody() -> None:
    to_nobody = RouteNode[object]("n", "null", (parse_matcher('alertname="B"'),), payload=None)
    assert told(settings(routes=(to_nobody,)), [fires(0, "B")]) == []


def test_a_flap_that_is_over_at_every_flush_is_not_told() -> None:
    puts = [put for start in range(0, 600, 40) for put in (fires(start), ends(start + 20, since=start))]
    assert told(settings(), puts, HOUR) == []


def test_a_flap_that_fires_at_every_flush_is_one_long_alert() -> None:
    puts = [put for start in range(0, 1000, 100) for put in (fires(start), ends(start + 50, since=start))]
    assert told(settings(), puts, HOUR) == [(30, "first notification", "A"), (1230, "all alerts resolved", "a")]


def test_an_empty_group_is_thrown_away_and_its_alert_told_after_group_wait_again() -> None:
    puts = [fires(0), ends(100), fires(400), ends(500, since=400)]
    assert [at for at, _, _ in told(settings(), puts)] == [30, 330, 430, 730]


def test_before_0_32_an_empty_group_lived_on_until_maintenance_and_kept_its_grid() -> None:
    """The group is empty at 330.1; maintenance looks at 360."""
    lingering = settings(generation=SINCE_0_30)
    assert [at for at, _, _ in told(lingering, [fires(0), ends(100), fires(350)], HOUR)] == [30, 330, 630]
    assert [at for at, _, _ in told(lingering, [fires(0), ends(100), fires(361)], HOUR)] == [30, 330, 391]


def test_an_alert_whose_end_passes_without_news_resolves() -> None:
    """Prometheus died."""
    put = Put(0, {"alertname": "A"}, 0, 240)
    assert told(settings(wait=0, interval=15), [put], HOUR) == [
        (0, "first notification", "A"),
        (240, "all alerts resolved", "a"),
    ]


# Muting -----------------------------------------------------------------------------------------------------------

RULES = (InhibitRule((parse_matcher('alertname="Down"'),), (parse_matcher('alertname="A"'),), ("node",)),)


def test_an_inhibited_alert_is_told_once_what_inhibits_it_is_over() -> None:
    puts = [fires(0, "Down", node="x"), fires(10, node="x"), ends(500, "Down", node="x")]
    story = told(settings(inhibit_rules=RULES, routes=nobody("Down")), puts, HOUR)
    assert story == [(640, "first notification", "X")]


def test_an_alert_that_is_inhibited_after_it_was_told_and_resolves_is_told_no_more() -> None:
    """And when it comes back within the repeat interval, Alertmanager believes that its receiver knows."""
    puts = [
        fires(0, node="x"),
        fires(100, "Down", node="x"),
        ends(200, node="x"),
        ends(1000, "Down", since=100, node="x"),
        fires(2000, node="x"),
    ]
    story = told(settings(inhibit_rules=RULES, routes=nobody("Down")), puts, 5 * HOUR)
    assert story == [(30, "first notification", "X"), (14630, "repeat interval elapsed", "X")]


def nobody(name: str) -> tuple[RouteNode[object], ...]:
    return (RouteNode[object]("n", "null", (parse_matcher(f'alertname="{name}"'),), payload=None),)


def test_a_muted_route_speaks_when_its_window_is_over() -> None:
    night = [{"name": "night", "time_intervals": [{"times": [{"start_time": "01:00", "end_time": "02:00"}]}]}]
    muted = RouteNode[object]("m", "r", (parse_matcher('alertname="A"'),), mute_time_intervals=("night",), payload=None)
    configured = settings(routes=(muted,), intervals=parse_time_intervals(night))
    story = told(configured, [fires(1.1 * HOUR, node="a"), ends(1.2 * HOUR, node="b", since=0), fires(2.5 * HOUR)])
    assert story[0] == (1.1 * HOUR + 30 + 11 * 300, "first notification", "A")


def test_an_active_route_is_silent_outside_of_its_hours() -> None:
    office = [{"name": "office", "time_intervals": [{"times": [{"start_time": "09:00", "end_time": "17:00"}]}]}]
    active = RouteNode[object](
        "a", "r", (parse_matcher('alertname="A"'),), active_time_intervals=("office",), payload=None
    )
    configured = settings(routes=(active,), intervals=parse_time_intervals(office))
    assert told(configured, [fires(8 * HOUR)], 10 * HOUR) == [(9 * HOUR + 30, "first notification", "A")]


# Clusters ---------------------------------------------------------------------------------------------------------


def replicas_that_told(configured: Settings, puts: Iterable[Put], until: float = HOUR) -> list[tuple[float, int, bool]]:
    cluster = Cluster(configured)
    cluster.put(puts)
    return [(sent.at, sent.replica, sent.firing) for sent in cluster.advance(until)]


@pytest.mark.parametrize(("replicas", "interval"), [(2, 15.0), (2, 300.0), (3, 31.0), (3, 300.0)])
def test_the_first_replica_tells_and_the_others_know(replicas: int, interval: float) -> None:
    puts = [fires(0), ends(1000)]
    sent = replicas_that_told(settings(wait=0, interval=interval, replicas=replicas), puts)
    assert [(replica, firing) for _, replica, firing in sent] == [(0, True), (0, False)]


@pytest.mark.parametrize(("replicas", "interval"), [(2, 5.0), (3, 15.0)])
def test_a_group_interval_shorter_than_the_last_replicas_turn_makes_it_tell_of_fire_after_every_end(
    replicas: int, interval: float
) -> None:
    sent = replicas_that_told(settings(wait=0, interval=interval, replicas=replicas), [fires(0), ends(1000)])
    last = replicas - 1
    assert [(replica, firing) for _, replica, firing in sent] == [(0, True), (0, False), (last, True), (last, False)]


def test_what_only_the_second_replica_hears_is_told_after_its_turn() -> None:
    cluster = Cluster(settings(wait=5, interval=15, replicas=2))
    cluster.put([fires(0), ends(100)], replicas=[1])
    assert [(sent.at, sent.replica) for sent in cluster.advance(HOUR)] == [(20, 1), (125.1, 1)]


def test_a_replica_with_a_stale_view_tells_of_fire_after_the_end() -> None:
    """The second looks at 12, when the alert fires, and decides at 27; by then the first has told the end."""
    cluster = Cluster(settings(wait=0, interval=15, replicas=2))
    cluster.put([fires(0), ends(14)], replicas=[0])
    cluster.put([fires(12, since=0), ends(14)], replicas=[1])
    assert [(sent.at, sent.replica, sent.firing) for sent in cluster.advance(HOUR)] == [
        (0, 0, True),
        (15, 0, False),
        (27, 1, True),
        (42.1, 1, False),
    ]


def test_what_the_replicas_list_are_the_alerts_that_fire() -> None:
    cluster = Cluster(settings(inhibit_rules=RULES, replicas=2))
    cluster.put([fires(0, "Down", node="x"), fires(0, node="x"), fires(0, node="y"), ends(5, node="y")])
    cluster.advance(10)
    listed = [(alert.labels["alertname"], alert.inhibited) for alert in cluster.listed(1)]
    assert listed == [("Down", False), ("A", True)]


def test_nothing_arrives_in_the_past() -> None:
    cluster = Cluster(settings())
    cluster.advance(10)
    with pytest.raises(ValueError, match="an alert cannot arrive at 5: it is 10 already"):
        cluster.put([fires(5)])


# Content ----------------------------------------------------------------------------------------------------------


def test_a_webhook_gets_the_whole_group_as_alertmanager_writes_it() -> None:
    root: RouteNode[object] = RouteNode("root", "web.hook", (), ("alertname",), payload=None)
    cluster = Cluster(Settings(RouteTree(root), {"web.hook": True}), start=1_800_000_000)
    labels = {"alertname": "NodeDown", "node": "n1", "severity": "critical"}
    cluster.put([Put(1_800_000_000, labels, 1_800_000_000, annotations={"summary": "Gone"})])
    (sent,) = cluster.advance(1_800_000_100)
    assert sent.payload() == {
        "receiver": "web\\.hook",
        "status": "firing",
        "notification_reason": "first notification",
        "alerts": [
            {
                "status": "firing",
                "labels": labels,
                "annotations": {"summary": "Gone"},
                "startsAt": datetime.fromtimestamp(1_800_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
                "endsAt": "0001-01-01T00:00:00Z",
                "fingerprint": sent.alerts[0].fingerprint,
            }
        ],
        "groupLabels": {"alertname": "NodeDown"},
        "commonLabels": labels,
        "commonAnnotations": {"summary": "Gone"},
        "version": "4",
        "groupKey": '{}:{alertname="NodeDown"}',
        "truncatedAlerts": 0,
    }


@pytest.mark.parametrize("generation", [SINCE_0_30, BEFORE_0_30, Generation()])
def test_the_generations_agree_on_a_plain_story(generation: Generation) -> None:
    puts = [fires(0, node="a"), fires(40, node="b"), ends(700, node="a"), ends(710, node="b", since=40)]
    assert [at for at, _, _ in told(settings(generation=generation), puts, 2 * HOUR)] == [30, 330, 930]
