"""Every known alert by channel. Asked by ``homelabmon explain --all`` and by ``diff`` of what alerts do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from homelabmon.journey.explain import possible_ends
from homelabmon.journey.running import Reader, Running
from homelabmon.journey.shape import box_of, names_asked, typical
from homelabmon.journey.subject import HEARTBEAT_MISSED, PROBE_DOWN
from homelabmon.journey.ways import channels, ways
from homelabmon.routing.boxes import Box
from homelabmon.spec import names
from homelabmon.spec.contribution import GUARD

Heard = Literal["always", "usually", "possibly"]
"""``always``: every alert of this kind is told there. ``usually``: those that no route singles out by a label.
``possibly``: those with some labels."""


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of alert. ``group`` is whose it is; ``channels`` who hears of it, and how surely.

    ``others`` are receivers that are no channel and not nobody: the outpost, or one of the owner's own.
    """

    group: str
    alert: str
    severities: tuple[str, ...]
    channels: Mapping[str, Heard]
    others: tuple[str, ...] = ()

    @property
    def unheard(self) -> bool:
        """Whether no channel hears of any such alert."""
        return not self.channels and not self.others


@dataclass(frozen=True, slots=True)
class Matrix:
    """All rows, those of one group together, and the channels in the order of the stack."""

    channels: tuple[str, ...]
    rows: tuple[Row, ...]


def matrix(running: Running, given: Mapping[str, str] | None = None) -> Matrix:
    """Every known alert. ``given`` narrows it down to those that can have these labels, and says where they then go."""
    given = dict(given or {})
    rows = [*_of_rules(running, given), *_of_the_outpost(running, given), *_of_events(running, given)]
    return Matrix(tuple(running.stack.channels), tuple(_merged(rows)))


def _of_rules(running: Running, given: Mapping[str, str]) -> Iterator[Row]:
    asked = names_asked(running)
    for rule in running.rules:
        if given.get(names.LABEL_ALERTNAME, rule.name) != rule.name or not rule.could_be(given):
            continue
        if any(label not in rule.labels for label in given):
            continue
        labels = {names.LABEL_ALERTNAME: rule.name, **rule.static, **given}
        group = f"{rule.from_}: {rule.group}" if rule.origin == "chart" else rule.from_
        usual = typical(rule, labels)
        others = {_other(way.reader, way.route.receiver if way.route else "") for way in ways(running, usual)}
        yield Row(
            group,
            rule.name,
            (rule.severity,) if rule.severity else (),
            _heard(running, "rule", usual, box_of(labels, rule, asked, likely=True)),
            tuple(sorted(others - {""})),
        )


def _other(reader: Reader, receiver: str) -> str:
    return {"outpost": "the outpost", "other": receiver}.get(reader, "")


def _of_the_outpost(running: Running, given: Mapping[str, str]) -> Iterator[Row]:
    if running.outpost is None:
        return
    file = running.outpost.file
    if file.watchdog is not None:
        labels = {
            names.LABEL_ALERTNAME: names.ALERT_CLUSTER_SILENT,
            names.LABEL_SOURCE: names.SOURCE_OUTPOST,
            names.LABEL_SEVERITY: "critical",
        }
        if all(labels.get(label) == value for label, value in given.items()):
            told: dict[str, Heard] = dict.fromkeys(channels(running, labels), "always")
            yield Row("the outpost", names.ALERT_CLUSTER_SILENT, ("critical",), told)
    for kind, alertname, things in (
        ("heartbeat", HEARTBEAT_MISSED, file.heartbeats),
        ("probe", PROBE_DOWN, file.probes),
    ):
        for thing in things:
            labels = {
                names.LABEL_ALERTNAME: alertname,
                names.LABEL_SOURCE: kind,
                kind: thing.name,
                names.LABEL_SEVERITY: thing.severity,
            }
            if all(labels.get(label) == value for label, value in given.items()):
                heard: dict[str, Heard] = dict.fromkeys(channels(running, labels), "always")
                yield Row("the outpost", f"{kind} {thing.name}", (thing.severity,), heard)


def _of_events(running: Running, given: Mapping[str, str]) -> Iterator[Row]:
    if running.relay is None or given.get(names.LABEL_ALERTNAME):
        return
    sources = ["falco"] if running.site.offered(GUARD) else []
    for source in sources:
        if given.get(names.LABEL_SOURCE, source) == source:
            labels = {**given, names.LABEL_SOURCE: source}
            yield Row("events", source, (), _heard(running, "event", labels, box_of(labels, None, ())))


def _heard(running: Running, kind: str, usual: Mapping[str, str], box: Box) -> dict[str, Heard]:
    here = channels(running, usual)
    ends = list(possible_ends(running, kind, box))
    elsewhere = {end.channel for end in ends} - set(here)
    found: dict[str, Heard] = dict.fromkeys(here, "usually" if elsewhere else "always")
    found.update((channel, "possibly") for channel in running.stack.channels if channel in elsewhere)
    return found


def _merged(rows: Iterable[Row]) -> Iterator[Row]:
    """Rows that differ in their severity alone are one; groups stay together, in the order in which they begin."""
    found: dict[tuple[object, ...], Row] = {}
    for row in rows:
        key = (row.group, row.alert, tuple(sorted(row.channels.items())), row.others)
        known = found.get(key)
        severities = dict.fromkeys((*(known.severities if known else ()), *row.severities))
        found[key] = replace(row, severities=tuple(severities))
    groups = dict.fromkeys(row.group for row in found.values())
    for group in groups:
        yield from (row for row in found.values() if row.group == group)
