"""What people are told by the vigil: the cluster is silent, or speaks again; the outpost was away. Pure.

The words hold no moment that changes from look to look, so that a message is edited when something has changed, and not
else. Used by the vigil. May import: its neighbours, the incidents' data, notifiers.facts, intake.reading, spec.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from homelabmon.notifiers.facts import duration, plural
from homelabmon.relay.incidents.notice import Notice
from homelabmon.relay.intake.reading import fnv1a
from homelabmon.relay.vigil.gaps import Gap, Kind
from homelabmon.relay.vigil.reports import Received
from homelabmon.relay.vigil.watchdog import NOBODY, Engine
from homelabmon.spec import names

_LISTED: Final = 20
_PROBES: Final = 8
_INCIDENTS: Final = 5
_WAS: Final[Mapping[Kind, str]] = {
    "restart": "did not run",
    "suspend": "was suspended",
    "clock": "was paused by its host, or had its clock set ahead,",
    "blind": "was cut off from the world",
    "disk": "could not write to its disk",
    "stall": "had no time to look",
}


@dataclass(frozen=True, slots=True)
class Picture:
    """What else is known when the cluster is silent."""

    now: float
    report: Received | None = None
    fails: Sequence[str] = ()
    """Probes from outside that fail."""
    answers: Sequence[str] = ()
    """And those that do not."""
    knocking_since: float | None = None
    """Since when somebody comes with a wrong token, and nobody with the right one."""


def silent(stack: str, key: str, engine: Engine, picture: Picture, *, speaks: bool) -> Notice:
    """The cluster has fallen silent. ``speaks``: another engine of it does not."""
    sentences = [_what(engine)]
    sentences += [_engines(engine)] if speaks else []
    sentences += _of_the_relay(picture, engine)
    sentences += _of_probes(picture)
    if picture.knocking_since is not None:
        sentences.append(
            f"Somebody has come with a wrong token since {_time(picture.knocking_since)}:"
            " is outpost-token the same in the cluster and here?"
        )
    return _notice(stack, key, engine, " ".join(sentences), None)


def back(stack: str, key: str, before: Engine, after: Engine | None, now: float) -> Notice:
    """It is heard again; ``after`` None: it is not waited for any more."""
    since = before.since if before.since is not None else now
    if key == NOBODY:
        words = "Its Watchdog has been heard for the first time."
    elif after is None:
        words = "It is not waited for any more: it has been silent for a week, and another one is heard."
    else:
        began = since if before.why == "resolved" or before.heard is None else before.heard
        words = f"Its Watchdog is heard again. It was silent for {duration(now - began)}, since {_time(began)}."
    return _notice(stack, key, before, words, now)


def given_up(stack: str, key: str, before: Engine, now: float) -> Notice:
    """Nobody waits for a Watchdog any more."""
    return _notice(stack, key, before, "No Watchdog is expected any more: the configuration names none.", now)


def away(
    gaps: Sequence[Gap], unverified: tuple[float, Sequence[str]] | None, now: float, *, heartbeats: bool
) -> Notice:
    """One message for a time in which nobody watched, and for the runs of which nobody knows by that."""
    began = min([gap.began for gap in gaps] or [unverified[0] if unverified is not None else now])
    ended = max([gap.ended for gap in gaps], default=now)
    kinds = dict.fromkeys(gap.kind for gap in gaps)
    was = " and then ".join(_WAS[kind] for kind in kinds) or "did not listen"
    runs = [] if unverified is None else list(unverified[1])
    shown = ", ".join(runs[:_LISTED]) + (f" and {len(runs) - _LISTED} more" if len(runs) > _LISTED else "")
    sentences = [
        f"From {_time(began).removesuffix(' UTC')} to {_until(began, ended)} nobody watched from outside:"
        " that time counts as no data, and as no outage of anything.",
    ]
    if runs:
        sentences.append(f"{plural(len(runs), 'run')} unverified: {shown}.")
    elif heartbeats:
        sentences.append("No run is unverified.")
    return Notice(
        source=names.SOURCE_OUTPOST,
        fingerprint=fnv1a((names.SOURCE_OUTPOST, names.ALERT_OUTPOST_AWAY, str(began))),
        labels={
            names.LABEL_ALERTNAME: names.ALERT_OUTPOST_AWAY,
            names.LABEL_SOURCE: names.SOURCE_OUTPOST,
            names.LABEL_SEVERITY: "warning",
        },
        firing=True,
        starts_at=now,
        annotations={
            "summary": f"The outpost {was} for {duration(ended - began)}",
            "description": " ".join(sentences),
            "runbook_url": f"{names.RUNBOOKS_URL}/{names.ALERT_OUTPOST_AWAY}.md",
        },
        event=True,
    )


# Sentences ------------------------------------------------------------


def _what(engine: Engine) -> str:
    if engine.why == "never":
        return "The outpost has waited for its Watchdog since it was started, and none has come."
    heard = "" if engine.heard is None else f" Its Watchdog was last heard at {_time(engine.heard)}."
    if engine.why == "resolved":
        return f"Alertmanager lives, and says that the Watchdog is over: Prometheus evaluates no rules any more.{heard}"
    return heard.strip()


def _engines(engine: Engine) -> str:
    return f"Only this one is: {engine.name or 'the nameless one'}. Another Watchdog of the cluster is heard."


def _of_the_relay(picture: Picture, engine: Engine) -> list[str]:
    received = picture.report
    if received is None:
        return ["No relay has reported here."]
    if not received.fresh(picture.now):
        return [
            f"Nothing has come from its relay either since {_time(received.at)}: the house, its line or the cluster is"
            " gone."
        ]
    report = received.report
    sentences = ["Its relay still reports, so the cluster and its line are there."]
    if engine.why != "resolved":
        sentences.append("Prometheus or Alertmanager is not, or somebody has silenced Watchdog.")
    if report.watchdog_missing:
        sentences.append("Its Alertmanager answers, and knows of no Watchdog.")
    if not report.stored:
        sentences.append("The relay's disk fails.")
    if report.failing:
        sentences.append(f"It does not deliver to {', '.join(f'#{name}' for name in report.failing)}.")
    number = len(report.open) + report.more
    if not number:
        sentences.append("Nothing is open there.")
    else:
        titles = "; ".join(one.title for one in report.open[:_INCIDENTS])
        rest = f"; and {number - _INCIDENTS} more" if number > _INCIDENTS else ""
        sentences.append(f"Open there: {titles}{rest}.")
    return sentences


def _of_probes(picture: Picture) -> list[str]:
    if not picture.fails and not picture.answers:
        return []
    if not picture.fails:
        return [f"From outside {_few(picture.answers)} {_verb(picture.answers, 'answers', 'answer')}."]
    if not picture.answers:
        return [f"From outside {_few(picture.fails)} {_verb(picture.fails, 'fails', 'fail')}."]
    return [
        f"From outside {_few(picture.fails)} {_verb(picture.fails, 'fails', 'fail')},"
        f" {_few(picture.answers)} {_verb(picture.answers, 'answers', 'answer')}."
    ]


def _few(named: Sequence[str]) -> str:
    if len(named) > _PROBES:
        return f"{', '.join(named[:_PROBES])} and {len(named) - _PROBES} more"
    return named[0] if len(named) == 1 else f"{', '.join(named[:-1])} and {named[-1]}"


def _verb(named: Sequence[str], one: str, several: str) -> str:
    return one if len(named) == 1 else several


def _notice(stack: str, key: str, engine: Engine, words: str, ended: float | None) -> Notice:
    summary = {
        "never": f"{stack} has never been heard: no Watchdog has come",
        "resolved": f"{stack} does not watch itself: its Watchdog is over",
    }.get(engine.why or "", f"{stack} has fallen silent: its Watchdog does not come")
    labels = {
        names.LABEL_ALERTNAME: names.ALERT_CLUSTER_SILENT,
        names.LABEL_SOURCE: names.SOURCE_OUTPOST,
        names.LABEL_SEVERITY: "critical",
    }
    if engine.name:
        labels[names.LABEL_ENGINE] = engine.name
    return Notice(
        source=names.SOURCE_OUTPOST,
        fingerprint=fnv1a((names.SOURCE_OUTPOST, names.ALERT_CLUSTER_SILENT, key)),
        labels=labels,
        firing=ended is None,
        starts_at=engine.since or 0.0,
        ends_at=None if ended is None else max(ended, engine.since or 0.0),
        annotations={
            "summary": summary,
            "description": words,
            "runbook_url": f"{names.RUNBOOKS_URL}/{names.ALERT_CLUSTER_SILENT}.md",
        },
    )


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _until(began: float, ended: float) -> str:
    return _time(ended) if _time(ended)[:10] != _time(began)[:10] else _time(ended)[11:]
