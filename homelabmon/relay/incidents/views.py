"""An incident as a message shows it. Asked by telling, by the page, and by ``explain`` for previews.

May import: spec, notifiers.message, and its neighbours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from homelabmon.notifiers.message import AlertView, IncidentView, State
from homelabmon.relay.incidents.model import Episode, Incident
from homelabmon.spec import names

_PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")
_RANKS: Final = {severity: rank for rank, severity in enumerate(names.SEVERITIES)}
_USUAL_RANK: Final = _RANKS["warning"]


def rank(severity: str) -> int:
    """0 for the worst. A severity nobody knows counts as a warning."""
    return _RANKS.get(severity, _USUAL_RANK)


def worst(severities: Iterable[str]) -> str:
    """The worst of them; ``none`` of none."""
    return min(severities, key=rank, default="none")


def incident_view(incident: Incident, episodes: Sequence[Episode]) -> IncidentView:
    """The incident with its episodes, those that fire first."""
    ordered = sorted(episodes, key=_order)
    firing = [episode for episode in ordered if episode.firing]
    return IncidentView(
        id=incident.id,
        route=incident.route,
        source=incident.source,
        state=_state(incident, ordered),
        severity=worst(episode.severity for episode in firing) if firing else incident.worst,
        title=title_of(incident.title, incident.group, firing or ordered, incident.route),
        group=incident.group,
        alerts=tuple(_alert_view(episode) for episode in ordered),
        opened_at=incident.opened_at,
        ended_at=incident.ended_at,
        returns=incident.returns,
        group_by_all=incident.group_by_all,
    )


def _order(episode: Episode) -> tuple[bool, int, float, int]:
    if episode.firing:
        return (False, rank(episode.severity), episode.starts_at, episode.id)
    return (True, 0, -(episode.ends_at or episode.starts_at), episode.id)


def _state(incident: Incident, episodes: Sequence[Episode]) -> State:
    if incident.event:
        return "event"
    if any(episode.firing for episode in episodes):
        return "firing"
    return "expired" if any(episode.ending == "expired" for episode in episodes) else "resolved"


def _alert_view(episode: Episode) -> AlertView:
    return AlertView(
        labels=episode.labels,
        severity=episode.severity,
        state="event" if episode.event else "firing" if episode.firing else episode.ending or "resolved",
        starts_at=episode.first_at,
        annotations=episode.annotations,
        ends_at=episode.ends_at,
        last_at=episode.starts_at if episode.times > 1 else None,
        times=episode.times,
        generator_url=episode.generator_url,
        silenced=episode.silenced,
    )


def title_of(template: str | None, group: Mapping[str, str], episodes: Sequence[Episode], route: str) -> str:
    """The route's title with ``{label}`` filled in; else the summary that all alerts share, their name, the route's."""
    if template is not None:
        shared = {**_shared(episodes), **group}
        filled = " ".join(_PLACEHOLDER.sub(lambda match: shared.get(match[1].strip(), ""), template).split())
        if filled:
            return filled
    summaries = {episode.annotations.get("summary", "") for episode in episodes}
    if len(summaries) == 1 and (summary := summaries.pop()):
        return summary
    shared = _shared(episodes)
    return shared.get(names.LABEL_ALERTNAME) or shared.get("rule") or route


def _shared(episodes: Sequence[Episode]) -> dict[str, str]:
    first, *others = episodes
    return {name: value for name, value in first.labels.items() if all(one.labels.get(name) == value for one in others)}
