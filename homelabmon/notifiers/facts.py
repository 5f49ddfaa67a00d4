"""What a message says about an incident, before any place's own formatting.

Used by every notifier, so that all places tell the same story. May import: notifiers.message.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from homelabmon.notifiers.message import AlertView, IncidentView, State

STATE_WORD: Final[Mapping[State, str]] = {
    "firing": "FIRING",
    "resolved": "RESOLVED",
    "expired": "EXPIRED, unconfirmed",
    "event": "EVENT",
}
SEVERITY_SYMBOL: Final[Mapping[str, str]] = {"critical": "🚨", "warning": "⚠️", "info": "ℹ️"}
STATE_SYMBOL: Final[Mapping[State, str]] = {"resolved": "✅", "expired": "❔"}
"""Symbols that differ in shape, for readers who tell no colours."""

EXPIRED: Final = (
    "Alertmanager reports the end, but Prometheus was silent at that time, so nothing proves it. "
    "Check whether it is really over."
)

_IN_HEADLINE: Final = frozenset(("alertname", "severity"))
_NOISE: Final = frozenset(("prometheus", "prometheus_replica", "endpoint", "uid", "metrics_path", "__name__"))
_FIRST: Final = (
    "alertname", "cluster", "namespace", "node", "host", "hostname", "deployment", "statefulset", "daemonset",
    "cronjob", "job_name", "pod", "container", "persistentvolumeclaim", "device", "mountpoint", "instance", "rule",
    "service", "job",
)  # fmt: skip
_LONG: Final = 20_000
"""Characters of an annotation beyond which nobody looks for what it has in common with others."""
_RANK: Final = {name: rank for rank, name in enumerate(_FIRST)}

SUMMARIES: Final = ("summary",)
DESCRIPTIONS: Final = ("description", "message")
VALUES: Final = ("value", "values", "current_value")
RUNBOOKS: Final = ("runbook_url", "runbook")
DASHBOARDS: Final = ("dashboard_url", "dashboard")


def severity_word(severity: str) -> str:
    """The severity, unless it says nothing."""
    return "" if severity.strip() in ("", "none") else severity


def symbol(state: State, severity: str) -> str:
    """One character for the state; for what fires or happened, for its severity."""
    return STATE_SYMBOL.get(state) or SEVERITY_SYMBOL.get(severity, "🔔")


def is_over(state: State) -> bool:
    """Whether nothing more is expected to happen: what ended takes less room."""
    return state in ("resolved", "expired")


def duration(seconds: float) -> str:
    """How long something took, in its two largest units: ``42 s``, ``5 min``, ``1 h 20 min``, ``3 d 4 h``."""
    if not math.isfinite(seconds) or seconds < 0:
        return ""
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if hours == 0:
        return f"{minutes} min" + (f" {whole % 60} s" if minutes < 5 and whole % 60 else "")
    if days == 0:
        return f"{hours} h" + (f" {minutes % 60} min" if minutes % 60 else "")
    return f"{days} d" + (f" {hours % 24} h" if hours % 24 else "")


def plural(count: int, noun: str) -> str:
    """``1 alert``, ``2 alerts``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def by_importance(labels: Iterable[str]) -> list[str]:
    """Label names in the order people look for them: where first, then the rest by name."""
    return sorted(labels, key=lambda name: (_RANK.get(name, len(_RANK)), name))


def shared_labels(incident: IncidentView) -> dict[str, str]:
    """The labels that all its alerts share, with the ones it is grouped by."""
    common = dict(incident.alerts[0].labels) if incident.alerts else {}
    for alert in incident.alerts[1:]:
        common = {name: text for name, text in common.items() if alert.labels.get(name) == text}
    return {**common, **incident.group}


def where(incident: IncidentView) -> list[tuple[str, str]]:
    """What its alerts share and the headline does not say already, the most telling first."""
    shared = shared_labels(incident)
    hidden = _IN_HEADLINE if shared.get("alertname", "") in incident.title else _IN_HEADLINE - {"alertname"}
    title = incident.title.strip()
    pairs = [
        ("alert" if name == "alertname" else name, shared[name])
        for name in by_importance(shared)
        if _worth_showing(name, hidden) and shared[name].strip() not in ("", title)
    ]
    return without_repetition(pairs)


def distinguishing(incident: IncidentView) -> list[list[tuple[str, str]]]:
    """For each alert the labels that tell it from its neighbours, the most telling first.

    ``instance`` is left out where it repeats the node with a port, and no alert is told apart by it alone.
    """
    shared = shared_labels(incident)
    differing = {
        name
        for alert in incident.alerts
        for name, text in alert.labels.items()
        if shared.get(name) != text and _worth_showing(name, frozenset())
    }
    order = by_importance(differing)
    found = [[(name, alert.labels[name]) for name in order if alert.labels.get(name)] for alert in incident.alerts]
    short = [without_repetition(labels) for labels in found]
    return short if len(set(map(tuple, short))) == len(set(map(tuple, found))) else found


def without_repetition(pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The labels without those whose value, or its part before a port, an earlier one has already."""
    kept: list[tuple[str, str]] = []
    for name, text in pairs:
        host, colon, port = text.rpartition(":")
        same = {text, host} if colon and port.isdigit() else {text}
        if not any(earlier in same for _, earlier in kept):
            kept.append((name, text))
    return kept


def _worth_showing(name: str, hidden: frozenset[str]) -> bool:
    return name not in hidden and name not in _NOISE and not name.startswith("__")


def annotation(alert: AlertView, names: Sequence[str]) -> str:
    """The first of these annotations that says something."""
    return next((text for name in names if (text := alert.annotations.get(name, "").strip())), "")


def common_annotation(incident: IncidentView, names: Sequence[str]) -> str:
    """The annotation when all alerts have the same one, letter by letter (an address, say); empty otherwise."""
    texts = {annotation(alert, names) for alert in incident.alerts}
    return texts.pop() if len(texts) == 1 else ""


def told_once(incident: IncidentView, names: Sequence[str], labels: Sequence[Sequence[tuple[str, str]]]) -> str:
    """What all its alerts say, with "…" for what distinguishes them: ``Node … is unreachable``. Empty when they differ.

    Reads better above a list of names than the same sentence with each of them. ``labels``: :func:`distinguishing`.
    """
    if len(incident.alerts) == 1:
        return annotation(incident.alerts[0], names)
    told = None
    for alert, differing in zip(incident.alerts, labels, strict=True):
        text = _without([value for _, value in differing], annotation(alert, names))
        if told is not None and text != told:
            return ""
        told = text
    return told or ""


def _without(values: Sequence[str], text: str) -> str:
    """The text with these values, where they stand as words of their own, replaced by one ellipsis each."""
    if len(text) > _LONG:
        return text
    for value in sorted(values, key=len, reverse=True):
        if 1 < len(value) <= len(text) and value in text:
            text = _replaced(text, value)
    return text


def _replaced(text: str, word: str) -> str:
    done, start = [], 0
    while (at := text.find(word, start)) >= 0:
        end = at + len(word)
        alone = not (at and text[at - 1].isalnum()) and not (end < len(text) and text[end].isalnum())
        done.append(text[start:at] + ("…" if alone else word))
        start = end
    return "".join(done) + text[start:]


def counts(incident: IncidentView) -> str:
    """How many there are, by state: ``3 firing (1 silenced), 1 resolved``."""
    order: tuple[State, ...] = ("firing", "event", "expired", "resolved")
    said = []
    for state in order:
        alerts = [alert for alert in incident.alerts if alert.state == state]
        if not alerts:
            continue
        number = sum(max(1, alert.times) for alert in alerts) if state == "event" else len(alerts)
        words = plural(number, "event") if state == "event" else f"{number} {state}"
        silenced = sum(alert.silenced for alert in alerts)
        said.append(words + (f" ({silenced} silenced)" if silenced and state == "firing" else ""))
    return ", ".join(said)


def value_of(alert: AlertView) -> str:
    """The value it stands at, if it says so: ``97 %``, and a mere number as ``value 3``."""
    text = annotation(alert, VALUES)
    return f"value {text}" if text and all(char in "+-.0123456789eE" for char in text) else text


def lasted(incident: IncidentView) -> str:
    """How long it took from beginning to end; empty while it goes on."""
    if incident.ended_at is None or not is_over(incident.state):
        return ""
    return duration(incident.ended_at - incident.opened_at)
