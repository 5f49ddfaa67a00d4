"""What a receiver is told.

Made by :mod:`homelabmon.routing.timing.replica`, read by ``simulate`` and ``test``. May import: the standard library,
and its neighbours in routing. Source: Alertmanager notify/webhook/webhook.go, template/template.go.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Final

from homelabmon.routing.timing.alerts import Alert, Labels
from homelabmon.routing.tree import ResolvedRoute


class Reason(Enum):
    """Why a receiver is told, in the words of webhooks (``notification_reason``, since Alertmanager 0.32)."""

    FIRST = "first notification"
    NEW = "new alerts added"
    SOME_RESOLVED = "some alerts resolved"
    ALL_RESOLVED = "all alerts resolved"
    REPEAT = "repeat interval elapsed"


@dataclass(frozen=True, slots=True)
class Told:
    """One alert of a notification. ``resolved`` is as of the flush, whatever has happened since."""

    alert: Alert
    resolved: bool

    @property
    def labels(self) -> Labels:
        """Its labels."""
        return self.alert.subject.labels

    @property
    def fingerprint(self) -> str:
        """The name Alertmanager gives its labels."""
        return self.alert.subject.fingerprint

    @property
    def annotations(self) -> Labels:
        """Its annotations."""
        return self.alert.annotations

    @property
    def starts_at(self) -> float:
        """When it began to fire."""
        return self.alert.starts_at

    @property
    def ends_at(self) -> float | None:
        """When it was over; ``None`` while it fires."""
        return self.alert.ends_at if self.resolved else None


@dataclass(frozen=True, slots=True)
class Notification:
    """One request to a receiver: always the whole group, sorted. ``replica``: who sends it, 0 being the first."""

    at: float
    replica: int
    route: ResolvedRoute[object]
    group_key: str
    group_labels: Mapping[str, str]
    reason: Reason
    alerts: tuple[Told, ...]

    @property
    def receiver(self) -> str:
        """The receiver's name."""
        return self.route.receiver

    @property
    def firing(self) -> bool:
        """Whether any of its alerts fires."""
        return any(not alert.resolved for alert in self.alerts)

    def payload(self) -> dict[str, Any]:
        """The body as a webhook gets it (version 4), without external and generator URLs."""
        first = self.alerts[0]
        return {
            "receiver": re.sub(r"([\\.+*?()|\[\]{}^$])", r"\\\1", self.receiver),
            "status": "firing" if self.firing else "resolved",
            "notification_reason": self.reason.value,
            "alerts": [_alert(alert) for alert in self.alerts],
            "groupLabels": dict(self.group_labels),
            "commonLabels": _common(first.labels, [alert.labels for alert in self.alerts]),
            "commonAnnotations": _common(first.annotations, [alert.annotations for alert in self.alerts]),
            "version": "4",
            "groupKey": self.group_key,
            "truncatedAlerts": 0,
        }


NO_TIME: Final = "0001-01-01T00:00:00Z"
"""The end of an alert that fires."""


def _alert(alert: Told) -> dict[str, Any]:
    return {
        "status": "resolved" if alert.resolved else "firing",
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "startsAt": timestamp(alert.starts_at),
        "endsAt": NO_TIME if alert.ends_at is None else timestamp(alert.ends_at),
        "fingerprint": alert.fingerprint,
    }


def timestamp(seconds: float) -> str:
    """Seconds since the epoch as webhooks write times: RFC 3339, UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def _common(first: Labels, all_of_them: list[Labels]) -> dict[str, str]:
    return {name: value for name, value in first.items() if all(each.get(name) == value for each in all_of_them)}
