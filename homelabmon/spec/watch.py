"""What is watched beyond default rules: own alerts, scrape targets, heartbeats, probes, status page, expectations."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, StrictBool, StrictInt, StringConstraints, model_validator
from pydantic.json_schema import WithJsonSchema

from homelabmon.spec.base import (
    NAME,
    AlertName,
    BaseUrl,
    DnsLabel,
    Duration,
    HttpUrl,
    LabelName,
    Link,
    Model,
    Name,
    OneOrMany,
    OwnLabel,
    PositiveDuration,
    Quantity,
    Shorthand,
    Unique,
)
from homelabmon.spec.hosts import check_port, dns_name, host_port, ping_target
from homelabmon.spec.routes import LabelValue, LocalTime, Severity
from homelabmon.spec.secrets import Secret

Expression = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
AlertSeverity = Literal["critical", "warning", "info"]


class Alert(Model):
    """An alerting rule of your own."""

    alert: AlertName
    """Name of the alert: CamelCase, letters and digits."""
    expr: Expression
    """PromQL: fires for every series it returns."""
    severity: AlertSeverity = "warning"
    """How much it matters; routes, holds and mentions can depend on it."""
    summary: Annotated[str, StringConstraints(min_length=1)]
    """One line, shown as the message's title. `{{ $labels.x }}` and `{{ $value }}` as in Prometheus."""
    description: str = ""
    """More than the summary has room for, shown below it. Templates as in the summary."""
    for_: Duration = Field(default=timedelta(minutes=5), alias="for")
    """How long the expression must hold."""
    keep_firing_for: PositiveDuration | None = None
    """How long the alert keeps firing after the expression has stopped to hold."""
    runbook: Link | None = None
    """What to do about it."""
    group: Name = "own"
    """Rule group: rules of one group are evaluated one after the other."""
    labels: dict[OwnLabel, LabelValue] = Field(default_factory=dict)
    """Labels to add, for routing."""
    annotations: dict[LabelName, str] = Field(default_factory=dict)
    """Annotations to add."""

    @model_validator(mode="after")
    def _own_keys(self) -> Self:
        taken: list[str] = [name for name in ("alertname", "severity") if name in self.labels]
        taken += [name for name in ("summary", "description", "runbook_url") if name in self.annotations]
        if taken:
            raise ValueError(f"{taken[0]!r} has a key of its own: write it there, not among labels or annotations")
        return self


LABEL_KEY = r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-._A-Za-z0-9]{0,61}[A-Za-z0-9])?$"
LABEL_VALUE = r"^([A-Za-z0-9]([-._A-Za-z0-9]{0,61}[A-Za-z0-9])?)?$"
MatchLabels = Annotated[
    dict[
        Annotated[str, StringConstraints(pattern=LABEL_KEY)],
        Annotated[str, StringConstraints(pattern=LABEL_VALUE)],
    ],
    Field(min_length=1),
]
"""Labels of Kubernetes objects."""
PORT_NAME = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"


def _port(value: str) -> str:
    if value.isdecimal():
        check_port(value)
    return value


PortName = Annotated[
    str,
    StringConstraints(pattern=PORT_NAME, max_length=63),
    BeforeValidator(lambda value: str(value) if isinstance(value, int) and not isinstance(value, bool) else value),
    AfterValidator(_port),
    WithJsonSchema(
        {"type": ["string", "integer"], "pattern": PORT_NAME, "maxLength": 63, "minimum": 1, "maximum": 65535}
    ),
]
"""A port of a Service or a container: its name, or its number."""


class ServiceTarget(Model):
    """Pods behind Services, by the Services' labels."""

    namespace: DnsLabel
    """Namespace of the Services."""
    match_labels: MatchLabels
    """Labels that the Services carry, all of them."""
    port: PortName = "metrics"
    """Name of the Service's port."""


class PodTarget(Model):
    """Pods, by their labels."""

    namespace: DnsLabel
    """Namespace of the pods."""
    match_labels: MatchLabels
    """Labels that the pods carry, all of them."""
    port: PortName = "metrics"
    """Name of the container's port."""


HostPort = Annotated[
    str, StringConstraints(pattern=r"^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):\d{1,5}$"), AfterValidator(host_port)
]


class Scrape(Model):
    """A thing that exposes metrics: an app in the cluster (`service` or `pods`) or hosts outside it (`targets`)."""

    name: DnsLabel
    """Name of the thing; the `job` of its series."""
    description: str = ""
    """What it is; for readers of the stack."""
    service: ServiceTarget | None = None
    """Pods behind Services."""
    pods: PodTarget | None = None
    """Pods."""
    targets: Annotated[tuple[HostPort, ...], Unique] = Field(default=(), examples=[["192.168.1.10:9100"]])
    """Hosts outside the cluster, `host:port`."""
    path: Annotated[str, StringConstraints(pattern=r"^/")] = "/metrics"
    """Path of the metrics."""
    scheme: Literal["http", "https"] = "http"
    """http or https."""
    interval: PositiveDuration = timedelta(seconds=30)
    """How often it is scraped."""
    timeout: PositiveDuration = timedelta(seconds=10)
    """How long an answer may take; not longer than `interval`."""
    labels: dict[OwnLabel, LabelValue] = Field(default_factory=dict)
    """Labels to add to every series (`targets` only)."""
    bearer_token: Secret | None = None
    """Token to send, by reference."""

    @model_validator(mode="after")
    def _one_target(self) -> Self:
        if sum((self.service is not None, self.pods is not None, bool(self.targets))) != 1:
            raise ValueError("needs exactly one of service, pods and targets: write one, and remove the others")
        if self.labels and not self.targets:
            raise ValueError("labels can only be added to targets: use the Service's or the pod's own labels")
        if self.timeout > self.interval:
            raise ValueError("timeout is longer than interval, which Prometheus refuses: write a shorter timeout")
        return self


CronJob = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?/[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")]
Dialect = Literal["debian", "kubernetes", "github", "vixie", "systemd"]


class Heartbeat(Model):
    """A thing that should have run. Exactly one of schedule, calendar, period, or a `cronjob` in the cluster."""

    name: Name
    """Name of the heartbeat."""
    description: str = ""
    """What it is; shown on the monitoring page."""
    schedule: str | None = Field(default=None, examples=["0 3 * * *", "@daily"])
    """Cron expression with five fields, or @hourly, @daily, @weekly, @monthly, @yearly."""
    calendar: str | None = Field(default=None, examples=["Mon..Fri *-*-* 03:00:00"])
    """systemd's OnCalendar expression."""
    period: PositiveDuration | None = Field(default=None, examples=["1d"])
    """Expected at least this often."""
    cronjob: CronJob | None = Field(default=None, examples=["backups/restic-offsite"])
    """A CronJob, `namespace/name`, watched through kube-state-metrics: nothing to change in the job."""
    timezone: str = Field(default="UTC", examples=["Europe/London"])
    """IANA time zone of the schedule."""
    dialect: Dialect | None = None
    """Whose rules hold at the change of clocks. Default: kubernetes for a cronjob, else debian."""
    grace: Duration = timedelta(hours=1)
    """How late a run may be before anyone is told."""
    max_runtime: PositiveDuration | None = None
    """How long a run may take."""
    start_grace: PositiveDuration | None = None
    """How late a run may start, where it differs from grace."""
    early_tolerance: Duration | None = None
    """How early a run may come and still count for the next slot."""
    never_seen: Literal["alert", "ignore"] = "alert"
    """Whether a heartbeat that has never been seen is a miss."""
    channel: Name | None = None
    """Channel to tell, in place of those that the routes lead to. Default: by the routes, as any alert."""
    severity: AlertSeverity = "warning"
    """Severity of the alert when it is missed."""
    group: str = ""
    """Group on the status page; empty: not shown."""

    @model_validator(mode="after")
    def _one_schedule(self) -> Self:
        given = sum(value is not None for value in (self.schedule, self.calendar, self.period))
        if given > 1:
            raise ValueError("needs only one of schedule, calendar and period: keep one")
        if not given and self.cronjob is None:
            raise ValueError(
                'needs one of schedule, calendar, period and cronjob: write for example schedule: "0 3 * * *"'
            )
        return self


class Expect(Model):
    """What a healthy answer looks like."""

    status: Annotated[
        tuple[Annotated[StrictInt, Field(ge=100, le=599)], ...],
        BeforeValidator(lambda value: [value] if isinstance(value, int) else value),
        Unique,
        OneOrMany(),
    ] = (200,)
    """HTTP status codes, of the answer behind all redirects."""
    body: str | None = None
    """Regular expression (RE2) that is to be found in the body."""
    within: PositiveDuration | None = None
    """Slower than this is degraded."""
    tls_days: StrictInt = Field(default=14, ge=0)
    """Days for which every certificate of the chain must still be valid; 0 switches the check off."""
    redirects: StrictBool = True
    """Whether redirects are followed, up to ten. An https address must end at one."""


class Dns(Model):
    """A DNS question."""

    server: HostPort
    """Server to ask, `host:port`."""
    query: Annotated[str, StringConstraints(min_length=1), AfterValidator(dns_name)]
    """Name to ask for."""
    type: Literal["A", "AAAA", "CNAME", "MX", "NS", "SOA", "TXT"] = "A"
    """Type of record."""
    answer: str | None = None
    """Regular expression to be found in one whole record: name, TTL, IN, type and data, with tabs in between. Default:
    there is a record of that type."""


class Probe(Model):
    """An active check of an endpoint. Exactly one of url, tcp, icmp and dns."""

    name: Name
    """Name of the probe."""
    description: str = ""
    """What it is; shown on the monitoring page."""
    url: HttpUrl | None = Field(default=None, examples=["https://ghcr.io/v2/"])
    """Web address to ask."""
    tcp: HostPort | None = None
    """`host:port` to connect to."""
    icmp: Annotated[str, StringConstraints(min_length=1, pattern=r"^\S+$"), AfterValidator(ping_target)] | None = None
    """Host to ping; from outside the outpost needs to be allowed to."""
    dns: Dns | None = None
    """DNS question to ask."""
    statuspage: HttpUrl | None = None
    """The third party's own Statuspage summary (`/api/v2/summary.json`), read by the outpost beside the probe and added
    to its words; it tells nobody by itself."""
    from_: Literal["outpost", "cluster", "both"] = Field(default="cluster", alias="from")
    """The vantage: from inside (blackbox exporter), from outside (outpost), or both."""
    expect: Expect = Expect.model_construct()
    """What a healthy answer looks like."""
    interval: PositiveDuration = timedelta(seconds=60)
    """How often it asks."""
    timeout: PositiveDuration = timedelta(seconds=10)
    """How long an answer may take; not longer than `interval`."""
    retries: StrictInt = Field(default=2, ge=0, le=10)
    """Failures in a row that are forgiven: from inside `interval` apart, from outside 15s where that is shorter."""
    severity: AlertSeverity = "warning"
    """Severity of the alert when it fails."""
    channel: Name | None = None
    """Channel to tell, in place of those that the routes lead to. Default: by the routes."""
    parent: Name | None = None
    """A probe that must be up for this one to mean anything: while it fails, the outpost tells nobody of this one."""
    group: str = ""
    """Group on the status page; empty: not shown."""

    @model_validator(mode="after")
    def _one_target(self) -> Self:
        if sum(value is not None for value in (self.url, self.tcp, self.icmp, self.dns)) != 1:
            raise ValueError("needs exactly one of url, tcp, icmp and dns: write one, and remove the others")
        if self.timeout > self.interval:
            raise ValueError("timeout is longer than interval, which Prometheus refuses: write a shorter timeout")
        return self

    @property
    def target(self) -> str:
        """The address that is checked, for people to read."""
        if self.dns is not None:
            return f"{self.dns.query} {self.dns.type} @{self.dns.server}"
        return self.url or self.tcp or self.icmp or ""


class ThirdLeg(Model):
    """A check at a hosted service that the outpost pings while it works: its silence tells of the outpost's."""

    ping: Secret
    """Address to ask, by reference: it is a secret."""
    every: PositiveDuration = timedelta(minutes=5)
    """How often it is pinged."""


class Outpost(Model):
    """The same service run outside the cluster: dead man's switch, heartbeats, outside probes, status page."""

    url: BaseUrl = Field(examples=["https://status.example.net"])
    """Its public address."""
    token: Secret | None = None
    """Token that the cluster's Watchdog sends, by reference. Default: key `outpost-token` of the relay's Secret."""
    heartbeat_key: Secret | None = None
    """Key that the addresses of heartbeats are derived from. Default: key `heartbeat-key` of the relay's Secret."""
    heartbeat_ids: Secret | None = None
    """Addresses of heartbeats that exist already, one a line: `NAME=UUID`, and `*=KEY` for addresses by name."""
    channel: Name | None = None
    """Channel for what the outpost itself has to say; default: `defaults.channel`."""
    silence: PositiveDuration = timedelta(minutes=5)
    """How long the Watchdog may be silent before the cluster counts as gone."""
    scrape: StrictBool = True
    """Whether the cluster scrapes and watches the outpost."""
    page_password: Secret | None = None
    """Password of the page at `/console` that shows the owner what is open, with its buttons; the user's name is free.
    Without it there is no such page."""
    scrape_token: Secret | None = None
    """Token that Prometheus shows to read the outpost's metrics. Default: key `outpost-scrape-token` of the relay's
    Secret."""
    anchors: tuple[HostPort, ...] = ("1.1.1.1:443", "8.8.8.8:443", "9.9.9.9:443")
    """Independent addresses that tell an outage of ours from one of theirs; at least three."""
    third_leg: ThirdLeg | None = None
    """A hosted check that is pinged after the outpost's loop, its disk and Discord have worked, and never else."""
    report: StrictBool = True
    """Whether the cluster's relay tells the outpost how it is, so that it can say what still lives."""

    @model_validator(mode="after")
    def _anchors(self) -> Self:
        if len(set(self.anchors)) < 3:
            raise ValueError(
                "fewer than three different anchors cannot tell who is down: "
                "write three, such as [1.1.1.1:443, 8.8.8.8:443, 9.9.9.9:443]"
            )
        return self


class StatusComponent(Model):
    """A heartbeat or probe, as the public reads of it."""

    name: Name
    """Name of the heartbeat or probe."""
    title: Annotated[str, StringConstraints(max_length=80)] = ""
    """What the page calls it; default: its name."""
    description: Annotated[str, StringConstraints(max_length=200)] = ""
    """One line below it. The description of the heartbeat or probe itself is not shown."""


def _one_name(item: object) -> object:
    return {"name": item} if isinstance(item, str) else item


def _no_doubles(components: tuple[StatusComponent, ...]) -> tuple[StatusComponent, ...]:
    seen = set[str]()
    for component in components:
        if component.name in seen:
            raise ValueError(f"{component.name} stands twice: keep one of them")
        seen.add(component.name)
    return components


class StatusGroup(Model):
    """A group of the status page."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    """Name of the group."""
    description: str = ""
    """Shown below the name."""
    components: Annotated[
        tuple[
            Annotated[StatusComponent, BeforeValidator(_one_name), Shorthand({"type": "string", "pattern": NAME})], ...
        ],
        AfterValidator(_no_doubles),
    ] = Field(default=(), examples=[["home", {"name": "nightly-backup", "title": "Backups"}]])
    """Heartbeats and probes to show, in this order, before those whose `group` is this. A name, or `{name, title,
    description}`."""


def _no_way_up(value: str) -> str:
    if ".." in value.split("/"):
        raise ValueError("the path leads upwards: write it without ..")
    return value


class StatusPublish(Model):
    """The status page as files, for a web server or a host of static pages elsewhere."""

    directory: Annotated[str, StringConstraints(pattern=r"^(/[A-Za-z0-9._-]+)+$"), AfterValidator(_no_way_up)] = Field(
        examples=["/var/lib/homelabmon/public"]
    )
    """Folder that the outpost writes them to, whenever something has changed. Nothing else in it is touched."""


class StatusPage(Model):
    """The public status page, served and exported by the outpost. Nothing is public but what it names."""

    title: Annotated[str, StringConstraints(min_length=1, max_length=120)]
    """Title of the page."""
    description: str = ""
    """Shown below the title."""
    groups: tuple[StatusGroup, ...] = ()
    """Groups, in the order shown. Without any: those that heartbeats and probes name as their `group`."""
    every: PositiveDuration = timedelta(minutes=5)
    """How often the page is made anew, at the least; it says by when, so that a reader can tell a stale one."""
    incidents: Literal["auto", "manual"] = "auto"
    """Whether outages of what the page shows open incidents by themselves, or only you do."""
    incident_after: Duration = timedelta(minutes=5)
    """How long an outage must last before it opens one, and how long things must be well before it is resolved."""
    publish: StatusPublish | None = None
    """Where the page is written as files, besides being served."""

    def arranged(self, items: Iterable[Heartbeat | Probe]) -> list[tuple[StatusGroup, list[StatusComponent]]]:
        """Every group with what it shows: what it lists, then what names it. Nothing stands twice; a list comes first.

        What is listed need not be among the items.
        """
        items = tuple(items)
        groups = self.groups or tuple(StatusGroup(name=name) for name in dict.fromkeys(i.group for i in items) if name)
        found = {group.name: list(group.components) for group in groups}
        taken = set[str]()
        for components in found.values():
            components[:] = [one for one in components if one.name not in taken]
            taken.update(one.name for one in components)
        for item in items:
            if item.group in found and item.name not in taken:
                found[item.group].append(StatusComponent(name=item.name))
                taken.add(item.name)
        return [(group, found[group.name]) for group in groups]


class Flaps(Model):
    """An alert that comes and goes."""

    every: PositiveDuration
    """How often it comes."""
    for_: PositiveDuration = Field(alias="for")
    """How long it fires each time."""
    during: PositiveDuration
    """For how long this goes on."""

    @model_validator(mode="after")
    def _comes_and_goes(self) -> Self:
        if self.for_ >= self.every:
            raise ValueError("it never goes: `for` must be shorter than `every`")
        if self.during / self.every > 10_000:
            raise ValueError("it comes more than 10000 times: make `every` longer, or `during` shorter")
        return self


AlertLabels = Annotated[dict[LabelName, LabelValue], Field(min_length=1)]
SeveralAlerts = Annotated[
    tuple[AlertLabels, ...],
    BeforeValidator(lambda value: [value] if isinstance(value, dict) else value),
    OneOrMany(),
]


class Expectation(Model):
    """What the owner expects of the routing. With `lives`, `flaps`, `with`, `while`, `messages`, `within` or `at` it
    is tried out in virtual time; without, only the routes are asked."""

    name: str = ""
    """What is expected, in words."""
    alert: AlertLabels
    """Labels of an alert, `alertname` among them."""
    channel: Annotated[
        tuple[Name, ...],
        BeforeValidator(lambda value: [value] if isinstance(value, str) else value),
        Unique,
        OneOrMany(),
    ] = ()
    """The channel, or channels, that must hear of it; and no others."""
    nobody: StrictBool = False
    """Whether nobody must hear of it."""
    lives: PositiveDuration | None = Field(default=None, examples=["40s"])
    """How long it fires. Default: on and on."""
    flaps: Flaps | None = None
    """It fires again and again."""
    with_: SeveralAlerts = Field(default=(), alias="with", examples=[[{"alertname": "NodeDown", "node": "n2"}]])
    """Alerts that fire as it does, at the same time; `messages` counts theirs as well."""
    while_: SeveralAlerts = Field(default=(), alias="while", examples=[[{"alertname": "NodeDown", "node": "n1"}]])
    """Alerts that have been firing for ten minutes when it comes, and go on."""
    messages: StrictInt | None = Field(default=None, ge=1)
    """How many messages about it, and what comes with it, are posted in each of the channels; edits do not count."""
    within: PositiveDuration | None = Field(default=None, examples=["2m"])
    """How soon after it fires each of the channels must hear."""
    at: LocalTime | None = Field(default=None, examples=["2026-12-01T20:00"])
    """When it fires, in UTC: for maintenance windows. Default: on a Monday at noon."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.channel and self.nobody:
            raise ValueError("channel and nobody exclude each other: keep one of them")
        if not self.channel and not self.nobody:
            raise ValueError("nothing says who must hear of it: write channel: NAME, or nobody: true")
        if self.nobody and (self.messages is not None or self.within is not None):
            raise ValueError("messages and within are about those who hear: leave them out with nobody")
        if self.lives is not None and self.flaps is not None:
            raise ValueError("lives and flaps both say how long it fires: keep one of them")
        if self.at is not None and self.at.tzinfo is not None:
            raise ValueError("at is in UTC, and carries no offset: write 2026-12-01T20:00")
        return self

    @property
    def timed(self) -> bool:
        """Whether it is about more than where the alert is routed."""
        return bool(
            self.lives or self.flaps or self.with_ or self.while_ or self.messages or self.within or self.at is not None
        )

    @property
    def alerts(self) -> tuple[tuple[tuple[str | int, ...], dict[str, str]], ...]:
        """Every alert that it names, each with the way to it."""
        others = (("with", self.with_), ("while", self.while_))
        return (
            (("alert",), self.alert),
            *(((key, number), labels) for key, several in others for number, labels in enumerate(several)),
        )


__all__ = ["Alert", "Expectation", "Heartbeat", "Outpost", "Probe", "Quantity", "Scrape", "Severity", "StatusPage"]
