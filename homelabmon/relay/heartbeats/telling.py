"""What people are told of a heartbeat: from one state to the next, as notices like those of any sender. Pure.

Used by the keeper. May import: its neighbours, the incidents' data, notifiers.facts, spec.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from homelabmon.notifiers.facts import duration, plural
from homelabmon.relay.heartbeats.beats import Beat
from homelabmon.relay.heartbeats.state import Reason, State, expected
from homelabmon.relay.incidents.notice import Notice
from homelabmon.relay.intake.reading import fnv1a
from homelabmon.spec import names
from homelabmon.spec.secrets import redact

TAIL: Final = 600
"""Characters of what a run said last that a message shows."""
_LISTED: Final = 20
_HEADLINES: Final[Mapping[Reason, str]] = {
    "missed": "did not run",
    "not_started": "did not start",
    "never_seen": "has never been seen",
    "unfinished": "started and did not end",
    "too_long": "runs for too long",
    "failed": "failed",
}


def notices(beat: Beat, before: State, after: State, said: str, now: float) -> list[Notice]:
    """What has to be told when the state changes. ``said``: what its last run said last."""
    told = []
    if before.status == "down" and (after.status != "down" or after.since != before.since):
        told.append(_back(beat, before, after, said, now))
    if after.status == "down" and _is_news(before, after):
        told.append(_down(beat, after, said))
    return told


def _is_news(before: State, after: State) -> bool:
    """It is down now, or has failed once more; that a run has begun is none."""
    return before.status != "down" or (before.since, before.last_ping) != (after.since, after.last_ping)


def gone(beat: Beat, state: State, now: float) -> list[Notice]:
    """What has to be told when nothing is expected of it any more."""
    if state.status != "down":
        return []
    return [_notice(beat, state, {"description": "It is not expected any more."}, now)]


def unverified(left_open: Sequence[str], began: float, now: float) -> Notice:
    """One message for all heartbeats of which nobody knows whether they ran while nobody listened."""
    shown = ", ".join(left_open[:_LISTED])
    rest = f" and {len(left_open) - _LISTED} more" if len(left_open) > _LISTED else ""
    summary = f"{plural(len(left_open), 'run')} unverified: nobody listened for {duration(now - began)}"
    until = _time(now) if _time(now)[:10] != _time(began)[:10] else _time(now)[11:]
    description = f"From {_time(began).removesuffix(' UTC')} to {until} no ping could come in. Unknown: {shown}{rest}."
    return Notice(
        source=names.SOURCE_HEARTBEAT,
        fingerprint=fnv1a((names.SOURCE_HEARTBEAT, names.ALERT_HEARTBEATS_UNVERIFIED)),
        labels={
            names.LABEL_ALERTNAME: names.ALERT_HEARTBEATS_UNVERIFIED,
            names.LABEL_SOURCE: names.SOURCE_HEARTBEAT,
            names.LABEL_SEVERITY: "warning",
        },
        firing=True,
        starts_at=now,
        annotations={
            "summary": summary,
            "description": description,
            "runbook_url": f"{names.RUNBOOKS_URL}/{names.ALERT_HEARTBEATS_UNVERIFIED}.md",
        },
        event=True,
    )


def _down(beat: Beat, state: State, said: str) -> Notice:
    reason = state.reason or "missed"
    sentences = [beat.description.rstrip(".") + "."] if beat.description else []
    due = expected(state, beat.rules)
    if reason in ("missed", "not_started", "never_seen") and due is not None:
        sentences.append(f"It was due at {_time(due)}.")
    if reason in ("unfinished", "too_long") and state.last_start is not None:
        sentences.append(f"It started at {_time(state.last_start)}.")
    if reason == "failed" and state.duration is not None:
        sentences.append(f"It had run for {duration(state.duration)}.")
    if reason == "failed" and state.failures > 1:
        sentences.append(f"It has failed {state.failures} times in a row.")
    if reason != "never_seen":
        last = "It has never succeeded."
        if state.last_success is not None:
            last = f"Its last success was at {_time(state.last_success)}."
        sentences.append(last)
    words = {"description": _with_tail(sentences, said if reason == "failed" else "")}
    return _notice(beat, state, words, None)


def _back(beat: Beat, before: State, after: State, said: str, now: float) -> Notice:
    at = now if after.last_ping is None or after.status == "paused" else max(after.last_ping, before.since)
    return _notice(beat, before, {"description": _with_tail(_how_late(beat, before, after), said)}, at)


def _how_late(beat: Beat, before: State, after: State) -> list[str]:
    if after.status == "paused":
        return ["It is paused."]
    if after.last_ping is None or after.status == "new":
        return ["It is expected anew."]
    took = "" if after.duration is None else f", and took {duration(after.duration)}"
    due = expected(before, beat.rules)
    if before.reason == "failed":
        return [f"It succeeded {duration(max(after.last_ping - before.since, 0.0))} after it had failed{took}."]
    if before.reason in ("missed", "not_started", "never_seen") and due is not None:
        late = after.last_ping - due
        return [f"It ran {duration(late)} late{took}." if late >= 1 else f"It had run in time{took}."]
    return [f"It ended{took}."]


def _with_tail(sentences: Sequence[str], said: str) -> str:
    text = " ".join(sentences)
    tail = redact(said).strip()
    if not tail:
        return text
    shown = tail if len(tail) <= TAIL else f"…{tail[1 - TAIL :]}"
    return f"{text} It said:\n{shown}"


def _notice(beat: Beat, down: State, words: Mapping[str, str], ended: float | None) -> Notice:
    reason = down.reason or "missed"
    code = f" with exit code {down.exit_code}" if reason == "failed" and down.exit_code else ""
    return Notice(
        source=names.SOURCE_HEARTBEAT,
        fingerprint=fnv1a((names.SOURCE_HEARTBEAT, beat.name)),
        labels={
            names.LABEL_ALERTNAME: names.ALERT_HEARTBEAT,
            names.LABEL_SOURCE: names.SOURCE_HEARTBEAT,
            names.LABEL_HEARTBEAT: beat.name,
            names.LABEL_SEVERITY: beat.severity,
        },
        firing=ended is None,
        starts_at=down.since,
        ends_at=ended,
        annotations={
            "summary": f"{beat.name} {_HEADLINES[reason]}{code}",
            **words,
            "runbook_url": f"{names.RUNBOOKS_URL}/{names.ALERT_HEARTBEAT}.md",
        },
    )


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")
