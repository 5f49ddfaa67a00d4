"""Did-you-mean stays cheap, however much is wrong."""

from __future__ import annotations

from homelabmon.checks.support.suggester import MOST_COMPARISONS, Suggester


def test_a_close_name_is_suggested() -> None:
    assert Suggester().suggest("medai", {"media", "ops"}, "channels: ") == "did you mean 'media'?"


def test_without_a_close_name_the_known_ones_are_listed_in_order() -> None:
    assert Suggester().suggest("zzz", {"ops", "media"}, "channels: ") == "channels: media, ops"


def test_beyond_the_budget_names_are_listed_without_comparing() -> None:
    suggester = Suggester(left=3)
    assert suggester.suggest("medai", ["media", "ops"], "channels: ") == "did you mean 'media'?"
    assert suggester.suggest("osp", ["media", "ops"], "channels: ") == "channels: media, ops"
    assert suggester.suggest("medai", ["media", "ops"], "channels: ") == "did you mean 'media'?"


def test_the_budget_is_enough_for_a_handful_of_mistakes_among_many_names() -> None:
    assert MOST_COMPARISONS >= 50 * 300
