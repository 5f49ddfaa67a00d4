"""JSON: the page in the shape of Atlassian Statuspage's summary, so that its readers read ours. Pure.

One word is ours: a component, or the whole, of which nobody knows is ``unknown``, which Statuspage does not have;
calling it operational would be a guess. Source: the public API of Statuspage, ``/api/v2/summary.json``.
May import: its neighbours model, words.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any, Final

from homelabmon.relay.status import words
from homelabmon.relay.status.model import Component, Incident, Maintenance, Page, State

_COMPONENT: Final[dict[State, str]] = {
    "operational": "operational",
    "maintenance": "under_maintenance",
    "unknown": "unknown",
    "degraded": "degraded_performance",
    "partial": "partial_outage",
    "outage": "major_outage",
}
_INDICATOR: Final[dict[State, str]] = {
    "operational": "none",
    "maintenance": "maintenance",
    "unknown": "unknown",
    "degraded": "minor",
    "partial": "major",
    "outage": "critical",
}
_PAGE: Final = "page"


def summary(page: Page) -> str:
    """``status.json``."""
    data = {
        **_about(page),
        "components": list(_components(page)),
        "incidents": [_incident(page, incident) for incident in page.open_incidents],
        "scheduled_maintenances": [_maintenance(page, one) for one in page.maintenance if one.phase != "completed"],
    }
    return _written(data)


def status(page: Page) -> str:
    """Only the whole: ``api/v2/status.json``."""
    return _written(_about(page))


def shields(label: str, state: State, message: str) -> str:
    """What shields.io's endpoint badge wants."""
    return _written({"schemaVersion": 1, "label": label, "message": message, "color": _SHIELD[state]})


_SHIELD: Final[dict[State, str]] = {
    "operational": "0b7a53",
    "maintenance": "1d4ed8",
    "unknown": "5b6472",
    "degraded": "b45309",
    "partial": "b42318",
    "outage": "b42318",
}


def _written(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False, indent=1) + "\n"


def _about(page: Page) -> dict[str, Any]:
    return {
        "page": {
            "id": _id(page, _PAGE),
            "name": page.title,
            "url": page.url,
            "time_zone": "Etc/UTC",
            "updated_at": words.iso(page.fresh.checked_at or 0.0),
        },
        "status": {"indicator": _INDICATOR[page.state], "description": words.headline(page)},
    }


def _id(page: Page, *what: str) -> str:
    """Twelve characters that stay the same for the same thing, as Statuspage's do."""
    return hashlib.sha256("\0".join((page.url, *what)).encode()).hexdigest()[:12]


def _components(page: Page) -> Iterator[dict[str, Any]]:
    for number, group in enumerate(page.groups, start=1):
        members = [_component(page, component) for component in group.components]
        known = {
            "id": _id(page, "group", group.name),
            "name": group.name,
            "status": _COMPONENT[group.state],
            "created_at": min(member["created_at"] for member in members),
            "updated_at": max(member["updated_at"] for member in members),
            "position": number,
            "description": group.description or None,
            "group_id": None,
            "group": True,
        }
        yield {**_always(page), **known, "components": [member["id"] for member in members]}
        for position, member in enumerate(members, start=1):
            yield {**member, "position": position, "group_id": known["id"]}


def _always(page: Page) -> dict[str, Any]:
    return {"page_id": _id(page, _PAGE), "showcase": False, "only_show_if_degraded": False, "start_date": None}


def _component(page: Page, component: Component) -> dict[str, Any]:
    first = (component.known_days or component.days[-1:])[0].date
    created = f"{first}T00:00:00Z"
    return {
        **_always(page),
        "id": _id(page, "component", component.name),
        "name": component.title,
        "status": _COMPONENT[component.state],
        "created_at": created,
        "updated_at": created if component.since is None else words.iso(component.since),
        "position": 1,
        "description": component.description or None,
        "group_id": None,
        "group": False,
    }


def _affected(page: Page, names: tuple[str, ...]) -> list[dict[str, Any]]:
    return [_component(page, component) for component in words.affected(page, names)]


def _incident(page: Page, incident: Incident) -> dict[str, Any]:
    number = _id(page, "incident", str(incident.id))
    monitoring = [update.at for update in incident.updates if update.status == "monitoring"]
    return {
        "id": number,
        "name": incident.title,
        "status": incident.status,
        "created_at": words.iso(incident.started_at),
        "updated_at": words.iso(incident.updated_at),
        "monitoring_at": words.iso(min(monitoring)) if monitoring else None,
        "resolved_at": None if incident.resolved_at is None else words.iso(incident.resolved_at),
        "impact": incident.impact,
        "shortlink": f"{page.url}/incidents/{incident.id}.html",
        "started_at": words.iso(incident.started_at),
        "page_id": _id(page, _PAGE),
        "incident_updates": [
            _update(page, number, str(update.id), update.status, update.body, update.at) for update in incident.updates
        ],
        "components": _affected(page, incident.components),
    }


def _maintenance(page: Page, one: Maintenance) -> dict[str, Any]:
    number = _id(page, "maintenance", one.key)
    return {
        "id": number,
        "name": one.title,
        "status": one.phase,
        "created_at": words.iso(one.announced_at),
        "updated_at": words.iso(one.updated_at),
        "monitoring_at": None,
        "resolved_at": None,
        "impact": "maintenance",
        "shortlink": f"{page.url}/#maintenance-{one.key}",
        "started_at": words.iso(one.opens),
        "page_id": _id(page, _PAGE),
        "incident_updates": [_update(page, number, one.phase, one.phase, one.description or one.title, one.updated_at)],
        "components": _affected(page, one.components),
        "scheduled_for": words.iso(one.opens),
        "scheduled_until": words.iso(one.closes),
    }


def _update(page: Page, incident: str, key: str, status: str, body: str, at: float) -> dict[str, Any]:
    return {
        "id": _id(page, "update", incident, key),
        "status": status,
        "body": body,
        "incident_id": incident,
        "created_at": words.iso(at),
        "updated_at": words.iso(at),
        "display_at": words.iso(at),
        "affected_components": None,
        "deliver_notifications": False,
        "custom_tweet": None,
        "tweet_id": None,
    }
