"""lb-ip-without-service: an address for something that is not installed, or with nobody to hand addresses out."""

from __future__ import annotations

from collections.abc import Iterator

from homelabmon.checks.support.check import Check, Problem
from homelabmon.checks.support.context import Context
from homelabmon.spec.contribution import LB_ANNOTATIONS, LOGS_PUSH
from homelabmon.spec.findings import Severity


def _find(context: Context) -> Iterator[Problem]:
    provider = context.stack.cluster.load_balancer.provider
    if context.stack.lb_ips and provider not in LB_ANNOTATIONS:
        message = f"cluster.load_balancer.provider is {provider}: nobody gives these addresses to Services"
        fix = "write provider: metallb, cilium or kube-vip, or remove lb_ips"
        yield Problem(("lb_ips",), message, fix, Severity.ERROR, on_key=True)
        return
    for name, address in context.stack.lb_ips.items():
        if reason := _why_not(context, name):
            yield Problem(("lb_ips", name), f"{address} is never used: {reason[0]}", reason[1], on_key=True)


def _why_not(context: Context, name: str) -> tuple[str, str] | None:
    components = context.stack.components
    if getattr(components, name) is None and not context.says("components", name):
        return f"the component {name} is not installed", f"add `{name}: {{}}` to components, or remove the address"
    if name == "alertmanager" and components.alertmanager is not None and not components.alertmanager.install:
        return "components.alertmanager.install is false", "remove the address"
    if name == "vector" and not context.offers(LOGS_PUSH) and not context.says("components", "loki"):
        return "without a log store Vector takes no logs from outside", "add `loki: {}` to components"
    return None


CHECK = Check(
    "lb-ip-without-service",
    Severity.WARNING,
    "An address is given to a component that is not installed, or no provider hands addresses out.",
    _find,
)
