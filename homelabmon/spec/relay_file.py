"""The contract between the renderer and the service: the relay's configuration file, route table included.

The renderer writes it into a ConfigMap (relay) or a file (outpost); the service reads it. Secrets are paths of files.
"""

from typing import Any, Literal

from pydantic import Field, StrictBool

from homelabmon.spec.base import Duration, Model, Name
from homelabmon.spec.plain import plain
from homelabmon.spec.routes import Hold, MatcherText, Mention, Severity
from homelabmon.spec.watch import Heartbeat, Probe, StatusPage


class ChannelEntry(Model):
    """Where a channel posts."""

    kind: Literal["discord"] = "discord"
    webhook_file: str
    """File that holds the webhook's URL."""
    thread_id: str | None = None
    forum: StrictBool = False
    username: str | None = None
    mention: dict[Severity, Mention] = Field(default_factory=dict)
    fallback: Name | None = None


class RouteEntry(Model):
    """One route, with everything it inherits written out."""

    name: Name
    matchers: tuple[MatcherText, ...] = ()
    channel: Name
    group_by: tuple[str, ...]
    hold: Hold
    title: str | None = None
    continue_: StrictBool = Field(default=False, alias="continue")
    routes: "tuple[RouteEntry, ...]" = ()


class Intake(Model):
    """How senders prove who they are."""

    alertmanager_token_file: str | None = None
    falco_path_file: str | None = None
    """File that holds the secret segment of Falco's path (Falco can send no headers)."""


class Watchdog(Model):
    """The dead man's switch."""

    alertname: str
    silence: Duration
    channel: Name


class RelayFile(Model):
    """The whole configuration of one service."""

    version: Literal[1] = 1
    name: str
    role: Literal["relay", "outpost"]
    channels: dict[Name, ChannelEntry]
    default: RouteEntry
    """What no route matches; also the root of the tree."""
    routes: "tuple[RouteEntry, ...]" = ()
    intake: Intake = Intake.model_construct()
    alertmanagers: tuple[str, ...] = ()
    """Each replica's API, for asking whether an alert is really gone."""
    prometheus: str | None = None
    links: dict[str, str] = Field(default_factory=dict)
    """Public addresses for links in messages: alertmanager, grafana, prometheus."""
    database: str
    heartbeats: tuple[Heartbeat, ...] = ()
    probes: tuple[Probe, ...] = ()
    anchors: tuple[str, ...] = ()
    watchdog: Watchdog | None = None
    status_page: StatusPage | None = None
    url: str | None = None

    def to_data(self) -> dict[str, Any]:
        """As plain data, without what is unset or default, so that a diff shows what the stack says."""
        return {"version": self.version, **plain(self)}
