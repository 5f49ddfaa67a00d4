"""What people are told of a probe, as notices like those of any sender. Pure.

The names of the alerts are those of the rules for probes from inside; the words say that it was asked from outside.
Nothing here shows a password or a query of an address. Used by the keeper. May import: its neighbours, the incidents'
data, notifiers.facts, spec.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from homelabmon.notifiers.facts import duration, plural
from homelabmon.relay.incidents.notice import Notice
from homelabmon.relay.intake.reading import fnv1a
from homelabmon.relay.probes.judging import Kind, Told, days_left
from homelabmon.relay.probes.outcome import Theirs
from homelabmon.relay.probes.state import State
from homelabmon.relay.probes.targets import Target
from homelabmon.spec import names

ALERTS: Final[Mapping[Kind, str]] = {
    "down": names.ALERT_PROBE,
    "slow": names.ALERT_PROBE_SLOW,
    "expires": names.ALERT_PROBE_CERTIFICATE,
    "last_days": names.ALERT_PROBE_CERTIFICATE_LAST_DAYS,
}
THEIRS_FOR: Final = 3600.0
"""Seconds for which a third party's word about itself counts."""
_SUMMARIES: Final[Mapping[Kind, str]] = {
    "down": "{name} does not answer as expected",
    "slow": "{name} is slow",
    "expires": "The certificate of {name} expires soon",
    "last_days": "The certificate of {name} has expired or is about to",
}


def notice(told: Told, target: Target, theirs: Theirs | None, now: float) -> Notice:
    """What is told of a probe that began, or ceased, to be something."""
    if told.ended is None:
        sentences = [target.probe.description.rstrip(".") + "."] if target.probe.description else []
        sentences += _BEGINS[told.kind](told.after, target, now)
        word = their_word(theirs, now) if told.kind in ("down", "slow") else ""
        sentences += [f"Its own status page says: {word}."] if word else []
    else:
        sentences = _ends(told, target, now)
    return _notice(told.kind, target.name, _severity(told.kind, target), " ".join(sentences), told.began, told.ended)


def gone(name: str, state: State, severity: str, words: str, now: float) -> list[Notice]:
    """What has to be told when a probe is there no more, or asks something else."""
    open_ = ((kind, getattr(state, f"told_{kind}")) for kind in ALERTS)
    return [
        _notice(kind, name, _FIXED.get(kind, severity), words, began, now) for kind, began in open_ if began is not None
    ]


def their_word(theirs: Theirs | None, now: float) -> str:
    """What a third party says of itself, where that is not long ago and not that all is well."""
    if theirs is None or theirs.indicator == "none" or now - theirs.at > THEIRS_FOR:
        return ""
    parts = f" ({', '.join(theirs.parts)})" if theirs.parts else ""
    return f"{theirs.description}{parts}"


def _down(state: State, target: Target, _: float) -> list[str]:
    times = f"{plural(state.failures, 'time')} in a row" if state.failures > 1 else "once"
    return [f"{target.shown}, asked from outside {times} since {_time(state.since)}: {state.reason}."]


def _slow(state: State, target: Target, _: float) -> list[str]:
    took = "" if state.latency is None else f", last {state.latency:.1f} s"
    limit = "" if target.within is None else f" than {target.within:g} s"
    return [f"{target.shown}, asked from outside, has been slower{limit} since {_time(state.since)}{took}."]


def _certificate(state: State, target: Target, now: float) -> list[str]:
    until = state.certificate_until or now
    if until <= now:
        return [f"The certificate chain of {target.shown} has run out at {_time(until)}."]
    left = days_left(state, now) or 0.0
    rest = duration(until - now) if left < 2 else f"{left:.0f} days"
    return [
        f"The certificate chain of {target.shown} is valid until {_time(until)}, {rest} more.",
        "It should have been renewed by now.",
    ]


_BEGINS: Final = {"down": _down, "slow": _slow, "expires": _certificate, "last_days": _certificate}


def _ends(told: Told, target: Target, now: float) -> list[str]:
    state, lasted = told.after, duration((told.ended or now) - told.began)
    if told.kind == "down":
        slowly = ", slowly" if state.status == "degraded" else ""
        return [f"It answers again{slowly}, after {lasted}."]
    if told.kind == "slow":
        return ["It does not answer any more." if state.status == "down" else f"It is fast again, after {lasted}."]
    left = days_left(state, now)
    if left is not None and told.kind == "expires" and left < target.tls_days:
        return ["Its last days have come."]
    until = "" if state.certificate_until is None else f", valid until {_time(state.certificate_until)}"
    return [f"There is a new one{until}."]


_FIXED: Final[Mapping[Kind, str]] = {"slow": "warning", "expires": "warning", "last_days": "critical"}


def _severity(kind: Kind, target: Target) -> str:
    return _FIXED.get(kind, target.probe.severity)


def _notice(kind: Kind, name: str, severity: str, words: str, began: float, ended: float | None) -> Notice:
    alert = ALERTS[kind]
    return Notice(
        source=names.SOURCE_PROBE,
        fingerprint=fnv1a((names.SOURCE_PROBE, alert, name)),
        labels={
            names.LABEL_ALERTNAME: alert,
            names.LABEL_SOURCE: names.SOURCE_PROBE,
            names.LABEL_PROBE: name,
            names.LABEL_SEVERITY: severity,
        },
        firing=ended is None,
        starts_at=began,
        ends_at=ended,
        annotations={
            "summary": _SUMMARIES[kind].format(name=name),
            "description": words,
            "runbook_url": f"{names.RUNBOOKS_URL}/{alert}.md",
        },
    )


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")
