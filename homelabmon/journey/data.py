"""Explanations as plain data, for ``--json``. The shape is documented in ``docs/reference/explain.md`` and is kept.

Times are seconds; moments are RFC 3339.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from homelabmon.journey import delay
from homelabmon.journey.explain import Elsewhere, Explanation, Stop
from homelabmon.journey.matrix import Matrix
from homelabmon.journey.message import message_text
from homelabmon.journey.rules import Rule
from homelabmon.journey.running import Running
from homelabmon.journey.shape import UNNAMED
from homelabmon.journey.silencers import Silencer
from homelabmon.routing.trace import RouteTried
from homelabmon.routing.tree import ResolvedRoute, format_path
from homelabmon.spec.matchers import Matcher


def explanation_data(running: Running, explanation: Explanation, at: datetime | None = None) -> dict[str, Any]:
    """One explanation."""
    subject = explanation.subject
    return {
        "alert": subject.title,
        "kind": subject.kind,
        "labels": dict(subject.labels),
        "assumed": subject.assumed,
        "not_given": [name for name in subject.rule.brings if name not in subject.labels] if subject.rule else [],
        "warnings": list(subject.warnings),
        "rule": _rule(running, subject.rule) if subject.rule is not None else None,
        "other_rules": [dict(rule.static) for rule in subject.others],
        "at": at.isoformat() if at is not None else None,
        "channels": list(dict.fromkeys(stop.way.channel for stop in explanation.stops if stop.way.channel)),
        "nobody": explanation.nobody or None,
        "tried": [_tried(step) for step in explanation.tried],
        "ways": [{**_stop(stop), "message": message_text(running, subject, stop, at)} for stop in explanation.stops],
        "silenced_by": [_silencer(silencer) for silencer in explanation.silencers],
        "elsewhere": [_elsewhere(other) for other in explanation.elsewhere],
    }


def _rule(running: Running, rule: Rule) -> dict[str, Any]:
    return {
        "origin": rule.origin,
        "pack": rule.pack or None,
        "file": rule.file or None,
        "group": rule.group,
        "expr": rule.expr,
        "for": rule.for_,
        "keep_firing_for": rule.keep_firing_for,
        "severity": rule.severity or None,
        "labels": dict(rule.static),
        "brings": list(rule.brings),
        "brings_others": rule.labels.open,
        "scrape_interval": delay.scraped_every(running, rule),
        "evaluation_interval": rule.interval,
        "looks_back": delay.looks_back(rule),
    }


def _tried(step: RouteTried[ResolvedRoute[Any]]) -> dict[str, Any]:
    return {
        "route": step.route.name or None,
        "path": format_path(step.route.path),
        "receiver": step.route.receiver,
        "matchers": [
            {"matcher": str(tried.matcher), "value": _known(tried.value), "matched": tried.matched}
            for tried in step.tried
        ],
        "matched": step.matched,
        "taken": step.taken,
        "continue": step.route.continue_,
    }


def _known(value: str) -> str | None:
    """A label's value; None where it was not given."""
    return None if value == UNNAMED else value


def _stop(stop: Stop) -> dict[str, Any]:
    way, route = stop.way, stop.way.route
    best, worst = delay.total(stop.steps)
    return {
        "told_by": {"relay": "relay", "outpost": "outpost"}.get(way.reader, "alertmanager"),
        "receiver": route.receiver if route is not None else None,
        "route": (way.entry.name if way.entry is not None else route.name if route is not None else "") or None,
        "channel": way.channel,
        "mention": stop.mention,
        "fallback": stop.channel.fallback if stop.channel is not None else None,
        "group_key": stop.group_key,
        "group": {name: _known(value) for name, value in stop.group.items()},
        "group_wait": route.group_wait if route is not None else None,
        "group_interval": route.group_interval if route is not None else None,
        "repeat_interval": route.repeat_interval if route is not None else None,
        "hold": way.hold if way.entry is not None else None,
        "mute_time_intervals": [mute.name for mute in stop.mutes if not mute.active],
        "active_time_intervals": [mute.name for mute in stop.mutes if mute.active],
        "silent": None
        if stop.silence is None
        else {
            "by": list(stop.silence.by),
            "until": stop.silence.until.isoformat() if stop.silence.until is not None else None,
        },
        "delay": {
            "best": best,
            "worst": worst,
            "steps": [
                {"step": step.name, "why": step.why, "best": step.best, "worst": step.worst} for step in stop.steps
            ],
        }
        if stop.steps
        else None,
    }


def _silencer(silencer: Silencer) -> dict[str, Any]:
    return {
        "source_matchers": _texts(silencer.rule.source),
        "target_matchers": _texts(silencer.rule.target),
        "equal": list(silencer.equal),
        "alerts": list(dict.fromkeys(rule.name for rule in silencer.sources)),
        "only_with": _texts(silencer.conditions),
    }


def _elsewhere(other: Elsewhere) -> dict[str, Any]:
    return {"with": _texts(other.conditions), "channel": other.channel, "route": other.route or None}


def _texts(matchers: Iterable[Matcher]) -> list[str]:
    return [str(matcher) for matcher in matchers]


def matrix_data(matrix: Matrix) -> dict[str, Any]:
    """Every alert by channel."""
    return {
        "channels": list(matrix.channels),
        "alerts": [
            {
                "alert": row.alert,
                "from": row.group,
                "severities": list(row.severities),
                "channels": dict(row.channels),
                "other_receivers": list(row.others),
                "nobody": row.unheard,
            }
            for row in matrix.rows
        ],
    }
