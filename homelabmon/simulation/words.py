"""What was told, in a line each. Asked by the commands, and by expectations. May import: notifiers, its neighbours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from homelabmon.notifiers.message import AlertView, IncidentView
from homelabmon.routing.timing.notification import Told as Notified
from homelabmon.simulation.world import Told
from homelabmon.spec import names

_MOST: Final = 5
"""How many alerts a line names."""


def clock(seconds: float) -> str:
    """``0:01:05``: hours, minutes and seconds from the beginning."""
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"


def what(told: Told) -> str:
    """What the message says from now on, in a line."""
    if told.notification is not None:
        return _notification(told.notification.alerts)
    message = told.shown.message if told.shown is not None else None
    if message is None:
        return "gone: its incident is in a newer message"
    incidents = message.incidents
    if len(incidents) > 1:
        firing = sum(incident.state == "firing" for incident in incidents)
        over = f", {len(incidents) - firing} over" if firing < len(incidents) else ""
        return f"digest of {len(incidents)} incidents: {firing} firing{over}"
    return _incident(incidents[0])


def _incident(incident: IncidentView) -> str:
    titles = _telling_apart([alert.labels for alert in incident.alerts], incident.group)
    firing = [title for title, alert in zip(titles, incident.alerts, strict=True) if alert.state == "firing"]
    over = [title for title, alert in zip(titles, incident.alerts, strict=True) if alert.state != "firing"]
    if incident.state == "event":
        return f"{incident.title}: {_events(incident.alerts)}"
    parts = [f"{_list(firing)} firing"] if firing else []
    parts += [f"{_list(over)} {'resolved' if incident.state != 'expired' else 'expired'}"] if over else []
    returns = f" (came back {incident.returns} times)" if incident.returns > 1 else ""
    returns = " (came back)" if incident.returns == 1 else returns
    return f"{incident.title}: {', '.join(parts)}{returns}"


def _events(alerts: Sequence[AlertView]) -> str:
    times = sum(alert.times for alert in alerts)
    return "once" if times == 1 else f"{times} times"


def _notification(alerts: Sequence[Notified]) -> str:
    shared = _shared([alert.labels for alert in alerts])
    titles = _telling_apart([alert.labels for alert in alerts], shared)
    firing = [title for title, alert in zip(titles, alerts, strict=True) if not alert.resolved]
    over = [title for title, alert in zip(titles, alerts, strict=True) if alert.resolved]
    parts = [f"{_list(firing)} firing"] if firing else []
    parts += [f"{_list(over)} resolved"] if over else []
    return f"{shared.get(names.LABEL_ALERTNAME, 'alerts')}: {', '.join(parts)}"


def _telling_apart(labels: Sequence[Mapping[str, str]], group: Mapping[str, str]) -> list[str]:
    """A short name for each alert: the values of labels that differ, or that the group does not have."""
    shared = _shared(labels)
    usual = {names.LABEL_ALERTNAME, names.LABEL_SEVERITY, "job", "prometheus"}
    found = []
    for each in labels:
        own = {name: value for name, value in each.items() if shared.get(name) != value}
        own = own or {name: value for name, value in each.items() if name not in group and name not in usual}
        own = own or {name: value for name, value in each.items() if name not in usual} or dict(each)
        found.append("/".join(own.values()))
    return found


def _shared(labels: Sequence[Mapping[str, str]]) -> dict[str, str]:
    first, *others = labels
    return {name: value for name, value in first.items() if all(each.get(name) == value for each in others)}


def _list(titles: Iterable[str]) -> str:
    known = list(titles)
    more = f" and {len(known) - _MOST} more" if len(known) > _MOST else ""
    return ", ".join(known[:_MOST]) + more
