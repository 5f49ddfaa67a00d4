"""odd-duration: a length of time under which something cannot work, or that nobody means."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from homelabmon.checks.support.check import Check, Problem
from homelabmon.checks.support.context import Context
from homelabmon.spec.base import format_duration
from homelabmon.spec.findings import Path, Severity

_STALE: Final = timedelta(minutes=5)
"""Prometheus' query.lookback-delta: a series without a sample for this long is gone."""
_SECOND, _MINUTE, _DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)
_BLOCK: Final = timedelta(hours=2)
_SILENCE: Final = timedelta(minutes=2)


def _find(context: Context) -> Iterator[Problem]:
    yield from _scraping(context)
    yield from _waiting(context)
    stack = context.stack
    if stack.outpost is not None and stack.outpost.silence < _SILENCE:
        message = (
            f"the Watchdog speaks once a minute, and {_shown(stack.outpost.silence)} without it is to be an outage"
        )
        yield Problem(("outpost", "silence"), message, "write 2m or more; 5m is usual")
    prometheus = stack.components.prometheus
    if prometheus is not None and prometheus.retention < _BLOCK:
        message = f"Prometheus writes blocks of two hours, and is to keep {_shown(prometheus.retention)}"
        yield Problem(("components", "prometheus", "retention"), message, "write 2h or more; 30d is usual")
    for number, beat in enumerate(stack.heartbeats):
        if beat.period is not None and beat.period < _MINUTE:
            message = f"{beat.name!r} is expected every {_shown(beat.period)}: heartbeats are looked at once a minute"
            yield Problem(("heartbeats", number, "period"), message, "write 1m or more")
    for key in ("interval", "retry_interval", "timeout"):
        value = getattr(stack.cluster.flux, key)
        if value < _SECOND:
            message = f"Flux is told whole seconds, and {_shown(value)} is none"
            yield Problem(("cluster", "flux", key), message, "write a minute or more", Severity.ERROR)


def _shown(value: timedelta) -> str:
    return format_duration(value)


def _scraping(context: Context) -> Iterator[Problem]:
    stack = context.stack
    asked: list[tuple[Path, timedelta]] = [
        (("scrape", number, "interval"), item.interval) for number, item in enumerate(stack.scrape)
    ]
    asked += [
        (("probes", number, "interval"), probe.interval)
        for number, probe in enumerate(stack.probes)
        if probe.from_ != "outpost"
    ]
    if stack.components.prometheus is not None:
        asked.append((("components", "prometheus", "scrape_interval"), stack.components.prometheus.scrape_interval))
    for path, interval in asked:
        if interval >= _STALE:
            message = f"Prometheus forgets a series after 5m, and asks here every {_shown(interval)} only"
            yield Problem(path, message, "write 2m or less, or alerts come and go with each scrape")
        elif interval < _SECOND:
            yield Problem(path, f"every {_shown(interval)} is more often than anything can answer", "write 1s or more")


def _waiting(context: Context) -> Iterator[Problem]:
    for place in context.routes:
        for severity, hold in (place.own.hold or {}).items():
            if hold > _DAY:
                message = f"{place.label}: nobody hears of an alert before it is {_shown(hold)} old ({severity})"
                yield Problem((*place.path, "hold"), message, "write a day or less; 60s is usual")
        wait = place.own.group_wait
        if wait is not None and wait > _DAY:
            message = f"{place.label}: nobody hears of a new group before {_shown(wait)}"
            yield Problem((*place.path, "group_wait"), message, "remove it: it follows from the hold")
    for number, alert in enumerate(context.stack.alerts):
        if alert.for_ > 30 * _DAY:
            message = f"{alert.alert} fires only after {_shown(alert.for_)}"
            yield Problem(("alerts", number, "for"), message, "write 30d or less, or say it in the expression")


CHECK = Check(
    "odd-duration",
    Severity.WARNING,
    "A length of time under which something cannot work, or that nobody means.",
    _find,
)
