"""Incidents that outages open by themselves, and that end with them. Pure: what is to be done, by what is so now.

An outage that lasts opens one; what falls soon after joins it, so that one cause is one incident. When all of it is
back it is watched for as long again, and then resolved. Words are public: nothing but a component's title. An incident
that somebody has written to is theirs, and is left alone. May import: its neighbours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from homelabmon.relay.history import Span
from homelabmon.relay.status import words
from homelabmon.relay.status.model import Impact, Incident, Step
from homelabmon.relay.status.setup import PublicComponent, Setup

JOINS: Final = 1800.0
"""Seconds within which what falls belongs to the incident that is open."""
REOPENS: Final = 3600.0
"""Seconds within which what falls again belongs to the incident that was resolved: one that flaps is one."""
_NAMED: Final = 3
"""Components that a title names."""


@dataclass(frozen=True, slots=True)
class Opening:
    """A new incident. ``since``: when the outage began."""

    title: str
    impact: Impact
    components: tuple[str, ...]
    since: float
    body: str


@dataclass(frozen=True, slots=True)
class Saying:
    """An update of an incident; ``title``, ``impact`` and ``components``: what is different about it from now on."""

    incident: int
    status: Step
    body: str
    title: str | None = None
    impact: Impact | None = None
    components: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Now:
    """What is so. ``spans``: the state of each public component that has one, by name; ``excused``: names that are in a
    public window."""

    at: float
    spans: Mapping[str, Span]
    excused: frozenset[str]


def steps(setup: Setup, known: Sequence[Incident], now: Now) -> list[Opening | Saying]:
    """What is to be done about incidents: those that are open, and those resolved ``REOPENS`` ago or later.

    It must not be asked while nobody sees.
    """
    found: list[Opening | Saying] = []
    open_ = [incident for incident in known if incident.status != "resolved"]
    for incident in open_:
        if incident.automatic:
            found += _follow(setup, incident, now)
    covered = {name for incident in open_ for name in incident.components}
    fallen = [name for name in setup.components if name not in covered and _lasts(setup, name, now)]
    if fallen:
        step = _joins(setup, open_, fallen, now) or _reopens(setup, known, fallen, now)
        found.append(step or _opens(setup, fallen, now))
    return found


def _down(name: str, now: Now) -> bool:
    span = now.spans.get(name)
    return span is not None and span.state == "outage" and name not in now.excused


def _lasts(setup: Setup, name: str, now: Now) -> bool:
    return _down(name, now) and now.at - now.spans[name].began >= setup.incident_after


def _well(name: str, now: Now) -> bool:
    span = now.spans.get(name)
    return span is not None and span.state in ("operational", "degraded")


def _follow(setup: Setup, incident: Incident, now: Now) -> list[Saying]:
    """The next update of an open incident, where there is one to be made."""
    public = setup.components
    affected = [name for name in incident.components if _watched(setup, name, now)]
    if not affected:
        return [Saying(incident.id, "resolved", _left(setup, incident))]
    down = [name for name in affected if _down(name, now)]
    if incident.status == "monitoring":
        if down:
            return [Saying(incident.id, "investigating", _sentences(setup, down, now, again=True))]
        back = max(now.spans[name].began for name in affected)
        if all(_well(name, now) for name in affected) and now.at - back >= setup.incident_after:
            return [Saying(incident.id, "resolved", "Everything that was affected works again.")]
        return []
    if down:
        return _in_part(setup, incident, affected, down, now)
    if not all(_well(name, now) for name in affected):
        return []
    names = words.listed([public[name].title for name in affected])
    verb = "works" if len(affected) == 1 else "work"
    return [Saying(incident.id, "monitoring", f"{names} {verb} again. It is being watched.")]


def _in_part(setup: Setup, incident: Incident, affected: Sequence[str], down: Sequence[str], now: Now) -> list[Saying]:
    """What has been well for long enough while the rest is down is said, once; and that it is not so any more."""
    public, said = setup.components, incident.updates[0].body if incident.updates else ""
    well = [name for name in affected if _well(name, now)]
    back = [name for name in well if now.at - now.spans[name].began >= setup.incident_after]
    if len(back) < len(well):
        return []  # soon there will be more to say
    if not back:
        again = said.endswith(_NOT_YET)
        return [Saying(incident.id, "investigating", _sentences(setup, down, now, again=True))] if again else []
    work = f"{words.listed([public[name].title for name in back])} {'works' if len(back) == 1 else 'work'} again"
    body = (
        f"{work}; {words.listed([public[name].title for name in down])} {'does' if len(down) == 1 else 'do'}{_NOT_YET}"
    )
    return [] if body == said else [Saying(incident.id, "investigating", body)]


_NOT_YET: Final = " not yet."


def _watched(setup: Setup, name: str, now: Now) -> bool:
    """Whether it is public, and something is expected of it: a heartbeat that is unknown is paused, or begun anew."""
    component, span = setup.components.get(name), now.spans.get(name)
    return component is not None and span is not None and not (component.heartbeat and span.state == "unknown")


def _left(setup: Setup, incident: Incident) -> str:
    """Nothing is left of which anybody could say that it works again."""
    titles = [setup.components[name].title for name in incident.components if name in setup.components]
    if not titles:
        return "What was affected is not on this page any more."
    return f"{words.listed(titles)} {'is' if len(titles) == 1 else 'are'} not watched at present."


def _opens(setup: Setup, fallen: Sequence[str], now: Now) -> Opening:
    return Opening(
        title=_title(setup, fallen),
        impact=_impact(setup, now),
        components=tuple(fallen),
        since=min(now.spans[name].began for name in fallen),
        body=_sentences(setup, fallen, now),
    )


def _joins(setup: Setup, open_: Sequence[Incident], fallen: Sequence[str], now: Now) -> Saying | None:
    """What falls soon after something else belongs to it."""
    for incident in open_:
        if incident.automatic and incident.status == "investigating" and now.at - incident.started_at <= JOINS:
            return _widened(setup, incident, fallen, now, again=False)
    return None


def _reopens(setup: Setup, known: Sequence[Incident], fallen: Sequence[str], now: Now) -> Saying | None:
    """What falls again soon after its incident was resolved brings that back."""
    for incident in known:
        if incident.automatic and incident.status == "resolved" and set(fallen) & set(incident.components):
            return _widened(setup, incident, fallen, now, again=True)
    return None


def _widened(setup: Setup, incident: Incident, fallen: Sequence[str], now: Now, *, again: bool) -> Saying:
    names = tuple(name for name in setup.components if name in (*incident.components, *fallen))
    body = _sentences(setup, fallen, now, again=again)
    return Saying(incident.id, "investigating", body, _title(setup, names), _impact(setup, now), names)


def _impact(setup: Setup, now: Now) -> Impact:
    return "critical" if all(_down(name, now) for name in setup.components) else "major"


def _title(setup: Setup, names: Sequence[str]) -> str:
    titles = [setup.components[name].title for name in names]
    rest = len(titles) - _NAMED
    shown = titles if rest <= 0 else [*titles[:_NAMED], f"{rest} more"]
    return f"Outage: {words.listed(shown)}"


def _sentences(setup: Setup, names: Sequence[str], now: Now, *, again: bool = False) -> str:
    return "\n".join(_sentence(setup.components[name], now.spans[name].began, again=again) for name in names)


def _sentence(component: PublicComponent, since: float, *, again: bool) -> str:
    what = "has not run as expected" if component.heartbeat else "has been down"
    return f"{component.title} {what}{' again' if again else ''} since {words.clock(since)}."
