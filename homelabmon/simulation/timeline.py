"""A timeline: a small YAML file that says what happens when, for ``simulate``.

::

    name: One condition flapping on three nodes
    alerts:
      - {alert: NodeDown, labels: {node: n1}, when: {every: 5m, for: 3m, to: 1h}}
      - {alert: NodeDown, labels: {node: n2}, when: {from: 1m, to: 20m}}

May import: errors, spec, source, wording.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from math import inf
from pathlib import Path
from typing import Annotated, Self, TypeVar

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StrictBool,
    StringConstraints,
    ValidationError,
    model_validator,
)

from homelabmon.errors import HomelabmonError, InputError
from homelabmon.source import parse, shown
from homelabmon.spec.base import Duration, LabelName, Model, OneOrMany, PositiveDuration
from homelabmon.spec.routes import LabelValue

T = TypeVar("T")

USUAL_START = datetime(2026, 1, 5, 12, tzinfo=UTC)
"""A Monday, at noon: when a timeline begins that does not say when."""
MOST_SPANS = 100_000


class When(Model):
    """When a condition holds: once, or again and again. Counted from the beginning."""

    from_: Duration = Field(default=timedelta(0), alias="from")
    """When it begins."""
    to: PositiveDuration | None = None
    """When it is over. Default: it lasts."""
    every: PositiveDuration | None = None
    """It comes back this often, each time for the length of `for`."""
    for_: PositiveDuration | None = Field(default=None, alias="for")
    """How long it holds each time."""

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.to is not None and self.to <= self.from_:
            raise ValueError("it is over before it begins: `to` must be later than `from`")
        if self.every is not None and self.for_ is not None and self.for_ >= self.every:
            raise ValueError("it is never over: `for` must be shorter than `every`")
        if self.every is not None and self.to is None:
            raise ValueError("it never stops to come back: say until when with `to`")
        if self.every is None and self.for_ is not None and self.to is not None:
            raise ValueError("`for` and `to` both say when it is over: write one of them, or `every` as well")
        if self.every is not None and self.to is not None and (self.to - self.from_) / self.every > MOST_SPANS:
            raise ValueError(f"it comes back more than {MOST_SPANS} times: make `every` longer, or `to` earlier")
        return self

    @property
    def last(self) -> float:
        """The last moment that is written, in seconds."""
        if self.to is not None:
            return self.to.total_seconds()
        return (self.from_ + (self.for_ or timedelta(0))).total_seconds()

    def spans(self, length: float) -> Iterator[tuple[float, float]]:
        """When it holds, in seconds from the beginning. What happens once, and has no `for`, is over at once."""
        begin = self.from_.total_seconds()
        end = self.to.total_seconds() if self.to is not None else inf
        if self.every is None:
            yield begin, begin + self.for_.total_seconds() if self.for_ is not None else end
            return
        each, lasts = self.every.total_seconds(), (self.for_ or timedelta(0)).total_seconds()
        number = 0
        while (at := begin + number * each) < min(end, length):
            yield at, min(at + lasts, end)
            number += 1


def _one_or_many(value: object) -> object:
    return [value] if isinstance(value, dict) else value


def _some(value: tuple[T, ...]) -> tuple[T, ...]:
    if not value:
        raise ValueError("nothing is in it: write at least one")
    return value


class Happening(Model):
    """One alert, and when its condition holds; or an event, and when it happens."""

    alert: str = ""
    """Name of the alert; also of a heartbeat or a probe, and of Falco's rule where `labels` say `source: falco`."""
    labels: dict[LabelName, LabelValue] = Field(default_factory=dict)
    """Labels that are not already given by its rule."""
    when: Annotated[tuple[When, ...], BeforeValidator(_one_or_many), AfterValidator(_some), OneOrMany()]
    """When its condition holds, as Prometheus finds it; once or several times."""
    for_: Duration | None = Field(default=None, alias="for")
    """How long the condition must hold. Default: what its rule says."""
    fires: StrictBool = False
    """`when` says when the alert fires, to the moment: its rule's `for` and interval do not matter."""
    unknown: StrictBool = False
    """No rule here defines it: take it by its labels."""


class Timeline(Model):
    """What happens when."""

    name: Annotated[str, StringConstraints(max_length=200)] = ""
    """What it is about."""
    start: datetime | None = Field(default=None, examples=["2026-12-01T20:00:00Z"])
    """When it begins, for maintenance windows. Default: on a Monday at noon (UTC)."""
    length: PositiveDuration | None = None
    """How long it is looked at. Default: until half an hour after the last change."""
    alerts: Annotated[tuple[Happening, ...], AfterValidator(_some)]
    """What happens."""

    @property
    def starts_at(self) -> float:
        """When it begins, in seconds since the epoch."""
        start = self.start or USUAL_START
        return (start if start.tzinfo is not None else start.replace(tzinfo=UTC)).timestamp()


_FIX = "write what happens, such as `alerts: [{alert: NodeDown, labels: {node: n1}, when: {from: 0s, to: 10m}}]`"


def read_timeline(path: Path) -> Timeline:
    """The timeline of a file. Raises InputError with every finding, HomelabmonError when it cannot be opened."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise HomelabmonError(f"{path}: no such file; name a timeline, or use --test or --history") from None
    except OSError as error:
        raise HomelabmonError(f"{path}: cannot be read: {error.strerror}") from None
    source = parse(raw, shown(path), _FIX)
    try:
        return Timeline.model_validate(source.data, by_alias=True, by_name=False)
    except ValidationError as error:
        from homelabmon.wording import findings_of

        raise InputError(findings_of(error, source, Timeline)) from None
