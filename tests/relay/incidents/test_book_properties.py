"""What holds for any course of events: nothing is lost, churn is not told, copies and restarts change nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from homelabmon.notifiers.message import AlertView
from homelabmon.relay.incidents.notice import Notice
from tests.relay.incidents.desk import START, Desk, alert

SECONDS: Final = 900


@dataclass(frozen=True)
class Life:
    """One firing of one alert, in seconds; ``end`` is None where it goes on."""

    name: str
    node: str
    severity: str
    start: int
    end: int | None

    def told(self, at: int) -> Notice:
        """How a sender tells it at a moment."""
        over = self.end is not None and self.end <= at
        return alert(self.name, self.start, ends=self.end if over else None, severity=self.severity, node=self.node)

    @property
    def hold(self) -> int:
        return 0 if self.severity == "critical" else 60

    @property
    def churn(self) -> bool:
        return self.end is not None and self.end - self.start < self.hold


@st.composite
def courses(draw: st.DrawFn) -> list[Life]:
    """The lives of a few alerts; those of one alert do not overlap."""
    lives = []
    for name in draw(st.sets(st.sampled_from("AB"), min_size=1)):
        for node in draw(st.sets(st.sampled_from(("n1", "n2")), min_size=1)):
            severity = draw(st.sampled_from(("warning", "critical")))
            at = 0
            for _ in range(draw(st.integers(1, 4))):
                start = at + draw(st.integers(1, 120))
                end = start + draw(st.integers(1, 200))
                if end > SECONDS:
                    break
                lives.append(Life(name, node, severity, start, end))
                at = end
            if draw(st.booleans()):
                lives.append(Life(name, node, severity, at + 10, None))
    return lives


def outages() -> st.SearchStrategy[tuple[int, int]]:
    """When the channel goes away, and when it is back."""
    return st.tuples(st.integers(0, SECONDS), st.integers(0, 500)).map(lambda pair: (pair[0], pair[0] + pair[1]))


def moments(lives: list[Life]) -> list[tuple[int, Life]]:
    """When something is to be told, in order: each start and each end."""
    found = [(life.start, life) for life in lives] + [(life.end, life) for life in lives if life.end is not None]
    return sorted(found, key=lambda item: (item[0], item[1].start))


def truth(desk: Desk, lives: list[Life], at: int) -> None:
    """Lets Alertmanager know what is there."""
    desk.there = {
        life.told(at).fingerprint: "gone" for life in lives if life.start <= at and not alive(lives, life, at)
    }


def alive(lives: list[Life], one: Life, at: int) -> bool:
    return any(
        (life.name, life.node) == (one.name, one.node) and life.start <= at and (life.end is None or at < life.end)
        for life in lives
    )


def run(
    lives: list[Life],
    *,
    restart_at: frozenset[int] = frozenset(),
    copies: dict[int, int] | None = None,
    away: tuple[int, int] = (0, 0),
) -> Desk:
    """The whole course, second by second.

    ``copies``: a second replica tells the nth moment so much later. ``away``: the channel cannot be reached meanwhile.
    """
    desk = Desk()
    desk.pace = 1.0
    plan: dict[int, list[Notice]] = {}
    for number, (at, life) in enumerate(moments(lives)):
        plan.setdefault(at, []).append(life.told(at))
        if copies and number in copies:
            plan.setdefault(at + copies[number], []).append(life.told(at))
    for second in range(SECONDS + 400):
        truth(desk, lives, second)
        desk.up = not away[0] <= second < away[1]
        if second in plan:
            desk.take(*plan[second])
        desk.until(second + 1)
        if second in restart_at:
            desk.restart()
    return desk


def standing(desk: Desk) -> list[tuple[str, list[tuple[str, str, str, float, float | None, int]]]]:
    """What readers see in the end, whatever the way there."""
    return sorted(
        (incident.state, sorted(map(_line, incident.alerts)))
        for written in desk.standing
        for incident in written.last.incidents
    )


def _line(view: AlertView) -> tuple[str, str, str, float, float | None, int]:
    return (view.labels["alertname"], view.labels["node"], view.state, view.starts_at, view.ends_at, view.times)


@settings(max_examples=50, deadline=None)
@given(courses(), outages())
def test_readers_know_what_lived_longer_than_its_hold_and_nothing_else(
    lives: list[Life], away: tuple[int, int]
) -> None:
    desk = run(lives, away=away)
    seen: dict[tuple[str, str], int] = {}
    firing = set()
    for _, alerts in standing(desk):
        for name, node, state, _, _, times in alerts:
            seen[name, node] = seen.get((name, node), 0) + times
            if state == "firing":
                firing.add((name, node))
    wanted: dict[tuple[str, str], int] = {}
    for life in lives:
        if not life.churn:
            wanted[life.name, life.node] = wanted.get((life.name, life.node), 0) + 1
    assert seen == wanted
    assert firing == {(life.name, life.node) for life in lives if life.end is None}
    assert desk.book.queued("ops") == 0


@settings(max_examples=25, deadline=None)
@given(courses(), outages(), st.frozensets(st.integers(0, SECONDS), max_size=4))
def test_restarts_change_nothing(lives: list[Life], away: tuple[int, int], restart_at: frozenset[int]) -> None:
    plain, restarted = run(lives, away=away), run(lives, away=away, restart_at=restart_at)
    assert standing(restarted) == standing(plain)
    assert dict(restarted.book.accounts) == dict(plain.book.accounts)


@settings(max_examples=25, deadline=None)
@given(courses(), st.dictionaries(st.integers(0, 30), st.integers(0, 20), max_size=8))
def test_late_copies_change_nothing(lives: list[Life], copies: dict[int, int]) -> None:
    assert standing(run(lives, copies=copies)) == standing(run(lives))


@settings(max_examples=20, deadline=None)
@given(courses())
def test_each_group_has_one_message(lives: list[Life]) -> None:
    desk = run(lives)
    groups = [incident.group["alertname"] for written in desk.standing for incident in written.last.incidents]
    assert len(groups) == len(set(groups))
    assert all(written.at >= 0 and START + written.at <= desk.now for written in desk.written)
