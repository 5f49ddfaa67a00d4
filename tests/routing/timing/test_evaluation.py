"""From a condition to an alert: the grid, ``for`` and ``keep_firing_for``."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from homelabmon.routing.timing.evaluation import Episode, Rule, Span, all_puts, episodes, puts

MINUTE = 60.0


def found(spans: Sequence[Span], rule: Rule, until: float = float("inf")) -> list[Episode]:
    return list(episodes(spans, rule, until))


def test_an_alert_fires_at_the_evaluation_that_finds_its_condition() -> None:
    assert found([(10, 100)], Rule()) == [Episode(30, 30, 120)]


def test_the_grid_of_a_rule_begins_at_its_offset() -> None:
    assert found([(10, 100)], Rule(offset=7)) == [Episode(37, 37, 127)]


def test_a_condition_between_two_evaluations_is_not_seen() -> None:
    assert found([(31, 59)], Rule()) == []


def test_a_lapse_between_two_evaluations_is_not_seen() -> None:
    assert found([(0, 31), (59, 91)], Rule()) == [Episode(0, 0, 120)]


@pytest.mark.parametrize(("lasts", "fires"), [(59, False), (60, False), (61, True)])
def test_a_condition_must_be_found_for_as_long_as_for_says(lasts: float, fires: bool) -> None:
    assert bool(found([(0, lasts)], Rule(for_=MINUTE))) is fires


def test_for_begins_anew_with_each_condition() -> None:
    spans = [(0, 50), (70, 115), (150, 400)]
    assert found(spans, Rule(for_=MINUTE)) == [Episode(150, 210, 420)]


def test_an_alert_keeps_firing_and_takes_up_a_condition_that_returns() -> None:
    rule = Rule(keep_firing_for=2 * MINUTE)
    assert found([(0, 60), (150, 200)], rule) == [Episode(0, 0, 330)]


def test_a_condition_that_returns_at_the_last_evaluation_still_counts() -> None:
    assert found([(0, 60), (180, 200)], Rule(keep_firing_for=2 * MINUTE)) == [Episode(0, 0, 330)]
    assert found([(0, 60), (181, 200)], Rule(keep_firing_for=2 * MINUTE)) == [Episode(0, 0, 180)]


def test_what_ends_later_has_no_end() -> None:
    assert found([(0, 1000)], Rule(), until=500) == [Episode(0, 0, None)]
    assert found([(0, float("inf"))], Rule()) == [Episode(0, 0, None)]
    assert found([(600, 1000)], Rule(), until=500) == []
    assert found([(400, 1000)], Rule(for_=300), until=500) == []


def test_the_least_that_alertmanager_hears_is_each_beginning_and_end() -> None:
    heard = [
        (put.at, put.starts_at, put.ends_at) for put in puts({}, {}, [Episode(0, 60, 120), Episode(300, 360, None)])
    ]
    assert heard == [(60, 60, float("inf")), (120, 60, 120), (360, 360, float("inf"))]


def test_prometheus_repeats_an_alert_after_more_than_a_minute_and_gives_it_an_end_ahead() -> None:
    heard = [(put.at, put.ends_at) for put in all_puts({}, {}, [Episode(0, 0, 200)], Rule(interval=30), 300)]
    assert heard == [(0, 240), (90, 330), (180, 420), (200, 200), (270, 200)]


def test_an_end_is_repeated_for_a_quarter_of_an_hour_unless_the_condition_returns() -> None:
    known = [Episode(0, 0, 60), Episode(200, 300, None)]
    heard = [put.at for put in all_puts({}, {}, known, Rule(interval=60), 500)]
    assert heard == [0, 60, 180, 300, 420]
    alone = [put.at for put in all_puts({}, {}, known[:1], Rule(interval=60), 5000)]
    assert alone[-1] == 900
