"""What happens, as Alertmanager and the services hear it. Made from a timeline, from history, or from a test.

May import: spec, routing, journey, relay.incidents.notice, and its neighbours.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Final, Literal

from homelabmon.journey.message import annotations_of
from homelabmon.journey.running import Running
from homelabmon.journey.subject import Subject, subject
from homelabmon.journey.ways import OUTPOST_SOURCES
from homelabmon.relay.incidents.notice import Notice
from homelabmon.routing.timing.alerts import fingerprint
from homelabmon.routing.timing.cluster import Put
from homelabmon.routing.timing.evaluation import Episode, Rule, Span, episodes, puts
from homelabmon.simulation.timeline import Happening, Timeline, When
from homelabmon.spec import names

AFTERWARDS: Final = 1800.0
"""Seconds for which a story goes on after its last change, unless it says otherwise."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that a service hears of without Alertmanager."""

    at: float
    by: Literal["relay", "outpost"]
    notice: Notice


@dataclass(frozen=True, slots=True)
class Firing:
    """One alert of a story and when it fires, for people: seconds since the epoch."""

    title: str
    labels: Mapping[str, str]
    episodes: tuple[Episode, ...]
    rule: str = ""


@dataclass(frozen=True)
class Story:
    """What happens from ``start`` (seconds since the epoch) on, for ``length`` seconds."""

    start: float
    length: float
    puts: Sequence[Put] = ()
    events: Sequence[Event] = ()
    firings: tuple[Firing, ...] = ()
    warnings: tuple[str, ...] = ()


def story_of(running: Running, timeline: Timeline) -> Story:
    """A timeline, with each alert's rule. Raises :class:`~homelabmon.journey.subject.NoSuchAlertError`."""
    start = timeline.starts_at
    given = timeline.length.total_seconds() if timeline.length is not None else None
    found = [(happening, _subject(running, happening)) for happening in timeline.alerts]
    length = given if given is not None else _last(timeline) + _slack(found) + AFTERWARDS
    heard: list[Put] = []
    events: list[Event] = []
    firings: list[Firing] = []
    warnings: list[str] = []
    for happening, about in found:
        warnings += about.warnings
        if about.kind == "event":
            events += _events(about, happening, start, length)
            continue
        rule = _rule(about, happening, start)
        known = tuple(episodes(_spans(happening.when, start, length), rule, start + length))
        firings.append(Firing(about.title, about.labels, known, _of_rule(about, happening)))
        if about.kind in OUTPOST_SOURCES:
            events += _watched(about, known)
        else:
            annotations = annotations_of(about.rule, about.labels) if about.rule is not None else {}
            heard += puts(about.labels, annotations, known)
    return Story(start, length, in_order(heard), events, tuple(firings), tuple(dict.fromkeys(warnings)))


def in_order(heard: Iterable[Put]) -> list[Put]:
    """What Alertmanager hears, by time; of the same instant, what is over comes first."""
    return sorted(heard, key=lambda put: (put.at, put.ends_at))


def _subject(running: Running, happening: Happening) -> Subject:
    return subject(running, happening.alert, happening.labels, unknown=happening.unknown)


def _rule(about: Subject, happening: Happening, start: float) -> Rule:
    """The rule, which a stack may not have, as for what only the outpost watches; or what the timeline says."""
    own = about.rule
    usual = (
        Rule(own.for_, own.keep_firing_for, own.interval, start) if own is not None else Rule(interval=1, offset=start)
    )
    if happening.fires:
        return Rule(interval=0.001, offset=start)
    return usual if happening.for_ is None else replace(usual, for_=happening.for_.total_seconds())


def _of_rule(about: Subject, happening: Happening) -> str:
    if about.rule is None or happening.fires:
        return ""
    return about.rule.from_


def _last(timeline: Timeline) -> float:
    """When the last thing changes of which the time is written."""
    ends = [when.last for happening in timeline.alerts for when in happening.when]
    return max(ends, default=0.0)


def _slack(found: Iterable[tuple[Happening, Subject]]) -> float:
    rules = [about.rule for _, about in found if about.rule is not None]
    return max((rule.for_ + rule.keep_firing_for for rule in rules), default=0.0)


def _spans(whens: Iterable[When], start: float, length: float) -> list[Span]:
    """When the condition holds, sorted and joined where it overlaps."""
    spans = sorted(span for when in whens for span in when.spans(length))
    joined: list[Span] = []
    for begin, end in spans:
        if joined and begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((begin, end))
    return [(start + begin, end if end == inf else start + end) for begin, end in joined]


def _events(about: Subject, happening: Happening, start: float, length: float) -> Iterator[Event]:
    for when in happening.when:
        for begin, _ in when.spans(length):
            notice = Notice(
                source=about.labels[names.LABEL_SOURCE],
                fingerprint=fingerprint(about.labels),
                labels=about.labels,
                firing=True,
                starts_at=start + begin,
                event=True,
            )
            yield Event(start + begin, "relay", notice)


def _watched(about: Subject, known: Iterable[Episode]) -> Iterator[Event]:
    """What the outpost finds out by itself."""
    for episode in known:
        told = Notice(
            source=about.labels[names.LABEL_SOURCE],
            fingerprint=fingerprint(about.labels),
            labels=about.labels,
            firing=True,
            starts_at=episode.fires_at,
        )
        yield Event(episode.fires_at, "outpost", told)
        if episode.resolves_at is not None:
            over = replace(told, firing=False, ends_at=episode.resolves_at)
            yield Event(episode.resolves_at, "outpost", over)
