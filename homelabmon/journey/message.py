"""The message that an alert would be, as its readers see it: the first one, about this one alert.

Asked by ``explain``. The relay's own book writes it. A label that was not given stands there as ``‹node›``, what a
template works out as an ellipsis; the texts of the chart's rules, which are not shipped with us, are left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from homelabmon.journey.explain import Stop
from homelabmon.journey.rules import Rule
from homelabmon.journey.running import Running, Service
from homelabmon.journey.shape import UNNAMED, typical
from homelabmon.journey.subject import Subject
from homelabmon.notifiers import NOTIFIERS
from homelabmon.notifiers.message import Links
from homelabmon.notifiers.preview import preview
from homelabmon.relay.incidents.book import Book, ChannelPolicy
from homelabmon.relay.incidents.notice import Delivery, Lane, Notice
from homelabmon.relay.probes.judging import Told
from homelabmon.relay.probes.state import State
from homelabmon.relay.probes.targets import target_of
from homelabmon.relay.probes.telling import notice
from homelabmon.relay.vigil.telling import Picture, silent
from homelabmon.relay.vigil.watchdog import Engine
from homelabmon.routing.tree import GROUP_BY_ALL
from homelabmon.spec import names
from homelabmon.spec.relay_file import Watchdog
from homelabmon.spec.watch import Probe

_TEMPLATE: Final = re.compile(r"\{\{-?(.*?)-?\}\}", re.DOTALL)
_LABEL: Final = re.compile(r"\s*\$labels\.(\w+)\s*")
_SOME_DAY: Final = datetime(2001, 2, 3, 4, 5, tzinfo=UTC)
_ITS_TEXT: Final = "2001-02-03 04:05 UTC"
_LINKED: Final = ("alertmanager", "grafana", "prometheus", "relay")


def message_text(running: Running, subject: Subject, stop: Stop, at: datetime | None = None) -> str | None:
    """The message of one way as text for a terminal; None where the relay does not write it."""
    service = running.outpost if stop.way.reader == "outpost" else running.relay
    if stop.way.entry is None or stop.channel is None or service is None:
        return None
    notifier = NOTIFIERS["discord"]
    moment = (at or _SOME_DAY).timestamp()
    mention: dict[str, str] = {str(severity): who for severity, who in stop.channel.mention.items()}
    book = Book(
        lambda notice, key: (_lane(stop),),  # noqa: ARG005 - it has been routed already
        {stop.way.channel or "": ChannelPolicy(mention, stop.channel.discord.username)},
        notifier,
        links=_links(service, stop),
        stack=service.file.name,
    )
    book.take(Delivery(1, moment, (_notice(subject, moment, service.file.name),)), moment)
    sending = book.next(stop.way.channel or "", moment + 60)
    assert sending is not None
    assert sending.message is not None
    return preview(notifier.render(sending.message)).replace(_ITS_TEXT, UNNAMED)


def _lane(stop: Stop) -> Lane:
    entry = stop.way.entry
    assert entry is not None
    return Lane(
        route=entry.payload.name,
        channel=stop.way.channel or "",
        group=_shown(stop.group),
        hold=0.0,
        title=entry.payload.title,
        group_by_all=entry.group_by == GROUP_BY_ALL,
    )


def _links(service: Service, stop: Stop) -> Links:
    """A link to silence it needs every label of its group."""
    links = {name: url for name, url in service.file.links.items() if name in _LINKED}
    if UNNAMED in stop.group.values():
        links.pop("alertmanager", None)
    return Links(**links)


def _notice(subject: Subject, moment: float, stack: str) -> Notice:
    labels = typical(subject.rule, subject.labels) if subject.rule is not None else dict(subject.labels)
    outside = subject.kind in ("event", "heartbeat", "probe", "outpost")
    return Notice(
        source=labels[names.LABEL_SOURCE] if outside else names.SOURCE_ALERTMANAGER,
        fingerprint="",
        labels=_shown(labels),
        firing=True,
        starts_at=moment,
        annotations=_annotations(subject, _shown(labels), moment, stack),
        event=subject.kind == "event",
    )


def _annotations(subject: Subject, labels: Mapping[str, str], moment: float, stack: str) -> Mapping[str, str]:
    if subject.rule is not None:
        return annotations_of(subject.rule, labels)
    if isinstance(subject.thing, Watchdog):
        engine = Engine("", heard=moment, why="silent", since=moment)
        return silent(stack, "", engine, Picture(moment), speaks=False).annotations
    probe = subject.thing
    if not isinstance(probe, Probe):
        return {}
    state = State("down", moment, failures=probe.retries + 1, reason="‹what came instead›")
    return notice(Told(probe.name, "down", state, state, moment), target_of(probe), None, moment).annotations


def annotations_of(rule: Rule, labels: Mapping[str, str]) -> dict[str, str]:
    """The rule's texts, with the labels filled in."""
    return {
        name: _TEMPLATE.sub(lambda found: _filled(found[1], rule, labels), text)
        for name, text in rule.annotations.items()
    }


def _filled(expression: str, rule: Rule, labels: Mapping[str, str]) -> str:
    label = _LABEL.fullmatch(expression)
    if label is None:
        return UNNAMED
    return labels.get(label[1], f"‹{label[1]}›" if label[1] in rule.labels else "")


def _shown(labels: Mapping[str, str]) -> dict[str, str]:
    """Labels with something to read where their value is not known."""
    return {name: f"‹{name}›" if value == UNNAMED else value for name, value in labels.items()}
