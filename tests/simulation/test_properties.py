"""What holds for every story that happens to the example: nothing long is lost, nothing short is told."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from math import inf

from hypothesis import given, settings
from hypothesis import strategies as st

from homelabmon.journey.running import Running, running
from homelabmon.load import load
from homelabmon.routing.timing.evaluation import Episode
from homelabmon.simulation.data import outcome_data
from homelabmon.simulation.story import Story, story_of
from homelabmon.simulation.timeline import Timeline
from homelabmon.simulation.world import Told, play
from tests.stacks_common import EXAMPLE

ALERTS = (
    ("NodeDown", {"node": "n1"}, "ops", 0.0),
    ("NodeDown", {"node": "n2"}, "ops", 0.0),
    ("MemoryPressure", {"node": "n1"}, "ops", 60.0),
    ("KubePodNotReady", {"namespace": "media", "pod": "p"}, "media", 60.0),
    ("KubeJobFailed", {"namespace": "science-batch", "job_name": "j"}, "science", 60.0),
)
"""Alerts of the example with their channels and holds."""
SLACK = 25.0
"""Seconds that Alertmanager and the relay may take besides the hold."""


@cache
def example() -> Running:
    """The example without inhibition, under which a long alert may well be silent."""
    found = running(load(EXAMPLE))
    assert found.alertmanager is not None
    object.__setattr__(found, "alertmanager", type(found.alertmanager)(
        found.alertmanager.tree, found.alertmanager.receivers, (), found.alertmanager.intervals
    ))  # fmt: skip
    return found


@st.composite
def stories(draw: st.DrawFn) -> Story:
    happenings = []
    for name, labels, _, _ in draw(st.lists(st.sampled_from(ALERTS), min_size=1, max_size=4, unique_by=str)):
        cuts = sorted(draw(st.sets(st.integers(0, 1800), min_size=2, max_size=6)))
        pairs = zip(cuts[::2], cuts[1::2], strict=False)
        when = [{"from": f"{begin}s", "to": f"{end}s"} for begin, end in pairs]
        happenings.append({"alert": name, "labels": labels, "when": when, "fires": True})
    return story_of(example(), Timeline.model_validate({"alerts": happenings}))


def shows(told: Told, labels: dict[str, str]) -> bool:
    message = told.shown.message if told.shown is not None else None
    incidents = message.incidents if message is not None else ()
    return any(alert.labels.items() >= labels.items() for incident in incidents for alert in incident.alerts)


@settings(max_examples=40)
@given(stories())
def test_what_lives_longer_than_its_hold_is_told_in_its_channel_and_what_does_not_is_not(story: Story) -> None:
    told = play(example(), story).told
    for firing in story.firings:
        labels = {name: value for name, value in firing.labels.items() if name != "severity"}
        _, _, channel, hold = next(
            one for one in ALERTS if one[0] == labels["alertname"] and one[1].items() <= labels.items()
        )
        lives = [(one.resolves_at or story.start + story.length) - one.fires_at for one in firing.episodes]
        heard = {one.channel for one in told if shows(one, labels)}
        if any(each > hold + SLACK for each in lives):
            assert heard == {channel}
        # Who comes back at once may well pass for one that never went.
        if hold and all(each < hold - 1 for each in joined(firing.episodes)):
            assert heard == set()


def joined(known: Sequence[Episode]) -> list[float]:
    """How long the alert fires, with pauses that nobody need notice."""
    lengths: list[float] = []
    before = -inf
    for one in known:
        end = one.resolves_at or inf
        lives = end - one.fires_at
        if one.fires_at - before < 2 * SLACK:
            lengths[-1] += one.fires_at - before + lives
        else:
            lengths.append(lives)
        before = end
    return lengths


@settings(max_examples=40)
@given(stories())
def test_a_message_is_posted_before_it_is_edited_and_its_number_is_new(story: Story) -> None:
    posted: set[tuple[str, int]] = set()
    for one in play(example(), story).told:
        if one.kind == "post":
            assert (one.channel, one.number) not in posted
            posted.add((one.channel, one.number))
        assert (one.channel, one.number) in posted


@settings(max_examples=20)
@given(stories())
def test_the_same_story_gives_the_same_bytes(story: Story) -> None:
    one, other = (outcome_data(story, play(example(), story), ("ops",)) for _ in range(2))
    assert one == other


@settings(max_examples=40)
@given(stories())
def test_when_all_is_over_every_message_says_so(story: Story) -> None:
    last: dict[tuple[str, int], Told] = {}
    for one in play(example(), story).told:
        last[one.channel, one.number] = one
    for one in last.values():
        message = one.shown.message if one.shown is not None else None
        incidents = message.incidents if message is not None else ()
        assert all(incident.state == "resolved" for incident in incidents)
