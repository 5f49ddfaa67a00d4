"""The dead man's switch as arithmetic: who is silent from when on, and whom people are told of."""

from __future__ import annotations

import pytest

from homelabmon.relay.incidents.notice import Notice
from homelabmon.relay.vigil import watchdog
from homelabmon.relay.vigil.watchdog import FORGOTTEN, MOST, NOBODY, Engine, Sign, State

SILENCE = 300.0
K8S, LOKI = Sign("k", "k8s", True), Sign("l", "loki", True)


def notice(firing: bool = True, **labels: str) -> Notice:
    return Notice("alertmanager", "f", {"alertname": "Watchdog", "severity": "none", **labels}, firing, 0.0)


def told(before: State, after: State) -> list[tuple[str, str | None, str | None]]:
    return [
        (change.key, change.before.why, None if change.after is None else change.after.why)
        for change in watchdog.changes(before, after)
    ]


def test_engines_are_told_apart_by_their_labels() -> None:
    plain, named = watchdog.sign_of(notice()), watchdog.sign_of(notice(prometheus="monitoring/k8s", cluster="home"))
    other = watchdog.sign_of(notice(False, source="loki"))
    assert (plain.name, named.name, other.name) == ("", "monitoring/k8s", "source=loki")
    assert len({plain.key, named.key, other.key, NOBODY}) == 4
    assert (plain.firing, other.firing) == (True, False)


def test_silence_begins_at_its_very_moment_and_ends_with_a_sign() -> None:
    state = watchdog.heard(watchdog.born(0), [K8S], 10)
    assert watchdog.deadline(state, SILENCE) == 310
    assert watchdog.look(state, SILENCE, 309.9) == state
    silent = watchdog.look(state, SILENCE, 400)
    assert silent.engines["k"] == Engine("k8s", 10, "silent", 310)
    assert told(state, silent) == [("k", None, "silent")]
    assert watchdog.deadline(silent, SILENCE) is None
    back = watchdog.heard(silent, [K8S], 500)
    assert told(silent, back) == [("k", "silent", None)]
    assert back.engines["k"] == Engine("k8s", 500)


def test_what_was_never_heard_is_silent_too_and_over_with_the_first_sign() -> None:
    state = watchdog.look(watchdog.born(0), SILENCE, 300)
    assert state.engines[NOBODY] == Engine("", None, "never", 300)
    after = watchdog.heard(state, [K8S], 400)
    assert list(after.engines) == ["k"]
    assert told(state, after) == [(NOBODY, "never", None)]


def test_resolved_is_told_at_once_and_only_of_what_was_heard() -> None:
    state = watchdog.heard(watchdog.born(0), [K8S], 10)
    over = watchdog.heard(state, [Sign("k", "k8s", False), Sign("x", "unknown", False)], 20)
    assert over.engines == {"k": Engine("k8s", 10, "resolved", 20)}
    assert watchdog.heard(over, [Sign("k", "k8s", False)], 30) == over
    assert told(state, over) == [("k", None, "resolved")]
    assert watchdog.look(over, SILENCE, 10_000) == over


def test_a_silent_engine_that_is_called_resolved_stays_silent() -> None:
    silent = watchdog.look(watchdog.heard(watchdog.born(0), [K8S], 0), SILENCE, 300)
    assert watchdog.heard(silent, [Sign("k", "k8s", False)], 400) == silent


def test_a_time_in_which_nobody_listened_is_forgiven() -> None:
    state = watchdog.forgive(watchdog.heard(watchdog.born(0), [K8S], 10), 1_000)
    assert watchdog.deadline(state, SILENCE) == 1_300
    assert watchdog.look(state, SILENCE, 1_299) == state


def test_nothing_lies_ahead_of_a_clock_that_was_set_back() -> None:
    state = watchdog.look(watchdog.heard(watchdog.born(0), [K8S], 5_000), SILENCE, 6_000)
    wound = watchdog.wind(watchdog.forgive(state, 7_000), 1_000)
    assert wound == State(1_000, {"k": Engine("k8s", 1_000, "silent", 1_000)})


def test_an_engine_that_was_renamed_is_forgotten_after_a_week_in_which_another_one_is_heard() -> None:
    state = watchdog.look(watchdog.heard(watchdog.born(0), [K8S], 0), SILENCE, 300)
    alone = watchdog.look(state, SILENCE, 300 + FORGOTTEN + 1)
    assert alone == state
    late = 300 + FORGOTTEN + 1
    both = watchdog.look(watchdog.heard(state, [LOKI], late), SILENCE, late)
    assert list(both.engines) == ["l"]
    assert told(state, both) == [("k", "silent", None)]


def test_strangers_cannot_fill_it() -> None:
    state = watchdog.born(0)
    for number in range(100):
        state = watchdog.heard(state, [Sign(str(number), "", True)], 1)
    assert len(state.engines) <= MOST + 1
    assert watchdog.heard(state, [Sign("0", "", True)], 9).engines["0"].heard == 9


@pytest.mark.parametrize("state", [watchdog.born(1.5), watchdog.look(watchdog.heard(State(0), [K8S], 1), 5, 99)])
def test_it_lies_on_the_disk_as_it_is(state: State) -> None:
    assert watchdog.parsed(watchdog.written(state)) == state
