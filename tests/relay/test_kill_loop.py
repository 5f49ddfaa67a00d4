"""The kill loop: short here, three hundred kills in CI. And that it would notice."""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Any

from tests.relay.kill_loop import Summary, repeated, run, visible

KILLS = 300 if os.environ.get("CI") else 40


def test_killed_at_any_moment_the_relay_loses_no_alert_and_repeats_at_most_one_message_a_kill(tmp_path: Path) -> None:
    summary = run(KILLS, random.randrange(10_000), 3, tmp_path)
    assert summary.good, summary
    assert summary.kills == KILLS
    assert summary.alerts > KILLS
    print(summary)


def message(number: int, *texts: str, deleted: bool = False) -> dict[str, Any]:
    versions = [{"payload": {"content": text}} for text in texts]
    return {"id": str(number), "text": texts[-1], "deleted_at": 1.0 if deleted else None, "versions": versions}


def test_a_message_is_repeated_when_it_tells_only_of_groups_that_were_told_before() -> None:
    first, second = message(1, "Group1 Group2"), message(2, "Group3", "Group3 over")
    assert repeated([second, first]) == 0
    assert repeated([first, second, message(3, "Group2 Group3")]) == 1
    assert repeated([first, second, message(3, "Group2 Group4")]) == 0


def test_an_alert_is_visible_in_what_stands_only() -> None:
    assert visible([message(1, "alert-1-1"), message(2, "alert-1-2", deleted=True)]) == {"alert-1-1"}


def test_a_loss_and_too_many_repetitions_are_not_good() -> None:
    assert Summary(1, kills=2, repeated=2).good
    assert not Summary(1, kills=2, repeated=3).good
    assert not Summary(1, kills=2, lost=["alert-1-1"]).good
    assert not Summary(1, kills=2, unbalanced=["c0-0"]).good
