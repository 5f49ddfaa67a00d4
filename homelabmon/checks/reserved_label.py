"""reserved-label: a label of a target or an own alert that means something else to Prometheus or to the relay."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from homelabmon.checks.support.check import Check, Problem
from homelabmon.checks.support.context import Context
from homelabmon.spec import names
from homelabmon.spec.contribution import ALERTS_PEOPLE
from homelabmon.spec.findings import Path, Severity
from homelabmon.spec.watch import Scrape

_SOURCES: Final = frozenset({"falco", "flux", "heartbeat", "probe", "outpost"})
_ABOUT_THE_RELAY: Final = ("homelabmon_", names.RELAY_NAME)


def _find(context: Context) -> Iterator[Problem]:
    for number, item in enumerate(context.stack.scrape):
        yield from _of_target(item, ("scrape", number, "labels"))
    relayed = context.offers(ALERTS_PEOPLE)
    for number, alert in enumerate(context.stack.alerts):
        path: Path = ("alerts", number, "labels")
        source = alert.labels.get(names.LABEL_SOURCE)
        if source in _SOURCES:
            message = f"{alert.alert}: source: {source} is what the relay writes on what comes from {source} itself"
            fix = "choose another value: the two could not be told apart"
            yield Problem((*path, names.LABEL_SOURCE), message, fix)
        about_it = any(word in alert.expr for word in _ABOUT_THE_RELAY)
        if relayed and alert.labels.get(names.LABEL_COMPONENT) == "relay" and not about_it:
            message = (
                f"{alert.alert}: alerts with component: relay are taken to be about the relay, and go past it and past "
                "your routes, straight to one channel"
            )
            yield Problem((*path, names.LABEL_COMPONENT), message, "choose another label or value")


def _of_target(item: Scrape, path: Path) -> Iterator[Problem]:
    job, instance = item.labels.get("job"), item.labels.get("instance")
    if job is not None and job != item.name:
        message = f"the series' job is the target's name, {item.name!r}; this label makes it {job!r}"
        yield Problem((*path, "job"), message, "remove the label, or rename the target")
    if instance is not None and len(item.targets) > 1:
        message = f"all {len(item.targets)} targets get the instance {instance!r}: Prometheus takes them for one"
        fix = "remove the label, or write one entry for each target"
        yield Problem((*path, "instance"), message, fix, Severity.ERROR)
    for label in (names.LABEL_ALERTNAME, names.LABEL_SEVERITY):
        if label in item.labels:
            message = f"the label {label} of a series is lost: each alert brings its own"
            yield Problem((*path, label), message, "choose another label", on_key=True)


CHECK = Check(
    "reserved-label",
    Severity.WARNING,
    "A target or an own alert sets a label that means something else to Prometheus or to the relay.",
    _find,
)
