"""What a message shows, whatever the place it is shown in.

Made by the relay (and by ``explain`` and ``simulate`` for previews), turned into requests by a notifier.
May import: spec, and the standard library. All times are Unix seconds (UTC).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

State = Literal["firing", "resolved", "expired", "event"]
"""``expired``: Alertmanager says it is over, but nothing proves it (Prometheus itself was silent). ``event``: something
that happened and has no end, such as what Falco sees."""


@dataclass(frozen=True, slots=True)
class AlertView:
    """One alert of an incident, or one kind of event folded into a line."""

    labels: Mapping[str, str]
    severity: str
    state: State
    starts_at: float
    annotations: Mapping[str, str] = field(default_factory=dict)
    ends_at: float | None = None
    """None while it fires, and for events."""
    last_at: float | None = None
    """When the last of ``times`` began; None when there was one."""
    times: int = 1
    """How often it fired in this incident; how many events were folded into it."""
    generator_url: str = ""
    """Where the sender shows it: Prometheus' expression browser. Empty when unknown."""
    silenced: bool = False
    """Somebody silenced it in Alertmanager after it was told."""


@dataclass(frozen=True, slots=True)
class IncidentView:
    """One group's life in one channel. ``alerts``: those that fire first, then what ended; never none."""

    id: int
    route: str
    source: str
    """Who tells: ``alertmanager``, ``falco``, ``flux``, ``event``, ``heartbeat``, ``probe``, ``relay``."""
    state: State
    severity: str
    """The worst of what fires; of all that fired when nothing does any more."""
    title: str
    group: Mapping[str, str]
    """The labels that all its alerts share, and that make it one incident."""
    alerts: tuple[AlertView, ...]
    opened_at: float
    ended_at: float | None = None
    returns: int = 0
    """How often it came back after it had ended."""
    group_by_all: bool = False
    """Each alert is an incident by itself."""


@dataclass(frozen=True, slots=True)
class Links:
    """Public addresses without a trailing slash; None: not reachable for readers."""

    alertmanager: str | None = None
    grafana: str | None = None
    prometheus: str | None = None
    relay: str | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """Everything one message says. One incident: the full picture. Several: a digest, a few lines each."""

    channel: str
    incidents: tuple[IncidentView, ...]
    mentions: tuple[str, ...] = ()
    """Whom to ping: ``role:ID``, ``user:ID``, ``everyone``, ``here``. An edit repeats them, but pings nobody."""
    links: Links = Links()
    note: str = ""
    """A sentence of the relay's own, e.g. that this channel stands in for another."""
    sender: str | None = None
    """Name shown as the sender; None: the webhook's own."""
    stack: str = ""
    """Name of the stack, for readers with several."""
