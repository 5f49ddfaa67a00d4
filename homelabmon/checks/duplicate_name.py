"""duplicate-name: two things share a name that others tell them apart by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from homelabmon.checks.support.check import Check, Problem
from homelabmon.checks.support.context import Context
from homelabmon.components.blackbox import object_name
from homelabmon.spec.findings import Path, Severity, format_path
from homelabmon.spec.watch import Heartbeat, Probe


def _find(context: Context) -> Iterator[Problem]:
    stack = context.stack
    yield from _twice("route", ((p.path, p.route.name) for p in context.routes if p.route is not None), "name")
    for section, noun in (("maintenance", "maintenance window"), ("scrape", "scrape target")):
        yield from _twice(noun, _listed(section, getattr(stack, section)), "name")
    # One namespace: the status page, metrics and pings address both by name.
    watched = (*_listed("heartbeats", stack.heartbeats), *_listed("probes", stack.probes))
    yield from _twice("heartbeat or probe", watched, "name")
    yield from _same_object(stack.probes)
    yield from _same_cronjob(stack.heartbeats)
    if stack.status_page is not None:
        groups = (
            (("status_page", "groups", number), group.name) for number, group in enumerate(stack.status_page.groups)
        )
        yield from _twice("group of the status page", groups, "name")
    yield from _extra(context)
    if not context.partial:
        yield from _alerts(context)


def _listed(section: str, items: Iterable[Any]) -> Iterator[tuple[Path, str]]:
    for number, item in enumerate(items):
        yield (section, number), item.name


def _twice(noun: str, named: Iterable[tuple[Path, str]], key: str) -> Iterator[Problem]:
    seen: dict[str, Path] = {}
    for path, name in named:
        first = seen.setdefault(name, path)
        if first is not path:
            yield Problem(
                (*path, key), f"there is a {noun} {name!r} already ({format_path(first)})", "rename one of them"
            )


def _same_object(probes: Iterable[Probe]) -> Iterator[Problem]:
    """Probes that the cluster asks become objects, in whose names an underscore is a dash."""
    seen: dict[str, tuple[int, str]] = {}
    for number, probe in enumerate(probes):
        if probe.from_ == "outpost":
            continue
        first, name = seen.setdefault(object_name(probe), (number, probe.name))
        if name != probe.name:
            message = (
                f"{probe.name!r} and {name!r} (probes[{first}]) are one object in Kubernetes, {object_name(probe)!r}: "
                "an underscore is a dash there"
            )
            yield Problem(("probes", number, "name"), message, "rename one of them")


def _same_cronjob(heartbeats: Iterable[Heartbeat]) -> Iterator[Problem]:
    """Two heartbeats of one CronJob: whenever it does not run, two alerts say so."""
    seen: dict[str, int] = {}
    for number, beat in enumerate(heartbeats):
        first = number if beat.cronjob is None else seen.setdefault(beat.cronjob, number)
        if first != number:
            message = f"the CronJob {beat.cronjob} has a heartbeat already (heartbeats[{first}])"
            yield Problem(("heartbeats", number, "cronjob"), message, "keep one of them", Severity.WARNING)


def _extra(context: Context) -> Iterator[Problem]:
    seen: dict[tuple[str, ...], int] = {}
    for number, item in enumerate(context.stack.extra):
        metadata = item.get("metadata")
        if not isinstance(metadata, dict) or not metadata.get("name"):
            continue
        group = str(item.get("apiVersion", "")).rpartition("/")[0]
        parts = (group, str(item.get("kind", "")), str(metadata.get("namespace") or ""), str(metadata["name"]))
        first = seen.setdefault(parts, number)
        if first != number:
            place = "/".join(part for part in parts[2:] if part)
            message = f"the object {parts[1]} {place} stands in extra[{first}] already"
            yield Problem(("extra", number, "metadata", "name"), message, "remove or rename one of them")


def _alerts(context: Context) -> Iterator[Problem]:
    """Prometheus refuses a group with the same alert and labels twice; elsewhere two rules then fire as one alert."""
    seen: dict[tuple[object, ...], tuple[int, str]] = {}
    for number, alert in enumerate(context.stack.alerts):
        path: Path = ("alerts", number, "alert")
        key = (alert.alert, alert.severity, tuple(sorted(alert.labels.items())))
        first, group = seen.setdefault(key, (number, alert.group))
        if first != number:
            message = f"the alert {alert.alert} with these labels is defined already (alerts[{first}])"
            severity = Severity.ERROR if group == alert.group else Severity.WARNING
            yield Problem(path, message, "rename one of them, or give them different labels", severity)
        else:
            yield from _as_shipped(context, alert.alert, path)


def _as_shipped(context: Context, name: str, path: Path) -> Iterator[Problem]:
    pack = context.alerts.packs.get(name)
    if pack is not None:
        message = f"the pack {pack} defines an alert {name} as well: routes cannot tell the two apart"
        yield Problem(
            path, message, f"rename yours, or write packs: {{{pack}: {{disabled: [{name}]}}}}", Severity.WARNING
        )
    elif name in context.alerts.chart:
        message = f"the chart's default rules define an alert {name} as well: routes cannot tell the two apart"
        fix = f"rename yours, or write components: {{prometheus: {{disabled_alerts: [{name}]}}}}"
        yield Problem(path, message, fix, Severity.WARNING)


CHECK = Check(
    "duplicate-name",
    Severity.ERROR,
    "Two routes, windows, heartbeats, probes, scrape targets, alerts or objects share a name.",
    _find,
)
