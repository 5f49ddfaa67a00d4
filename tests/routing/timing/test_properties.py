"""What holds for every story."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homelabmon.routing.inhibit import Inhibitor, SourceAlert
from homelabmon.routing.timing import evaluation, replica
from homelabmon.routing.timing.cluster import Cluster, Put
from homelabmon.routing.timing.evaluation import Episode, Rule
from homelabmon.routing.timing.notification import Notification, Reason
from homelabmon.routing.timing.replica import SINCE_0_32, Settings
from homelabmon.routing.tree import RouteNode, RouteTree
from tests.routing.timing import stories

END = 2 * stories.LENGTH


def told(configured: Settings, puts: list[Put], until: float = END) -> list[Notification]:
    cluster = Cluster(configured)
    cluster.put(puts)
    return cluster.advance(until)


def plain(sent: list[Notification]) -> list[object]:
    return [(each.at, each.replica, each.receiver, each.reason, each.payload()) for each in sent]


@given(stories.settings, stories.histories, st.booleans())
def test_flushes_that_are_left_out_would_have_told_nothing(
    configured: Settings, history: dict[tuple[str, str], list[Episode]], expiring: bool
) -> None:
    """Every flush of every group, against groups that sleep."""
    puts = [stories.with_end(put) if expiring else put for put in stories.heard(history)]
    sleeping = told(configured, puts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replica.Replica, "_sleep", never_sleep)
        awake = told(configured, puts)
    assert plain(sleeping) == plain(awake)


def never_sleep(self: replica.Replica, group: replica.Group, flush: replica.Flush) -> None:
    self._plan(group, group.tick, max(group.tick, self._agenda.now))


@given(stories.settings, stories.histories)
def test_the_same_story_is_told_in_the_same_way(
    configured: Settings, history: dict[tuple[str, str], list[Episode]]
) -> None:
    puts = stories.heard(history)
    assert plain(told(configured, puts)) == plain(told(configured, puts))


@given(stories.settings, stories.histories)
def test_time_may_advance_in_steps(configured: Settings, history: dict[tuple[str, str], list[Episode]]) -> None:
    puts = stories.heard(history)
    cluster = Cluster(configured)
    cluster.put(puts)
    steps: list[Notification] = []
    while (at := cluster.next_at()) is not None and at <= END:
        steps += cluster.advance(at)
    assert plain(steps) == plain(told(configured, puts))


@given(stories.settings, stories.histories)
def test_every_alert_that_fires_long_enough_is_told(
    configured: Settings, history: dict[tuple[str, str], list[Episode]]
) -> None:
    """Long enough: group_wait, two flushes, and every replica's turn. Nothing is muted here."""
    configured = replace(configured, inhibit_rules=(), intervals={"quiet": ()})
    sent = told(configured, stories.heard(history), 4 * END)
    for (name, node), known in history.items():
        labels = {"alertname": name, "node": node}
        for route in configured.tree.match(labels):
            turns = configured.replicas * configured.peer_timeout
            enough = route.group_wait + 2 * max(route.group_interval, turns) + turns
            for episode in known:
                if (episode.resolves_at or inf) - episode.fires_at <= enough:
                    continue
                firing = [
                    each.at
                    for each in sent
                    if each.receiver == route.receiver
                    for alert in each.alerts
                    if dict(alert.labels) == labels and not alert.resolved
                ]
                # Told in this episode, or known to fire from one before whose end nobody has been told.
                assert any(at <= episode.fires_at + enough for at in firing)


@given(stories.settings, stories.histories)
def test_a_receiver_is_never_told_twice_within_repeat_interval_without_a_change(
    configured: Settings, history: dict[tuple[str, str], list[Episode]]
) -> None:
    """One replica: two may tell the same when one of them sees an old state of things."""
    sent = told(replace(configured, replicas=1), stories.heard(history))
    last: dict[tuple[str, str], Notification] = {}
    for each in sent:
        before = last.get((each.receiver, each.group_key))
        if before is not None and shown(before) == shown(each):
            again = each.at - before.at >= each.route.repeat_interval
            forgotten = each.reason is Reason.FIRST and not configured.receivers[each.receiver]
            returned = each.reason is Reason.NEW and not configured.receivers[each.receiver]
            assert again or forgotten or returned
        last[each.receiver, each.group_key] = each


def shown(sent: Notification) -> frozenset[tuple[str, bool]]:
    return frozenset((alert.fingerprint, alert.resolved) for alert in sent.alerts)


@given(stories.settings, stories.histories)
def test_what_is_told_is_true_at_the_flush(configured: Settings, history: dict[tuple[str, str], list[Episode]]) -> None:
    turns = (configured.replicas - 1) * configured.peer_timeout
    for each in told(configured, stories.heard(history)):
        flushed = {each.at - position * configured.peer_timeout for position in range(configured.replicas)}
        assert each.replica * configured.peer_timeout <= turns
        looked = each.at - each.replica * configured.peer_timeout
        assert looked in flushed
        for alert in each.alerts:
            known = history[alert.labels["alertname"], alert.labels["node"]]
            assert alert.resolved is not any(
                episode.fires_at <= looked < (episode.resolves_at or inf) for episode in known
            )


@given(stories.settings, stories.histories)
def test_repetitions_of_prometheus_change_nothing(
    configured: Settings, history: dict[tuple[str, str], list[Episode]]
) -> None:
    """As long as they say that something fires. Those of ends are left out: see docs/reference/simulate.md."""
    rule = Rule(interval=1)
    repeated: list[Put] = []
    for (name, node), known in history.items():
        every = evaluation.all_puts({"alertname": name, "node": node}, {}, known, rule, END)
        ended: set[float] = set()
        for put in every:
            over = put.ends_at <= put.at
            if not over or put.ends_at not in ended:
                repeated.append(put)
            if over:
                ended.add(put.ends_at)
    repeated.sort(key=lambda put: put.at)
    assert plain(told(configured, repeated)) == plain(told(configured, stories.heard(history)))


@given(stories.histories, st.sampled_from([0.0, 100.0, 400.0, 900.0]))
def test_what_is_listed_as_inhibited_is_what_the_inhibitor_says(
    history: dict[tuple[str, str], list[Episode]], at: float
) -> None:
    configured = stories_with_rules()
    cluster = Cluster(configured)
    cluster.put(stories.heard(history))
    cluster.advance(at)
    listed = list(cluster.listed())
    inhibitor = Inhibitor(configured.inhibit_rules, [SourceAlert(alert.labels) for alert in listed])
    for alert in listed:
        assert alert.inhibited is (inhibitor.muting(alert.labels, MOMENT) is not None)


def stories_with_rules() -> Settings:
    return Settings(
        RouteTree(RouteNode[object]("root", "r", payload=None)), {"r": True}, stories.RULES, generation=SINCE_0_32
    )


MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
