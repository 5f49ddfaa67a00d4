"""The contract between the renderer and the service: the relay's configuration file, route table included.

The renderer writes it into a ConfigMap (relay) or a file (outpost); the service reads it. Secrets are paths of files.
"""

from datetime import timedelta
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field, StrictBool, StrictInt

from homelabmon.spec.base import Duration, HttpUrl, Model, Name, PositiveDuration, Quantity, in_bytes
from homelabmon.spec.plain import plain
from homelabmon.spec.routes import Hold, Maintenance, MatcherText, Mention, Severity
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


LEAST_BODY: Final = 2**24
MOST_BODY: Final = 2**26


def _body_size(value: str) -> str:
    if not LEAST_BODY <= in_bytes(value) <= MOST_BODY:
        raise ValueError("one request may have 16Mi to 64Mi: Alertmanager never repeats what is refused as too large")
    return value


class Intake(Model):
    """How senders prove who they are, and how much one may send. A sender without a file is turned away."""

    alertmanager_token_file: str | None = None
    """File with the bearer token; while it changes it may hold several, one a line. So may the other files here."""
    falco_path_file: str | None = None
    """File that holds the secret segment of Falco's path (Falco can send no headers)."""
    flux_token_file: str | None = None
    """File with the key that Flux signs with (`generic-hmac`), or the bearer token that it sends (`generic`)."""
    event_token_file: str | None = None
    """File with the bearer token of scripts that post events."""
    heartbeat_key_file: str | None = None
    """File with the key that the addresses of heartbeats are derived from. Without one, only listed ones are open."""
    heartbeat_ids_file: str | None = None
    """File that lists addresses of heartbeats instead, one a line: `NAME=UUID`, and `*=KEY` for addresses by name."""
    scrape_token_file: str | None = None
    """File with the bearer token of whoever reads the metrics. Without one, a relay shows them to everybody who can
    reach it, and an outpost, which is public, to nobody."""
    page_password_file: str | None = None
    """File with the password of the page for the owner and of its buttons; the user's name is free. Without one, a
    relay shows its page, at `/`, to everybody who can reach it, and an outpost, which is public, to nobody: there it is
    at `/console`."""
    max_body: Annotated[Quantity, AfterValidator(_body_size)] = "32Mi"
    """Size of the largest request that is read. The process needs about four times as much memory besides its own."""


class Retention(Model):
    """How long what is over is kept."""

    incidents: PositiveDuration = timedelta(days=30)
    """Incidents that have ended, with their alerts."""
    dead_letters: PositiveDuration = timedelta(days=90)
    """Messages that could not be delivered."""
    quarantine: Annotated[StrictInt, Field(ge=1)] = 1000
    """Requests that could not be understood: so many, then the oldest go."""
    quarantine_size: Quantity = "64Mi"
    """And so many bytes of them, as they are stored."""


class Watchdog(Model):
    """The dead man's switch."""

    alertname: str
    silence: Duration
    channel: Name


class Upstream(Model):
    """The outpost, as the relay in the cluster knows it."""

    url: HttpUrl
    """Its public address."""
    token_file: str
    """File with the bearer token that the outpost knows the cluster by."""
    report: StrictBool = True
    """Whether the relay tells the outpost how it is, and what is open."""
    spool: StrictBool = False
    """Whether the relay takes pings of heartbeats and sends them on, later where the outpost does not answer."""


class ThirdLeg(Model):
    """A check somewhere else that is pinged while everything here works, so that its silence tells of ours."""

    ping_file: str
    """File that holds the address to ask."""
    every: PositiveDuration = timedelta(minutes=5)


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
    """The database's file. Its folder has to be writable."""
    retention: Retention = Retention.model_construct()
    heartbeats: tuple[Heartbeat, ...] = ()
    probes: tuple[Probe, ...] = ()
    anchors: tuple[str, ...] = ()
    watchdog: Watchdog | None = None
    maintenance: tuple[Maintenance, ...] = ()
    """Windows in which heartbeats and probes are measured, but not told of."""
    inside: str | None = None
    """Where jobs in the cluster ping heartbeats, if not here."""
    upstream: Upstream | None = None
    third_leg: ThirdLeg | None = None
    status_page: StatusPage | None = None
    url: str | None = None

    def to_data(self) -> dict[str, Any]:
        """As plain data, without what is unset or default, so that a diff shows what the stack says."""
        return {"version": self.version, **plain(self)}
