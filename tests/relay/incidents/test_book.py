"""What readers are told of alerts that come, stay, go and come back."""

from __future__ import annotations

import pytest

from homelabmon.relay.incidents.notice import Notice
from tests.relay.incidents.desk import START, Desk, alert, event


@pytest.fixture
def desk() -> Desk:
    return Desk()


def states(desk: Desk) -> list[str]:
    """Every message that stands: how often it was written, and its state."""
    return [f"{len(one.versions)}x {one.last.incidents[0].state}" for one in desk.standing]


# Holds ------------------------------------------------------------


def test_alert_is_told_when_its_hold_is_over(desk: Desk) -> None:
    desk.take(alert("A", 0))
    desk.until(59.75)
    assert desk.written == []
    desk.until(62)
    assert [one.at for one in desk.written] == [61.0]


def test_critical_alert_does_not_wait(desk: Desk) -> None:
    desk.take(alert("A", 0, severity="critical"))
    desk.until(2)
    assert [one.at for one in desk.written] == [1.0]


def test_alert_that_resolves_during_the_hold_is_never_told(desk: Desk) -> None:
    desk.take(alert("A", 0))
    desk.until(40)
    desk.take(alert("A", 0, ends=40))
    desk.until(300)
    assert desk.written == []
    assert desk.total("received") == desk.total("suppressed") == 2


def test_alert_that_is_gone_when_its_hold_is_over_is_never_told(desk: Desk) -> None:
    desk.take(alert("A", 0))
    desk.there[alert("A", 0).fingerprint] = "gone"
    desk.until(300)
    assert desk.written == []
    assert desk.total("suppressed") == 1


def test_alert_that_nobody_can_ask_about_is_told(desk: Desk) -> None:
    desk.take(alert("A", 0))
    desk.there[alert("A", 0).fingerprint] = "unknown"
    desk.until(62)
    assert states(desk) == ["1x firing"]


def test_alert_that_lived_longer_than_its_hold_is_told_although_it_is_over(desk: Desk) -> None:
    desk.take(alert("A", -600, ends=-300))
    desk.until(2)
    assert states(desk) == ["1x resolved"]


@pytest.mark.parametrize(("lived", "told"), [(59.9, 0), (60, 1), (65, 1)])
def test_alert_is_churn_only_where_it_lived_shorter_than_its_hold(desk: Desk, lived: float, told: int) -> None:
    desk.take(alert("A", 0, ends=lived))
    desk.until(70)
    assert len(desk.written) == told


def test_gone_proves_nothing_when_the_question_comes_late(desk: Desk) -> None:
    desk.take(alert("A", -600))
    desk.there[alert("A", 0).fingerprint] = "gone"
    desk.until(62)
    assert states(desk) == ["1x resolved"]


def test_silenced_alert_waits_until_the_silence_is_over(desk: Desk) -> None:
    desk.take(alert("A", 0))
    desk.there[alert("A", 0).fingerprint] = "silenced"
    desk.until(200)
    assert desk.written == []
    assert desk.book.queued("ops") == 1
    del desk.there[alert("A", 0).fingerprint]
    desk.until(242)
    assert states(desk) == ["1x firing"]


def test_start_in_the_future_does_not_make_the_hold_longer(desk: Desk) -> None:
    desk.take(alert("A", 3600))
    desk.until(62)
    assert states(desk) == ["1x firing"]


@pytest.mark.parametrize("jump", [-7200.0, 7200.0])
def test_hold_is_as_long_when_the_clock_jumps(desk: Desk, jump: float) -> None:
    desk.take(alert("A", 0))
    desk.until(30)
    desk.now += jump
    desk.book.shift(jump)
    desk.until(jump + 59)
    assert desk.written == []
    desk.until(jump + 62)
    assert states(desk) == ["1x firing"]


@pytest.mark.parametrize("jump", [-7200.0, 7200.0])
def test_changes_are_told_as_soon_when_the_clock_jumps(desk: Desk, jump: float) -> None:
    desk.take(alert("A", 0))
    desk.until(62)
    desk.take(alert("A", 0, ends=63))
    desk.now += jump
    desk.book.shift(jump)
    desk.until(jump + 66)
    assert states(desk) == ["2x resolved"]


def test_a_clock_that_was_wrong_before_a_restart_makes_nobody_wait(desk: Desk) -> None:
    desk.now += 1e7
    desk.take(alert("Early", 1e7))
    desk.until(1e7 + 62)
    desk.take(alert("Early", 1e7, ends=1e7 + 63), alert("Held", 1e7 + 62))
    desk.step()
    desk.now = START
    desk.restart()
    desk.book.wind(desk.now)
    desk.until(4)
    assert states(desk) == ["2x resolved"]
    desk.until(64)
    assert states(desk) == ["2x resolved", "1x firing"]


def test_book_knows_a_firing_by_its_time_and_by_fewer_labels(desk: Desk) -> None:
    desk.take(alert("A", 0, cluster="home"))
    desk.take(alert("A", 0, ends=50, cluster="home"))
    assert desk.book.knows(alert("A", 10, ends=60))
    assert desk.book.knows(alert("A", 10, ends=60, cluster="home"))
    assert not desk.book.knows(alert("A", 10, ends=60, cluster="other"))
    assert not desk.book.knows(alert("A", 52, ends=60))
    assert not desk.book.knows(alert("B", 10, ends=60))
    desk.take(alert("A", 70, cluster="home"))
    assert desk.book.knows(alert("A", 80, ends=90))


# One incident, one message ------------------------------------------------------------


def test_three_nodes_are_one_message(desk: Desk) -> None:
    for second, node in enumerate(("n1", "n2", "n3")):
        desk.until(second * 5)
        desk.take(alert("NodeDown", second * 5, node=node))
    desk.until(120)
    assert states(desk) == ["3x firing"]
    assert len(desk.standing[0].last.incidents[0].alerts) == 3


def test_resolve_edits_the_message(desk: Desk) -> None:
    desk.take(alert("A", 0))
    desk.until(100)
    desk.take(alert("A", 0, ends=100))
    desk.until(110)
    assert states(desk) == ["2x resolved"]
    assert desk.standing[0].last.incidents[0].ended_at == START + 100


def test_incident_goes_on_while_one_alert_fires(desk: Desk) -> None:
    desk.take(alert("A", 0, node="n1"), alert("A", 0, node="n2"))
    desk.until(100)
    desk.take(alert("A", 0, ends=100, node="n1"))
    desk.until(110)
    incident = desk.standing[0].last.incidents[0]
    assert (incident.state, [one.state for one in incident.alerts]) == ("firing", ["firing", "resolved"])


def test_flap_comes_back_into_the_same_message_with_a_count(desk: Desk) -> None:
    for cycle in range(10):
        at = cycle * 300
        desk.until(at)
        desk.take(alert("A", at))
        desk.until(at + 150)
        desk.take(alert("A", at, ends=at + 150))
    desk.until(3300)
    assert states(desk) == ["20x resolved"]
    incident = desk.standing[0].last.incidents[0]
    assert (incident.returns, [one.times for one in incident.alerts]) == (9, [10])


def test_after_an_hour_it_is_a_new_incident(desk: Desk) -> None:
    desk.take(alert("A", 0), alert("A", 0, ends=90))
    desk.until(91 + 3600)
    desk.take(alert("A", 3691))
    desk.until(3800)
    assert states(desk) == ["1x resolved", "1x firing"]


def test_memory_is_empty_again(desk: Desk) -> None:
    desk.take(alert("A", 0), alert("A", 0, ends=90), alert("B", 0), alert("B", 0, ends=10), event("C", 0))
    for at in range(100, 1000, 200):
        desk.until(at)
        desk.take(alert("A", at))
        desk.until(at + 100)
        desk.take(alert("A", at, ends=at + 100))
    desk.until(3 * 3600)
    assert (list(desk.book.incidents()), list(desk.book.posts())) == ([], [])
    assert not desk.disk.load().episodes
    assert not desk.disk.posts


# What arrives twice, late, or in the wrong order ------------------------------------------------------------


def test_copies_from_two_replicas_vanish(desk: Desk) -> None:
    desk.take(alert("A", 0))
    desk.take(alert("A", 0))
    desk.until(62)
    desk.take(alert("A", 0, ends=61))
    desk.take(alert("A", 0, ends=61))
    desk.until(70)
    assert states(desk) == ["2x resolved"]
    assert (desk.total("posted"), desk.total("deduplicated")) == (2, 2)


def test_stale_firing_does_not_reopen(desk: Desk) -> None:
    desk.take(alert("A", 0))
    desk.until(100)
    desk.take(alert("A", 0, ends=100))
    desk.there[alert("A", 0).fingerprint] = "gone"
    desk.until(110)
    desk.take(alert("A", 0))
    desk.until(120)
    assert states(desk) == ["2x resolved"]


@pytest.mark.parametrize(("late", "state"), [(20, "2x resolved"), (200, "3x firing")])
def test_stale_firing_that_nobody_can_ask_about_counts_only_long_after(desk: Desk, late: int, state: str) -> None:
    desk.take(alert("A", 0))
    desk.until(100)
    desk.take(alert("A", 0, ends=100))
    desk.there[alert("A", 0).fingerprint] = "unknown"
    desk.until(100 + late)
    desk.take(alert("A", 0))
    desk.until(110 + late)
    assert states(desk) == [state]


def test_firing_that_came_back_with_its_old_start_reopens(desk: Desk) -> None:
    desk.take(alert("A", 0))
    desk.until(100)
    desk.take(alert("A", 0, ends=100))
    desk.until(110)
    desk.take(alert("A", 0))
    desk.until(120)
    assert states(desk) == ["3x firing"]
    assert desk.standing[0].last.incidents[0].returns == 0


def test_end_that_comes_before_the_start(desk: Desk) -> None:
    desk.there[alert("A", 0).fingerprint] = "gone"
    desk.take(alert("A", 0, ends=30))
    desk.take(alert("A", 0))
    desk.until(120)
    assert desk.written == []


def test_late_copy_of_an_earlier_firing_is_nothing(desk: Desk) -> None:
    for at in (0, 100):
        desk.until(at)
        desk.take(alert("A", at))
        desk.until(at + 80)
        desk.take(alert("A", at, ends=at + 80 if at == 0 else None))
    desk.take(alert("A", 0))
    desk.until(200)
    assert states(desk) == ["3x firing"]
    assert [one.starts_at for one in desk.book.firing()] == [START + 100]


def test_start_that_moves_back_is_the_same_firing(desk: Desk) -> None:
    desk.take(alert("A", 30))
    desk.take(alert("A", 0))
    desk.until(62)
    assert states(desk) == ["1x firing"]
    assert desk.standing[0].last.incidents[0].alerts[0].starts_at == START


def test_new_start_ends_a_firing_whose_end_was_lost(desk: Desk) -> None:
    desk.take(alert("A", 0))
    desk.until(100)
    desk.take(alert("A", 95))
    desk.until(170)
    assert states(desk) == ["3x firing"]
    assert desk.standing[0].last.incidents[0].alerts[0].times == 2


def test_alert_of_two_routes_is_told_in_both(desk: Desk) -> None:
    desk.take(alert("A", 0, also="media"))
    desk.until(70)
    assert sorted(one.channel for one in desk.standing) == ["media", "ops"]


# Whether it is still true ------------------------------------------------------------


def test_alert_that_vanished_from_alertmanager_ends(desk: Desk) -> None:
    desk.take(alert("A", 0))
    desk.until(120)
    for minute in (2, 3):
        desk.until(minute * 60)
        desk.book.reconcile({one.episode: "gone" for one in desk.book.firing()}, desk.now)
    desk.until(190)
    assert states(desk) == ["2x resolved"]


def test_one_look_is_not_enough(desk: Desk) -> None:
    desk.take(alert("A", 0))
    desk.until(120)
    for verdict in ("gone", "alive", "gone", "unknown"):
        desk.book.reconcile({one.episode: verdict for one in desk.book.firing()}, desk.now)
    desk.until(190)
    assert states(desk) == ["1x firing"]


def test_end_without_a_watchdog_is_unconfirmed(desk: Desk) -> None:
    desk.take(alert("A", 0))
    desk.until(100)
    desk.book.watchdog(True, desk.now, desk.now)
    desk.take(alert("A", 0, ends=100))
    desk.until(110)
    assert states(desk) == ["2x expired"]
    desk.book.watchdog(False, desk.now, desk.now)
    desk.take(alert("A", 0, ends=100))
    desk.until(120)
    assert states(desk) == ["3x resolved"]


def test_silence_shows(desk: Desk) -> None:
    desk.take(alert("A", 0))
    desk.until(100)
    desk.book.reconcile({one.episode: "silenced" for one in desk.book.firing()}, desk.now)
    desk.until(110)
    assert desk.standing[0].last.incidents[0].alerts[0].silenced


# Events ------------------------------------------------------------


def test_events_are_folded_with_a_count(desk: Desk) -> None:
    for second in range(20):
        desk.until(second)
        desk.take(event("Shell", second))
    desk.until(40)
    assert len(desk.standing) == 1
    assert [one.times for one in desk.standing[0].last.incidents[0].alerts] == [20]
    assert desk.total("posted") == 20


def test_the_same_event_twice_counts_once(desk: Desk) -> None:
    desk.take(event("Shell", 0), event("Shell", 1))
    desk.take(event("Shell", 0), event("Shell", 1))
    desk.until(10)
    assert [one.times for one in desk.standing[0].last.incidents[0].alerts] == [2]


def test_event_after_a_quiet_hour_is_a_new_message(desk: Desk) -> None:
    desk.take(event("Shell", 0))
    desk.until(3700)
    desk.take(event("Shell", 3700))
    desk.until(3710)
    assert states(desk) == ["1x event", "1x event"]


# Channels that cannot be reached ------------------------------------------------------------


def test_what_fires_while_the_channel_is_away_is_told_when_it_is_back(desk: Desk) -> None:
    desk.up = False
    desk.take(alert("A", 0), alert("B", 0))
    desk.until(600)
    desk.take(alert("B", 0, ends=600))
    desk.until(700)
    desk.up = True
    desk.until(710)
    assert sorted(states(desk)) == ["1x firing", "1x resolved"]
    assert desk.book.queued("ops") == 0


def test_storm_is_packed(desk: Desk) -> None:
    desk.take(*(alert(f"A{number}", 0, severity="critical") for number in range(95)))
    desk.until(60)
    assert [len(one.last.incidents) for one in desk.written] == [10] * 9 + [1] * 5
    assert desk.total("posted") == 95


def test_digest_is_edited_when_its_incidents_end(desk: Desk) -> None:
    desk.take(*(alert(f"A{number}", 0) for number in range(10)))
    desk.until(70)
    desk.take(*(alert(f"A{number}", 0, ends=70) for number in range(10)))
    desk.until(80)
    assert [len(one.versions) for one in desk.standing] == [2]
    assert {one.state for one in desk.standing[0].last.incidents} == {"resolved"}


def test_digest_keeps_its_lines_while_one_of_its_incidents_goes_on(desk: Desk) -> None:
    desk.take(*(alert(f"A{number}", 0) for number in range(10)))
    desk.until(70)
    desk.take(*(alert(f"A{number}", 0, ends=70) for number in range(9)))
    desk.until(3 * 3600)
    desk.restart()
    desk.take(alert("A9", 0, ends=3 * 3600))
    desk.until(3 * 3600 + 10)
    assert [(len(one.versions), len(one.last.incidents)) for one in desk.standing] == [(3, 10)]


def test_message_that_somebody_deleted_is_posted_anew(desk: Desk) -> None:
    desk.take(alert("A", 0))
    desk.until(70)
    desk.take(alert("A", 0, ends=70))
    desk.up = False
    desk.until(80)
    sending = desk.book.next("ops", desk.now)
    assert sending is not None
    desk.book.deleted(sending, desk.now)
    desk.up = True
    desk.until(90)
    assert states(desk) == ["1x firing", "1x resolved"]


def test_message_that_takes_no_more_edits_is_replaced(desk: Desk) -> None:
    desk.take(alert("A", 0))
    desk.until(70)
    desk.take(alert("A", 0, ends=70))
    desk.up = False
    desk.until(80)
    sending = desk.book.next("ops", desk.now)
    assert sending is not None
    desk.book.crowded(sending, desk.now)
    desk.up = True
    desk.until(90)
    assert states(desk) == ["1x resolved"]
    assert [one.deleted for one in desk.written] == [True, False]


def test_refused_message_is_kept_and_the_next_change_is_tried(desk: Desk) -> None:
    desk.take(alert("A", 0))
    desk.up = False
    desk.until(70)
    sending = desk.book.next("ops", desk.now)
    assert sending is not None
    desk.book.refused(sending, "malformed", "embeds: 0", "{}", desk.now)
    desk.step()
    assert [(letter.notices, letter.incidents) for letter in desk.disk.letters] == [(1, list(sending.incidents))]
    assert desk.total("dead_lettered") == 1
    desk.up = True
    desk.until(80)
    assert desk.written == []
    desk.take(alert("A", 0, ends=80))
    desk.until(90)
    assert states(desk) == ["1x resolved"]


def test_refused_message_can_be_told_again(desk: Desk) -> None:
    desk.take(alert("A", 0))
    desk.up = False
    desk.until(70)
    sending = desk.book.next("ops", desk.now)
    assert sending is not None
    desk.book.refused(sending, "malformed", "", "{}", desk.now)
    assert desk.book.retell([*sending.incidents, 99_999], desk.now) == [99_999]
    desk.up = True
    desk.until(80)
    assert states(desk) == ["1x firing"]


# Pings ------------------------------------------------------------


def test_mention_of_the_severity_is_pinged_once() -> None:
    desk = Desk(mention={"critical": "role:1"})
    desk.take(alert("A", 0, severity="critical"))
    desk.until(10)
    desk.take(alert("A", 0, severity="critical", ends=10))
    desk.until(20)
    desk.take(alert("A", 20, severity="critical"))
    desk.until(30)
    assert [one.pinged for one in desk.written] == [("role:1",)]
    assert len(desk.standing[0].versions) == 3


def test_critical_alert_that_joins_moves_the_incident_into_a_message_that_pings() -> None:
    desk = Desk(mention={"critical": "role:1"})
    desk.take(alert("A", 0, node="n1"))
    desk.until(70)
    desk.take(alert("A", 70, severity="critical", node="n2"))
    desk.until(80)
    assert [(one.pinged, one.deleted) for one in desk.written] == [((), True), (("role:1",), False)]
    assert len(desk.standing[0].last.incidents[0].alerts) == 2


def test_critical_alert_that_joins_while_the_message_is_being_written_is_pinged() -> None:
    desk = Desk(mention={"critical": "role:1"})
    desk.take(alert("A", 0, node="n1"))
    desk.until(70)
    desk.take(alert("A", 0, node="n1", ends=70))
    desk.up = False
    desk.until(80)
    sending = desk.book.next("ops", desk.now)
    assert sending is not None
    desk.take(alert("A", 80, severity="critical", node="n2"))
    desk.send(sending)
    desk.up = True
    desk.until(90)
    assert [(one.pinged, one.deleted) for one in desk.written] == [((), True), (("role:1",), False)]


def test_what_is_over_pings_nobody() -> None:
    desk = Desk(mention={"critical": "role:1"})
    desk.up = False
    desk.take(alert("A", 0, severity="critical"))
    desk.until(10)
    desk.take(alert("A", 0, severity="critical", ends=10))
    desk.up = True
    desk.until(20)
    assert [one.pinged for one in desk.written] == [()]


# Restarts ------------------------------------------------------------


def test_waiting_notices_of_a_flapping_alert_are_counted_once(desk: Desk) -> None:
    desk.up = False
    for at in (0, 100, 200):
        desk.until(at)
        desk.take(alert("A", at))
        desk.until(at + 80)
        desk.take(alert("A", at, ends=at + 80))
    assert desk.book.queued("ops") == 6
    desk.step()
    desk.restart()
    assert desk.book.queued("ops") == 6
    desk.up = True
    desk.until(300)
    assert (desk.total("posted"), desk.book.queued("ops")) == (6, 0)


def test_restart_during_the_hold_changes_nothing(desk: Desk) -> None:
    desk.take(alert("A", 0))
    desk.until(30)
    desk.restart()
    desk.until(62)
    assert [one.at for one in desk.written] == [61.0]


def test_restart_keeps_the_message(desk: Desk) -> None:
    desk.take(alert("A", 0))
    desk.until(70)
    desk.restart()
    desk.take(alert("A", 0, ends=70))
    desk.until(80)
    assert states(desk) == ["2x resolved"]
    assert (desk.total("received"), desk.total("posted")) == (2, 2)


# Senders that count no firings ------------------------------------------------------------


def keyed(at: float, *, over: bool = False, said: str = "") -> Notice:
    """What Flux tells of one object: each word has a time of its own."""
    labels = {"alertname": "FluxFailed", "severity": "warning"}
    ends = START + at if over else None
    return Notice("flux", "key", labels, not over, START + at, {"description": said}, ends_at=ends, keyed=True)


def test_repeated_word_of_the_same_trouble_is_the_same_episode(desk: Desk) -> None:
    for minute in range(5):
        desk.take(keyed(minute * 60, said=f"attempt {minute}"))
        desk.until(minute * 60 + 30)
    (view,) = desk.standing[0].last.incidents
    assert [(one.times, one.starts_at) for one in view.alerts] == [(1, START)]
    assert (desk.total("received"), desk.total("deduplicated")) == (5, 4)


def test_end_of_a_trouble_needs_not_know_when_it_began(desk: Desk) -> None:
    desk.take(keyed(0))
    desk.until(100)
    desk.take(keyed(100, over=True))
    desk.until(110)
    assert states(desk) == ["2x resolved"]
    desk.take(keyed(200))
    desk.until(300)
    assert desk.standing[0].last.incidents[0].state == "firing"


def test_end_of_what_nobody_heard_of_is_never_told(desk: Desk) -> None:
    desk.take(keyed(0, over=True))
    desk.take(keyed(5, over=True))
    desk.until(100)
    assert desk.written == []
    assert desk.total("received") == 2


def test_word_that_was_overtaken_changes_nothing(desk: Desk) -> None:
    desk.take(keyed(100))
    desk.take(keyed(50, over=True))
    desk.until(200)
    assert states(desk) == ["1x firing"]
    desk.take(keyed(200, over=True))
    desk.take(keyed(150))
    desk.until(300)
    assert states(desk) == ["2x resolved"]


# What the service itself noticed ------------------------------------------------------------


def silent(said: str, *, over: bool = False) -> Notice:
    labels = {"alertname": "ClusterSilent", "severity": "critical"}
    return Notice(
        "outpost", "own", labels, not over, START, {"description": said}, ends_at=START + 90 if over else None
    )


def test_new_words_of_the_service_itself_change_the_message_and_the_same_ones_do_not(desk: Desk) -> None:
    desk.take(silent("the relay reports"))
    desk.until(10)
    desk.take(silent("the relay reports"))
    desk.until(40)
    assert [len(one.versions) for one in desk.standing] == [1]
    desk.take(silent("nothing comes any more"))
    desk.until(80)
    (written,) = desk.standing
    said = [version.incidents[0].alerts[0].annotations["description"] for version in written.versions]
    assert said == ["the relay reports", "nothing comes any more"]
    assert states(desk) == ["2x firing"]
    desk.take(silent("it is back", over=True))
    desk.until(120)
    assert states(desk) == ["3x resolved"]
    assert (desk.total("received"), desk.total("posted"), desk.total("deduplicated")) == (4, 3, 1)
