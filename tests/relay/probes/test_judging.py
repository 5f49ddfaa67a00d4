"""Parents before children; and what must hold whatever fails: measured, resolved, not taken back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from homelabmon.relay.probes.judging import Told, judge, most_fail
from homelabmon.relay.probes.outcome import Outcome
from homelabmon.relay.probes.state import State, born, take
from homelabmon.relay.probes.targets import Target
from tests.relay.probes.desk import BAD, CANNOT, OK, SLOW, chain, targets

T = 1_790_000_000.0
DAY = 86_400.0


class World:
    """Some probes, their answers, and what is told of them."""

    def __init__(self, known: dict[str, Target]) -> None:
        self.targets = known
        self.states: dict[str, State] = {name: born(T) for name in known}
        self.told: list[Told] = []
        self.ask: frozenset[str] = frozenset()

    def comes(self, at: float, *, elsewhere: frozenset[str] = frozenset(), **found: Outcome) -> list[tuple[str, str]]:
        return self.take(at, found, elsewhere)

    def take(
        self, at: float, found: Mapping[str, Outcome], elsewhere: frozenset[str] = frozenset()
    ) -> list[tuple[str, str]]:
        for name, outcome in found.items():
            self.states[name] = take(self.states[name], outcome, self.targets[name], T + at)
        judged = judge(self.states, self.targets, list(self.states), T + at, elsewhere)
        self.states |= judged.states
        self.told += judged.told
        self.ask = judged.ask
        return [(f"{'begins' if one.ended is None else 'ends'} {one.kind}", one.name) for one in judged.told]


def test_a_probe_without_parents_is_told_of_at_once() -> None:
    world = World(targets(*chain("a", retries=1)))
    assert world.comes(0.0, a=OK) == []
    assert world.comes(60.0, a=BAD) == []
    assert world.comes(75.0, a=BAD) == [("begins down", "a")]
    assert world.told[-1].began == T + 60.0
    assert world.comes(90.0, a=BAD) == []
    assert world.comes(150.0, a=OK) == [("ends down", "a")]
    assert (world.told[-1].began, world.told[-1].ended) == (T + 60.0, T + 150.0)


def test_a_parent_is_asked_before_anybody_is_told_of_its_child() -> None:
    world = World(targets(*chain("home", "proxy", "web", retries=0)))
    world.comes(0.0, home=OK, proxy=OK, web=OK)
    assert world.comes(60.0, web=BAD) == []
    assert world.ask == {"home", "proxy"}
    assert world.comes(61.0, home=OK) == []
    assert world.comes(62.0, proxy=OK) == [("begins down", "web")]


def test_while_a_parent_fails_even_unconfirmed_nobody_is_told_of_its_child() -> None:
    world = World(targets(*chain("home", retries=2), *chain("home", "proxy", "web", retries=0)[1:]))
    world.comes(0.0, home=OK, proxy=OK, web=OK)
    assert world.comes(60.0, web=BAD, proxy=BAD, home=BAD) == []
    assert world.comes(75.0, home=BAD) == []
    assert world.comes(90.0, home=BAD) == [("begins down", "home")]
    assert world.comes(120.0, web=BAD, proxy=BAD) == []


def test_when_the_parent_is_back_and_the_child_still_fails_it_is_told_then() -> None:
    world = World(targets(*chain("home", "web", retries=0)))
    world.comes(0.0, home=OK, web=OK)
    world.comes(60.0, home=BAD, web=BAD)
    assert world.comes(120.0, home=OK) == [("ends down", "home")]
    assert world.comes(180.0, web=BAD) == [("begins down", "web")]
    assert world.told[-1].began == T + 60.0


def test_when_the_parent_is_back_and_the_child_as_well_nobody_hears_of_the_child() -> None:
    world = World(targets(*chain("home", "web", retries=0)))
    world.comes(0.0, home=OK, web=OK)
    world.comes(60.0, home=BAD, web=BAD)
    world.comes(120.0, home=OK)
    assert world.comes(130.0, web=OK) == []


def test_a_child_that_was_down_before_its_parent_stays_told_and_is_resolved_while_the_parent_is_down() -> None:
    world = World(targets(*chain("home", "web", retries=0)))
    world.comes(0.0, home=OK, web=OK)
    world.comes(60.0, web=BAD)
    assert world.comes(61.0, home=OK) == [("begins down", "web")]
    assert world.comes(120.0, home=BAD) == [("begins down", "home")]
    assert world.comes(180.0, web=OK) == [("ends down", "web")]


def test_a_parent_that_cannot_be_asked_keeps_nobody_silent() -> None:
    world = World(targets(*chain("home", "web", retries=0)))
    world.comes(0.0, home=CANNOT, web=OK)
    assert world.comes(60.0, web=BAD) == [("begins down", "web")]


def test_a_parent_that_is_watched_from_inside_only_is_no_parent_here() -> None:
    world = World(targets(chain("home", "web", retries=0)[1]))
    assert world.comes(60.0, web=BAD) == [("begins down", "web")]


def test_a_circle_of_parents_ends() -> None:
    one, other = chain("one", "other", retries=0)
    world = World(targets({**one, "parent": "other"}, other))
    world.comes(0.0, one=BAD, other=BAD)
    assert world.comes(60.0, one=OK) == []
    assert world.comes(61.0, other=BAD) == [("begins down", "other")]


def test_what_the_cluster_tells_already_is_not_told_twice_but_told_when_it_falls_silent() -> None:
    world = World(targets(*chain("a", retries=0)))
    assert world.comes(0.0, a=BAD, elsewhere=frozenset({"a"})) == []
    assert world.comes(60.0, elsewhere=frozenset({"a"})) == []
    assert world.comes(70.0) == [("begins down", "a")]
    assert world.comes(80.0, a=OK, elsewhere=frozenset({"a"})) == [("ends down", "a")]


def test_one_that_is_slow_for_ten_minutes_is_told_of() -> None:
    world = World(targets(*chain("a", retries=1, expect={"within": "2s"})))
    for second in range(0, 600, 60):
        assert world.comes(second, a=SLOW) == []
    assert world.comes(600.0, a=SLOW) == [("begins slow", "a")]
    assert world.told[-1].began == T
    assert world.comes(660.0, a=OK) == [("ends slow", "a")]


def test_one_that_is_down_is_slow_no_more() -> None:
    world = World(targets(*chain("a", retries=0, expect={"within": "2s"})))
    for second in range(0, 660, 60):
        world.comes(second, a=SLOW)
    assert world.comes(660.0, a=BAD) == [("begins down", "a"), ("ends slow", "a")]


def test_a_certificate_is_told_of_in_two_steps_and_resolved_by_a_new_one() -> None:
    world = World(targets(*chain("a", expect={"tls_days": 14})))
    until = T + 20 * DAY

    def seen(day: float, until: float) -> list[tuple[str, str]]:
        return world.comes(day * DAY, a=replace(OK, certificate_until=until))

    assert seen(5.9, until) == []
    assert seen(6.1, until) == [("begins expires", "a")]
    assert seen(16.9, until) == []
    assert seen(17.1, until) == [("ends expires", "a"), ("begins last_days", "a")]
    assert seen(19.0, until) == []
    assert seen(19.1, T + 100 * DAY) == [("ends last_days", "a")]


def test_nobody_minds_a_certificate_that_nobody_is_to_mind() -> None:
    world = World(targets(*chain("a", expect={"tls_days": 0})))
    assert world.comes(0.0, a=replace(OK, certificate_until=T + 1.0)) == []


def test_a_certificate_of_few_days_has_its_last_days_within_them() -> None:
    world = World(targets(*chain("a", expect={"tls_days": 2})))
    assert world.comes(0.0, a=replace(OK, certificate_until=T + 2.5 * DAY)) == []
    assert world.comes(DAY, a=replace(OK, certificate_until=T + 2.5 * DAY)) == [("begins last_days", "a")]


def test_most_fail_means_different_hosts_that_have_just_begun_to() -> None:
    world = World(targets(*(one for name in "abcde" for one in chain(name, retries=0))))
    world.comes(0.0, a=OK, b=OK, c=OK, d=OK, e=OK)
    world.comes(60.0, a=BAD, b=BAD)
    assert not most_fail(world.states, world.targets, T + 60.0)
    world.comes(61.0, c=BAD)
    assert most_fail(world.states, world.targets, T + 61.0)
    assert not most_fail(world.states, world.targets, T + 3_600.0)


def test_many_probes_of_one_host_are_no_crowd() -> None:
    one_host = [{"name": name, "tcp": f"nas.lan:{port}"} for port, name in enumerate("abcdefgh", 1)]
    world = World(targets(*one_host))
    world.take(0.0, dict.fromkeys("abcdefgh", BAD))
    assert not most_fail(world.states, world.targets, T)


def test_children_of_one_parent_are_no_crowd() -> None:
    family = [{"name": name, "tcp": f"{name}.lan:1", "parent": "home"} for name in "abcdef"]
    world = World(targets({"name": "home", "tcp": "home.lan:1"}, *family))
    world.take(0.0, {"home": OK, **dict.fromkeys("abcdef", BAD)})
    assert not most_fail(world.states, world.targets, T)


# Whatever happens ------------------------------------------------------------------------------------------

NAMES: Final = "abcdef"
ANSWERS = st.sampled_from([OK, BAD, BAD, SLOW, CANNOT])


@st.composite
def families(draw: st.DrawFn) -> dict[str, Target]:
    """Up to six probes; each may have any other as its parent."""
    found = []
    for name in NAMES[: draw(st.integers(1, 6))]:
        parent = draw(st.none() | st.sampled_from(NAMES))
        retries = draw(st.integers(0, 2))
        one = {"name": name, "tcp": f"{name}.lan:1", "retries": retries, "expect": {"within": "2s"}}
        found.append({**one, **({"parent": parent} if parent else {})})
    return targets(*found)


steps = st.lists(st.tuples(st.integers(0, 5), ANSWERS, st.integers(1, 40), st.booleans()), max_size=60)


@settings(max_examples=300)
@given(families(), steps)
def test_parents_hold_back_nothing_but_the_creation_of_alerts(
    known: dict[str, Target], steps: list[tuple[int, Outcome, int, bool]]
) -> None:
    world, alone, at = World(known), World({name: replace(one) for name, one in known.items()}), 0.0
    names = list(known)
    for number, outcome, seconds, told_elsewhere in steps:
        at += seconds
        name = names[number % len(names)]
        before = dict(world.states)
        elsewhere = frozenset(names) if told_elsewhere else frozenset[str]()
        world.take(at, {name: outcome}, elsewhere)
        alone.states[name] = take(alone.states[name], outcome, known[name], T + at)
        untold = {"told_down": None, "told_slow": None}
        for one in names:  # measurement: exactly what it would be if there were no parents and no alerts
            assert replace(world.states[one], **untold) == replace(alone.states[one], **untold)  # type: ignore[arg-type]
        for one in names:
            now, then = world.states[one], before[one]
            if now.status in ("up", "degraded"):  # resolution: never held back
                assert now.told_down is None
            if then.told_down is not None and now.status in ("down", "unknown", "new"):  # and never without proof
                assert now.told_down == then.told_down
            if now.told_down is not None and then.told_down is None:  # creation: not while a parent fails
                parent, seen = known[one].parent, {one}
                while parent in known and parent not in seen:
                    assert not world.states[parent].failing or world.states[parent].status == "unknown"
                    seen.add(parent)
                    parent = known[parent].parent


@settings(max_examples=200)
@given(families(), steps)
def test_once_all_parents_answer_every_probe_that_goes_on_failing_is_told_of(
    known: dict[str, Target], steps: list[tuple[int, Outcome, int, bool]]
) -> None:
    world, at = World(known), 0.0
    names = list(known)
    for number, outcome, seconds, _ in steps:
        at += seconds
        world.take(at, {names[number % len(names)]: outcome})
    parents = {one.parent for one in known.values()} & set(names)
    failing = [name for name in names if name not in parents]
    for _ in range(4):
        for name in names:
            at += 5
            world.take(at, {name: BAD if name in failing else OK})
    for parent in parents & set(names):
        at += 1
        world.take(at, {str(parent): OK})
    assert [name for name in failing if world.states[name].told_down is None] == []
    began = [(one.name, one.kind) for one in world.told if one.ended is None and one.kind == "down"]
    ended = [(one.name, one.kind) for one in world.told if one.ended is not None and one.kind == "down"]
    open_ = [name for name in names if world.states[name].told_down is not None]
    assert sorted(began) == sorted([*ended, *((name, "down") for name in open_)])
