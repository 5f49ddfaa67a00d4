"""The dead man's switch: the cluster's Watchdog always fires, and comes in each minute. Its silence is the alarm.

Each rule engine (Prometheus, Loki's ruler) has a Watchdog of its own, told apart by its labels. One whose firing has
not been heard for too long is silent, and so is one that Alertmanager calls resolved, at once: its rules are not
evaluated any more. Before any has been heard there is a nameless one, so that an outpost which never hears says so.

Pure: the time is an argument, in Unix seconds. Used by the vigil. May import: the incidents' data, intake.reading,
spec.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Final, Literal

from homelabmon.relay.incidents.notice import Notice
from homelabmon.relay.intake.reading import fingerprint
from homelabmon.spec import names

FORGOTTEN: Final = 7 * 86_400.0
"""Seconds after which a silent engine is not expected any more, where another one speaks: it was renamed or removed."""
MOST: Final = 20
"""Engines that are told apart."""
NOBODY: Final = ""
"""The key of the one that is waited for before any was heard."""
_NOT_ITS_NAME: Final = frozenset({names.LABEL_ALERTNAME, names.LABEL_SEVERITY})

Why = Literal["silent", "resolved", "never"]


@dataclass(frozen=True, slots=True)
class Sign:
    """One word of a Watchdog."""

    key: str
    name: str
    firing: bool


@dataclass(frozen=True, slots=True)
class Engine:
    """One Watchdog. ``heard``: when it last fired; None: never. ``since``: when it became what ``why`` says."""

    name: str
    heard: float | None
    why: Why | None = None
    since: float | None = None


@dataclass(frozen=True, slots=True)
class State:
    """What is remembered. ``from_``: nothing is counted as silence that was before it."""

    from_: float
    engines: Mapping[str, Engine] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Change:
    """An engine that fell silent, or is heard again (``after`` None: it is not expected any more)."""

    key: str
    before: Engine
    after: Engine | None


def born(now: float) -> State:
    """Nobody has been heard yet."""
    return State(now, {NOBODY: Engine("", None)})


def sign_of(notice: Notice) -> Sign:
    """What a notice about a Watchdog says. Engines are told apart by what else its labels say."""
    own = {name: value for name, value in notice.labels.items() if name not in _NOT_ITS_NAME}
    name = own.get("prometheus") or ", ".join(f"{label}={value}" for label, value in sorted(own.items()))
    return Sign(fingerprint(own) if own else "plain", name[:200], notice.firing)


def heard(state: State, signs: Iterable[Sign], now: float) -> State:
    """What signs make of it."""
    engines = dict(state.engines)
    for sign in signs:
        known = engines.get(sign.key)
        if known is None and len(engines) > MOST:
            continue
        if sign.firing:
            engines[sign.key] = Engine(sign.name, now)
        elif known is not None and known.why is None:
            engines[sign.key] = replace(known, why="resolved", since=now)
    if any(engine.heard is not None for engine in engines.values()):
        engines.pop(NOBODY, None)
    return replace(state, engines=engines)


def deadline(state: State, silence: float) -> float | None:
    """When the next engine will be silent, if nothing comes; None: all are, already."""
    return min((_limit(state, one, silence) for one in state.engines.values() if one.why is None), default=None)


def _limit(state: State, engine: Engine, silence: float) -> float:
    return max(state.from_, engine.heard or 0.0) + silence


def look(state: State, silence: float, now: float) -> State:
    """Who has been silent for too long by now is, from that very moment on."""
    engines = {}
    speaks = any(one.why is None and one.heard is not None for one in state.engines.values())
    for key, engine in state.engines.items():
        if speaks and engine.why is not None and engine.since is not None and now - engine.since > FORGOTTEN:
            continue
        limit = _limit(state, engine, silence)
        if engine.why is None and now >= limit:
            engine = replace(engine, why="never" if engine.heard is None else "silent", since=limit)
        engines[key] = engine
    return replace(state, engines=engines)


def forgive(state: State, now: float) -> State:
    """Nobody listened until now: what was not heard by then proves nothing."""
    return replace(state, from_=max(state.from_, now))


def wind(state: State, now: float) -> State:
    """The clock was set back: nothing lies ahead of now."""
    engines = {
        key: replace(
            one,
            heard=None if one.heard is None else min(one.heard, now),
            since=None if one.since is None else min(one.since, now),
        )
        for key, one in state.engines.items()
    }
    return State(min(state.from_, now), engines)


def changes(before: State, after: State) -> list[Change]:
    """Whom people have to be told of: who fell silent, and who is not any more."""
    found = []
    for key in sorted({*before.engines, *after.engines}):
        old, new = before.engines.get(key), after.engines.get(key)
        was = None if old is None else old.why
        is_ = None if new is None else new.why
        if was == is_ and (old is None or new is None or old.since == new.since):
            continue
        if old is not None and was is not None:
            found.append(Change(key, old, None if new is None else replace(new, why=None, since=None)))
        if new is not None and is_ is not None:
            found.append(Change(key, replace(new, why=None, since=None), new))
    return found


def written(state: State) -> str:
    """As it lies on the disk."""
    return json.dumps({"from": state.from_, "engines": {key: asdict(one) for key, one in state.engines.items()}})


def parsed(text: str) -> State:
    """As it was."""
    data = json.loads(text)
    return State(data["from"], {key: Engine(**one) for key, one in data["engines"].items()})
