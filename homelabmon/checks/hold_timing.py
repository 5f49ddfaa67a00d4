"""hold-timing: timings under which a hold cannot work, or that Alertmanager rounds to something else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from homelabmon.checks.support.check import Check, Problem
from homelabmon.checks.support.context import Context
from homelabmon.checks.support.routes import RoutePlace, timings
from homelabmon.components.alertmanager_config import relay_interval
from homelabmon.spec.base import format_duration
from homelabmon.spec.contribution import ALERTS_PEOPLE
from homelabmon.spec.findings import Severity
from homelabmon.spec.routes import hold_for

_TIMINGS = ("hold", "group_wait", "group_interval", "repeat_interval")
_SEVERITIES = ("critical", "warning", "info")


def _find(context: Context) -> Iterator[Problem]:
    relayed = context.offers(ALERTS_PEOPLE)
    if context.stack.components.alertmanager is None:
        return
    for place in context.routes:
        if any(getattr(place.own, name) is not None for name in _TIMINGS):
            yield from _interval(place, relayed)
            yield from _wait(place, relayed)
            yield from _repeat(place, relayed)
            yield from _urgency(place)


def _shortest_hold(place: RoutePlace) -> timedelta | None:
    """The shortest hold that holds anything."""
    holds = [hold for severity in _SEVERITIES if (hold := hold_for(place.options["hold"], severity)) > timedelta(0)]
    return min(holds, default=None)


def _interval(place: RoutePlace, relayed: bool) -> Iterator[Problem]:
    hold = _shortest_hold(place)
    _, interval, _ = timings(place.options, relayed)
    if not relayed or hold is None or interval <= hold:
        return
    path, shown = (*place.path, _nearest(place, "group_interval", "hold")), format_duration(interval)
    told = f"{place.label}: Alertmanager looks at a group every {shown}"
    if place.options["group_interval"] is None:
        message = f"{told} at the soonest, so a hold of {format_duration(hold)} cannot be kept"
        yield Problem(path, message, f"write a hold of {shown} or more, or 0s for none")
    else:
        message = f"{told}, so an alert to be told after {format_duration(hold)} may take {shown} to be heard of at all"
        fix = f"remove group_interval (it follows from the hold), or write {format_duration(relay_interval(hold))}"
        yield Problem(path, message, fix)


def _wait(place: RoutePlace, relayed: bool) -> Iterator[Problem]:
    hold, wait = _shortest_hold(place), place.options["group_wait"]
    if wait is None or hold is None:
        return
    path = (*place.path, _nearest(place, "group_wait", "hold"))
    said = f"{place.label}: group_wait is {format_duration(wait)}, the hold {format_duration(hold)}"
    if relayed and wait > hold:
        message = f"{said}: nobody hears of a new group before {format_duration(wait)}"
        yield Problem(path, message, "remove group_wait: it follows from the hold")
    elif not relayed and wait < hold:
        message = f"{said}: without the relay only group_wait holds anything back"
        yield Problem(path, message, "remove group_wait: it is then the hold, or add the component relay")


def _repeat(place: RoutePlace, relayed: bool) -> Iterator[Problem]:
    _, interval, repeat = timings(place.options, relayed)
    if repeat < interval:
        shown = format_duration(interval)
        message = (
            f"{place.label}: repeat_interval {format_duration(repeat)} is shorter than group_interval {shown}: "
            f"Alertmanager repeats every {shown} at the soonest"
        )
        path = (*place.path, _nearest(place, "repeat_interval", "group_interval"))
        yield Problem(path, message, f"write a repeat_interval of {shown} or more; 12h is usual")


def _urgency(place: RoutePlace) -> Iterator[Problem]:
    if place.own.hold is None:
        return
    critical, usual = (hold_for(place.own.hold, severity) for severity in ("critical", "warning"))
    if critical > usual:
        message = f"{place.label}: critical alerts wait {format_duration(critical)}, warnings {format_duration(usual)}"
        yield Problem(
            (*place.path, "hold"), message, "critical alerts should not wait longer than others: write critical: 0s"
        )


def _nearest(place: RoutePlace, *options: str) -> str:
    """Which of the options to point at: the first that the route writes itself."""
    return next((name for name in options if getattr(place.own, name) is not None), options[0])


CHECK = Check(
    "hold-timing",
    Severity.WARNING,
    "Timings that make a hold impossible, or that Alertmanager does not keep to.",
    _find,
    whole=True,
)
