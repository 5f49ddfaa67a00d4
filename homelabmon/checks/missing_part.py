"""missing-part: something is asked for that needs a component, or a section, which is not there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from homelabmon.checks.support.check import Check, Problem
from homelabmon.checks.support.context import Context
from homelabmon.spec import names
from homelabmon.spec.contribution import (
    ALERTMANAGER,
    ALERTS_PEOPLE,
    DATASOURCE,
    EVENTS_FALCO,
    GUARD,
    LOGS_FORWARD,
    LOGS_INTAKE,
    LOGS_PUSH,
    METRICS,
)
from homelabmon.spec.findings import Path, Severity

_WARNING, _INFO = Severity.WARNING, Severity.INFO
"""A warning for what is probably forgotten, a remark for what somebody may well want like that."""


def _find(context: Context) -> Iterator[Problem]:
    yield from _without_prometheus(context)
    yield from _without_alertmanager(context)
    yield from _without_outpost(context)
    yield from _between_components(context)


def _component(name: str) -> Path:
    return ("components", name)


def _without_prometheus(context: Context) -> Iterator[Problem]:
    if context.offers(METRICS):
        return
    stack, fix = context.stack, "add `prometheus: {}` to components"
    for section, what in (("alerts", "nobody evaluates them"), ("scrape", "nobody scrapes them")):
        if getattr(stack, section):
            yield Problem((section,), f"{section} without the component prometheus: {what}", fix, on_key=True)
    for number, probe in enumerate(stack.probes):
        if probe.from_ in ("cluster", "both"):
            message = f"{probe.name!r} is asked from the cluster, and without the component prometheus nobody asks"
            yield Problem(("probes", number), message, f"{fix}, or write from: outpost")
    for number, beat in enumerate(stack.heartbeats):
        if beat.cronjob is not None:
            message = f"{beat.name!r} is read from kube-state-metrics, which comes with the component prometheus"
            yield Problem(("heartbeats", number, "cronjob"), message, f"{fix}, or let the job ping the outpost")
    if "packs" in stack.model_fields_set:
        yield Problem(
            ("packs",), "packs without the component prometheus: nobody evaluates them", fix, _WARNING, on_key=True
        )


def _without_alertmanager(context: Context) -> Iterator[Problem]:
    stack, components = context.stack, context.stack.components
    if components.alertmanager is None:
        fix = "add `alertmanager: {}` to components"
        if components.prometheus is not None:
            message = "Prometheus without Alertmanager: alerts fire, and nobody is told"
            yield Problem(_component("prometheus"), message, fix, _INFO, on_key=True)
        if stack.routes and not context.offers(ALERTS_PEOPLE):
            message = "routes without Alertmanager and without the relay: nothing is ever routed"
            yield Problem(("routes",), message, fix, on_key=True)
        for section in ("inhibit", "maintenance"):
            if getattr(stack, section):
                message = f"{section} without Alertmanager: nobody heeds it"
                yield Problem((section,), message, fix, _WARNING, on_key=True)
    elif not components.alertmanager.install:
        yield from _alertmanager_of_yours(context)
    elif components.prometheus is None and not _ruler(components.loki):
        message = "Alertmanager without Prometheus: nothing sends it an alert"
        yield Problem(_component("alertmanager"), message, "add `prometheus: {}` to components", _INFO, on_key=True)


def _alertmanager_of_yours(context: Context) -> Iterator[Problem]:
    """With ``install: false``: does everybody know where it is, and can it reach the relay?"""
    manager, relay = context.site.offer(ALERTMANAGER), context.site.offer(ALERTS_PEOPLE)
    path = (*_component("alertmanager"), "install")
    if manager is None:
        who = [name for name, wired in _wired(context) if not wired]
        if who and not context.says("components", "alertmanager", "urls"):
            message = f"your Alertmanager is nowhere named: {' and '.join(who)} cannot reach it"
            yield Problem(path, message, 'name it: `urls: ["http://192.168.1.50:9093"]`', _WARNING)
        return
    outside = [place.host for place in manager.data.get("places", ()) if not place.namespace]
    if outside and relay is not None and not relay.data.get("outside_url"):
        message = f"{outside[0]} is outside the cluster, and the relay has no address there: it hears of no alert"
        fix = "give `lb_ips.relay` an address, or write components.relay.external_url"
        yield Problem((*_component("alertmanager"), "urls"), message, fix)


def _wired(context: Context) -> Iterator[tuple[str, bool]]:
    """Who must reach your Alertmanager, or be reached by it, and whether you have seen to it by other means."""
    prometheus, relay = context.stack.components.prometheus, context.stack.components.relay
    if prometheus is not None:
        yield "prometheus", any(name in str(prometheus.values) for name in _ALERTMANAGERS)
    if relay is not None:
        yield "relay", bool(relay.allow_from)


_ALERTMANAGERS = ("alertingEndpoints", "additionalAlertManagerConfigs")
"""Values of kube-prometheus-stack that name an Alertmanager."""


def _ruler(loki: Any) -> bool:
    return loki is not None and bool(loki.ruler)


def _without_outpost(context: Context) -> Iterator[Problem]:
    stack = context.stack
    if stack.outpost is not None:
        prometheus = stack.components.prometheus
        if prometheus is not None and names.WATCHDOG in prometheus.disabled_alerts:
            message = (
                "the outpost waits for the Watchdog, and here it is switched off: the cluster would always be silent"
            )
            yield Problem((*_component("prometheus"), "disabled_alerts"), message, f"remove {names.WATCHDOG}")
        return
    fix = "add `outpost: {url: https://status.example.net}` (a machine outside the cluster)"
    for number, beat in enumerate(stack.heartbeats):
        if beat.cronjob is None:
            message = f"{beat.name!r} is to ping the outpost, and there is none: nobody notices when it does not run"
            yield Problem(("heartbeats", number), message, f"{fix}, or name its `cronjob` in the cluster")
    for number, probe in enumerate(stack.probes):
        if probe.from_ in ("outpost", "both"):
            message = f"{probe.name!r} is asked from the outpost, and there is none"
            yield Problem(("probes", number, "from"), message, f"{fix}, or write from: cluster")
    if stack.status_page is not None:
        yield Problem(("status_page",), "the status page is served by the outpost, and there is none", fix, on_key=True)
    if stack.components.prometheus is not None and stack.components.alertmanager is not None:
        message = "there is no outpost: when the cluster, its power or its internet is gone, nobody hears of it"
        yield Problem(_component("alertmanager"), message, fix, _INFO, on_key=True)


def _between_components(context: Context) -> Iterator[Problem]:
    components = context.stack.components
    taken = any(context.offers(str(offer.data.get("to"))) for offer in context.site.offered(LOGS_FORWARD))
    if components.vector is not None and not context.offers(LOGS_PUSH):
        message = "Vector without a log store: " + ("only events are shipped" if taken else "it has nowhere to ship to")
        severity = _INFO if taken else None
        yield Problem(_component("vector"), message, "add `loki: {}` to components", severity, on_key=True)
    if components.loki is not None and components.vector is None:
        message = "Loki without Vector: nothing of ours sends it logs"
        yield Problem(_component("loki"), message, "add `vector: {}` to components", _INFO, on_key=True)
    if context.offers(GUARD) and not context.offers(EVENTS_FALCO):
        message = "Falco without the relay: its events stay in its log"
        yield Problem(_component("falco"), message, "add `relay: {}` to components", _INFO, on_key=True)
    if components.falco is not None and components.falco.path == "vector" and not context.offers(LOGS_INTAKE):
        message = "Falco is to ship through Vector, and there is none: it posts its events itself, and may lose some"
        fix = "add `vector: {}` to components, or write path: http"
        yield Problem((*_component("falco"), "path"), message, fix, _WARNING)
    if components.grafana is not None and not context.offers(METRICS) and not context.offers(DATASOURCE):
        message = "Grafana without Prometheus and Loki: it has nothing to show"
        yield Problem(_component("grafana"), message, "add `prometheus: {}` or `loki: {}`", _WARNING, on_key=True)
    if components.relay is not None and components.alertmanager is None and not context.offers(GUARD):
        message = "the relay without Alertmanager and Falco: nothing sends it anything"
        yield Problem(_component("relay"), message, "add `alertmanager: {}` to components", _INFO, on_key=True)
    if _ruler(components.loki) and components.alertmanager is None:
        message = "Loki's ruler without Alertmanager: alerts on logs are told to nobody"
        yield Problem((*_component("loki"), "ruler"), message, "add `alertmanager: {}` to components", _WARNING)


CHECK = Check(
    "missing-part",
    Severity.ERROR,
    "Something needs a component or a section that is not there.",
    _find,
    whole=True,
)
