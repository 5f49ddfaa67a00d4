"""What waits is told when it should be, whatever the clocks and the channels do meanwhile."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.relay.incidents.desk import START, Desk, alert


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.mark.parametrize(("first", "then", "told"), [(5, -20, 41.0), (5, -100, 11.25), (500, 5, 61.0)])
def test_the_hold_counts_from_a_start_that_moved_back(desk: Desk, first: float, then: float, told: float) -> None:
    """And never for longer than the hold, as a sender's clock may be ahead."""
    desk.take(alert("A", first))
    desk.until(10)
    desk.take(alert("A", then))
    desk.until(70)
    assert [one.at for one in desk.written] == [told]


@pytest.mark.parametrize("jump", [-7200.0, 7200.0])
def test_what_waits_for_its_channel_is_told_in_order_when_the_clock_jumps(desk: Desk, jump: float) -> None:
    desk.up = False
    desk.take(alert("A", 0, severity="critical"))
    desk.until(10)
    desk.now += jump
    desk.book.shift(jump)
    desk.take(alert("B", jump + 10, severity="critical"))
    desk.up = True
    desk.until(jump + 14)
    assert [one.last.incidents[0].title for one in desk.written] == ["A", "B"]


def test_news_that_a_wrong_clock_dated_ahead_is_told_after_a_restart(desk: Desk) -> None:
    desk.up = False
    desk.now += 7200
    desk.take(alert("A", 7200, severity="critical"))
    desk.step()
    desk.now = START
    desk.restart()
    desk.book.wind(desk.now)
    desk.up = True
    desk.until(3)
    assert [one.at for one in desk.written] == [1.0]


def test_an_end_is_told_however_long_the_channel_is_away(desk: Desk) -> None:
    desk.take(alert("A", 0))
    desk.until(70)
    desk.up = False
    desk.take(alert("A", 0, ends=80))
    desk.pace = 60.0
    desk.until(80 + 3 * 3600)
    desk.up = True
    desk.until(80 + 3 * 3600 + 60)
    assert [one.last.incidents[0].state for one in desk.standing] == ["resolved"]
    desk.until(80 + 6 * 3600)
    assert not list(desk.book.incidents())


def test_an_incident_that_became_critical_is_told_before_what_is_older() -> None:
    desk = Desk()
    desk.up = False
    desk.take(alert("Older", 0), alert("Joined", 1))
    desk.until(65)
    desk.take(alert("Joined", 65, severity="critical"))
    desk.step()
    desk.up = True
    desk.until(70)
    assert [one.last.incidents[0].title for one in desk.written] == ["Joined", "Older"]


def test_an_end_that_was_found_late_is_put_right_once_the_sender_has_told_it(desk: Desk) -> None:
    """Alertmanager may tell an end minutes after it does not list the alert any more."""
    desk.take(alert("A", 0))
    desk.until(70)
    for second in (240, 300):
        desk.until(second)
        desk.book.reconcile({one.episode: "gone" for one in desk.book.firing()}, desk.now)
    desk.until(310)
    (message,) = desk.standing
    assert message.last.incidents[0].ended_at == START + 300
    desk.take(alert("A", 0, ends=90))
    desk.until(320)
    desk.take(alert("A", 0, ends=80))
    desk.until(330)
    view = message.last.incidents[0]
    assert (view.state, view.ended_at, view.alerts[0].ends_at) == ("resolved", START + 90, START + 90)
    assert len(message.versions) == 3
    assert not list(desk.book.firing())


def test_a_message_is_changed_at_most_once_in_three_seconds_and_the_last_change_is_never_left_out(desk: Desk) -> None:
    desk.take(alert("A", 0, severity="critical"))
    for second in range(2, 22):
        desk.until(second)
        desk.take(alert("A", second, severity="critical", node=f"n{second}"))
    desk.until(40)
    edits = [at for at, sending in desk.sendings if sending.kind == "edit"]
    assert min(later - sooner for sooner, later in pairwise(edits)) >= 3.0
    assert len(edits) == 7
    assert len(desk.standing[0].last.incidents[0].alerts) == 21


def test_a_message_is_deleted_only_once_what_it_showed_stands_in_another() -> None:
    desk = Desk(mention={"critical": "role:1"})
    desk.take(alert("A", 0))
    desk.until(70)
    desk.take(alert("A", 70, severity="critical"))
    desk.until(80)
    assert [sending.kind for _, sending in desk.sendings] == ["post", "post", "delete"]


def test_what_is_told_again_after_it_was_forgotten_is_a_message_of_its_own_and_joined_by_nothing(desk: Desk) -> None:
    desk.take(alert("A", 0))
    desk.until(70)
    desk.take(alert("A", 0, ends=80))
    desk.pace = 60.0
    desk.until(80 + 2 * 3600)
    assert not list(desk.book.incidents())
    (incident,), episodes = desk.disk.incidents.values(), list(desk.disk.episodes.values())
    assert incident.closed_at is not None
    desk.pace = 1.0
    again = desk.now - START
    desk.take(alert("A", again, severity="critical"))
    desk.book.revive(incident, episodes, desk.now)
    desk.book.revive(incident, episodes, desk.now)
    desk.take(alert("A", again, severity="critical", node="n2"))
    desk.until(again + 10)
    assert [(one.last.incidents[0].state, len(one.last.incidents[0].alerts)) for one in desk.standing] == [
        ("resolved", 1),
        ("firing", 2),
        ("resolved", 1),
    ]
    desk.restart()
    desk.until(again + 20)
    assert len(desk.written) == 3
    desk.pace = 60.0
    desk.until(again + 2 * 3600)
    assert [one.ended_at for one, _ in desk.book.incidents()] == [None]


def test_a_message_that_pinged_keeps_saying_whom_when_it_changes() -> None:
    desk = Desk(mention={"critical": "role:1"})
    desk.take(alert("A", 0, severity="critical"))
    desk.until(10)
    desk.take(alert("A", 0, ends=10, severity="critical"))
    desk.until(20)
    (message,) = desk.standing
    assert [version.mentions for version in message.versions] == [("role:1",), ("role:1",)]


def test_what_came_back_while_its_message_was_under_way_is_counted_once(desk: Desk) -> None:
    desk.up = False
    desk.take(alert("A", 0, severity="critical"))
    desk.until(5)
    under_way = desk.book.next("ops", desk.now)
    assert under_way is not None
    desk.take(alert("A", 0, ends=5, severity="critical"))
    desk.take(alert("A", 6, severity="critical"))
    desk.send(under_way)
    desk.check()
    assert (desk.total("posted"), desk.book.queued("ops")) == (0, 3)
    desk.up = True
    desk.until(20)
    assert (desk.total("received"), desk.total("posted"), desk.book.queued("ops")) == (3, 3, 0)
    assert len(desk.standing) == 1
