"""Channels, routes, inhibit rules, maintenance windows and dependencies: who hears about what, and when."""

import re
from datetime import datetime, timedelta
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, StrictBool, StringConstraints, model_validator
from pydantic.json_schema import WithJsonSchema

from homelabmon.spec.base import (
    DURATION_SCHEMA,
    Duration,
    LabelName,
    Model,
    Name,
    OneOrMany,
    PositiveDuration,
    Shorthand,
    Unique,
)
from homelabmon.spec.matchers import Matcher, MatchOp, parse_matcher
from homelabmon.spec.secrets import Secret

Severity = Literal["critical", "warning", "info", "none"]


def _sender(value: str) -> str:
    """Discord refuses each message whose sender is called like itself or its old bot."""
    for word in ("discord", "clyde"):
        if word in value.lower():
            raise ValueError(f"Discord refuses senders with {word!r} in their name: write another, such as Homelab")
    return value


class Discord(Model):
    """A Discord channel, by its webhook."""

    webhook: Secret
    """The webhook's URL, by reference: `{secret: discord-webhooks, key: ops}`."""
    thread_id: Annotated[str, StringConstraints(pattern=r"^\d{15,21}$")] | None = None
    """Post into this thread (or forum post) of the channel."""
    forum: StrictBool = False
    """The channel is a forum: each incident becomes a post of its own."""
    username: Annotated[str, StringConstraints(min_length=1, max_length=80), AfterValidator(_sender)] | None = None
    """Name shown as the sender."""


Mention = Annotated[str, StringConstraints(pattern=r"^((role|user):[1-9][0-9]{0,20}|everyone|here)$")]


class Channel(Model):
    """A named place where people read."""

    discord: Discord
    """The Discord channel."""
    description: str = ""
    """What the channel is for; shown on the monitoring page."""
    mention: dict[Severity, Mention] = Field(default_factory=dict, examples=[{"critical": "role:1234"}])
    """Whom to ping, by severity: `role:ID`, `user:ID`, `everyone` or `here`."""
    fallback: Name | None = None
    """Channel that takes over when this one's webhook is gone."""


def _one_or_many(value: object) -> object:
    return [value] if isinstance(value, (str, int, float)) and not isinstance(value, bool) else value


LabelValue = Annotated[
    str,
    BeforeValidator(lambda value: str(value) if isinstance(value, int) and not isinstance(value, bool) else value),
    WithJsonSchema({"type": ["string", "integer"]}),
]
Match = dict[
    LabelName,
    Annotated[
        tuple[LabelValue, ...],
        Field(min_length=1),
        BeforeValidator(_one_or_many),
        OneOrMany(),
    ],
]
"""Labels to match: one value, or a list of which one must be equal. All labels must match."""


MatcherText = Annotated[
    str, BeforeValidator(lambda value: str(parse_matcher(value)) if isinstance(value, str) else value)
]
"""A matcher in Alertmanager's own notation: `namespace=~"trading-.+"`."""


def matchers_of(match: Match, texts: tuple[str, ...] = ()) -> tuple[Matcher, ...]:
    """The matchers that ``match`` and ``matchers`` stand for, in the order written.

    A list of values becomes one regular expression of quoted alternatives, as Alertmanager has no set operator.
    """
    found = [
        Matcher(name, MatchOp.EQ, values[0])
        if len(values) == 1
        else Matcher(name, MatchOp.RE, "|".join(quote_re2(value) for value in values))
        for name, values in match.items()
    ]
    return (*found, *(parse_matcher(text) for text in texts))


def quote_re2(text: str) -> str:
    """The text as a regular expression that matches only itself (Go's regexp.QuoteMeta)."""
    return "".join(f"\\{char}" if char in r"\.+*?()|[]{}^$" else char for char in text)


class Selector(Model):
    """Which alerts are meant."""

    match: Match = Field(default_factory=dict, examples=[{"alertname": ["NodeDown", "MemoryPressure"]}])
    """Label to value, or to a list of values; all labels must match."""
    matchers: tuple[MatcherText, ...] = Field(default=(), examples=[['namespace=~"trading-.+"']])
    """Further matchers in Alertmanager's notation: `=`, `!=`, `=~`, `!~`."""

    @property
    def all_matchers(self) -> tuple[Matcher, ...]:
        """`match` and `matchers` together."""
        return matchers_of(self.match, self.matchers)


def _hold_by_severity(value: object) -> object:
    return value if isinstance(value, dict) else {"default": value}


Hold = Annotated[
    dict[Literal["default", "critical", "warning", "info"], Duration],
    Field(min_length=1),
    BeforeValidator(_hold_by_severity),
    Shorthand(DURATION_SCHEMA),
]
"""How long an alert must live before anyone is told: one duration, or one by severity with `default`."""


_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def _placeholders(value: str) -> str:
    """Each brace belongs to a `{label}`."""
    if "{{" in value:
        plain = re.sub(r"\{\{\s*\.?(?:\w+\.)*(\w+)\s*\}\}", r"{\1}", value)
        raise ValueError(f"a label stands in single braces: write {plain}")
    if any(not name.strip() for name in _PLACEHOLDER.findall(value)):
        raise ValueError("{} names no label: write for example {alertname}")
    rest = _PLACEHOLDER.sub("", value)
    if "{" in rest or "}" in rest:
        what = "a { that is never closed" if "{" in rest else "a } that closes nothing"
        raise ValueError(f"the title has {what}: write a label as {{alertname}}")
    return value


Title = Annotated[str, StringConstraints(min_length=1, max_length=256), AfterValidator(_placeholders)]
"""Discord shows at most 256 characters."""


class RouteOptions(Model):
    """What a route says about timing and grouping; each unset option is inherited, in the end from `defaults`."""

    channel: Name | None = None
    """Channel that hears."""
    group_by: tuple[LabelName, ...] | None = Field(default=None, examples=[["alertname"], ["alertname", "namespace"]])
    """Alerts with equal values of these labels share one message. `["..."]`: each alert by itself."""
    hold: Hold | None = Field(default=None, examples=["60s", {"default": "60s", "critical": "0s"}])
    """How long an alert must live before anyone is told; alerts that resolve earlier are never posted. One duration
    is for all severities but critical, which waits only where `critical` is written."""
    group_wait: Duration | None = None
    """How long Alertmanager gathers a new group before its first notification. Default: follows from the hold."""
    group_interval: PositiveDuration | None = None
    """How often Alertmanager looks at a group for changes. Default: follows from the hold."""
    repeat_interval: PositiveDuration | None = None
    """How soon Alertmanager repeats an unchanged notification."""
    title: Title | None = Field(default=None, examples=["{alertname} in {namespace}"])
    """Title of the message; `{label}` stands for a label the alerts are grouped by."""


class Route(RouteOptions, Selector):
    """One route: matchers to a channel. Routes are tried in order; the first match wins unless `continue`."""

    name: Name
    """Name of the route."""
    continue_: StrictBool = Field(default=False, alias="continue")
    """Whether later routes are tried as well."""
    mute: Annotated[tuple[Name, ...], Unique] = ()
    """Maintenance windows during which this route is silent (besides those that name the route themselves)."""
    routes: "tuple[Route, ...]" = ()
    """More specific routes inside this one, tried before it."""


class Defaults(RouteOptions):
    """Where everything goes that no route matches, and what routes inherit."""

    channel: Name
    group_by: tuple[LabelName, ...] = ("alertname", "namespace")
    hold: Hold = Field(default={"default": timedelta(seconds=60), "critical": timedelta(0)})
    repeat_interval: PositiveDuration = timedelta(hours=12)

    def hold_for(self, severity: str) -> timedelta:
        """The hold of a severity when no route says otherwise."""
        return hold_for(self.hold, severity)


def hold_for(hold: dict[Literal["default", "critical", "warning", "info"], timedelta], severity: str) -> timedelta:
    """The hold for a severity: its own entry, else ``default`` (60 s). Critical never waits unless told to."""
    by_severity: dict[str, timedelta] = {str(key): value for key, value in hold.items()}
    usual = timedelta(0) if severity == "critical" else by_severity.get("default", timedelta(seconds=60))
    return by_severity.get(severity, usual)


class InhibitRule(Model):
    """While `source` fires, `target` is not notified, for alerts whose `equal` labels agree."""

    source: Selector
    """Alerts that silence others while they fire."""
    target: Selector
    """Alerts that are silenced."""
    equal: Annotated[tuple[LabelName, ...], Unique] = ()
    """Labels that must be equal on both; empty: none."""


class Dependency(Model):
    """A thing that can fall, what it depends on, and which alerts speak of it."""

    on: Annotated[tuple[Name, ...], Unique] = ()
    """The things it depends on: when one of them falls, this falls too."""
    description: str = ""
    """What it is; shown on the monitoring page."""
    match: Match = Field(default_factory=dict)
    """The alerts about this thing; silenced while something it depends on is down."""
    down: Annotated[Match, Field(min_length=1)] = Field(default_factory=dict)
    """The alerts that say it is down. Default: those of `match` with severity critical."""


Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
ClockTime = Annotated[
    str,
    StringConstraints(pattern=r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$"),
]


def _no_number(value: object) -> object:
    if isinstance(value, (int, float)):
        raise ValueError('not a day and time: write local time without offset, such as "2026-12-01T20:00"')
    return value


LocalTime = Annotated[
    datetime,
    BeforeValidator(_no_number),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^\d{4}-\d{2}-\d{2}([Tt _]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?)?$",
            "examples": ["2026-12-01T20:00"],
        }
    ),
]
"""A day and a time without offset."""


class Maintenance(Model):
    """A window in which alerts are not notified: weekly (`weekdays`, `from`, `to`) or once (`start`, `end`)."""

    name: Name
    """Name of the window."""
    title: str = ""
    """What the status page calls it; default: its name."""
    description: str = ""
    """Why it is quiet; shown on the monitoring page, and on the status page where the window is public."""
    weekdays: Annotated[tuple[Weekday, ...], Unique] = ()
    """Days of a weekly window; empty: every day."""
    from_: ClockTime | None = Field(default=None, alias="from", examples=["03:00"])
    """Start of a weekly window, local time."""
    to: ClockTime | None = Field(default=None, examples=["05:00"])
    """End of a weekly window (exclusive); earlier than `from` means the next day."""
    start: LocalTime | None = Field(default=None, examples=["2026-12-01T20:00"])
    """Start of a window that happens once, local time in `timezone`, without offset."""
    end: LocalTime | None = None
    """End of a window that happens once (exclusive)."""
    timezone: str = Field(default="UTC", examples=["Europe/London"])
    """IANA time zone of all times here."""
    routes: Annotated[tuple[Name, ...], Unique] = ()
    """Routes that are silent. Without routes and components: all of them."""
    components: Annotated[tuple[Name, ...], Unique] = ()
    """Heartbeats and probes that the outpost goes on measuring, but does not tell of until the window is over. Without
    routes and components: all of them."""
    public: StrictBool = False
    """Whether the status page announces it, and does not count it as downtime of its components."""

    @property
    def everything(self) -> bool:
        """Whether nothing is told at all."""
        return not self.routes and not self.components

    def names(self, component: str) -> bool:
        """Whether a heartbeat or probe of the outpost is in it."""
        return self.everything or component in self.components

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        weekly, once = self.from_ is not None or self.to is not None, self.start is not None or self.end is not None
        if weekly == once:
            raise ValueError("a window is either weekly or happens once: write from and to, or start and end")
        if (self.from_ is None) != (self.to is None) or (self.start is None) != (self.end is None):
            raise ValueError("a window needs both its start and its end: write the one that is missing")
        if weekly and (self.from_ == self.to or (self.from_, self.to) == ("24:00", "00:00")):
            raise ValueError("the window is empty, as from and to are equal: write 00:00 and 24:00 for a whole day")
        if self.start and self.end:
            if self.start.tzinfo or self.end.tzinfo:
                raise ValueError("times carry no offset: write local time and name the `timezone`")
            if self.start.second or self.end.second or self.start.microsecond or self.end.microsecond:
                raise ValueError("times go to the minute: write them without seconds")
            if not self.start < self.end:
                raise ValueError("the window ends before it starts: write the earlier time as start")
            if self.end - self.start > timedelta(days=31):
                raise ValueError("a window that happens once lasts at most 31 days: write several, one after the other")
        if once and self.weekdays:
            raise ValueError("weekdays belong to a weekly window: remove them, or write from and to")
        return self
