"""control-plane: metrics of the control plane that are said to be exposed, but that nothing can scrape."""

from __future__ import annotations

from collections.abc import Iterator

from homelabmon.checks.support.check import Check, Problem
from homelabmon.checks.support.context import Context
from homelabmon.spec.findings import Severity


def _find(context: Context) -> Iterator[Problem]:
    cluster = context.stack.cluster
    plane = cluster.control_plane
    if context.stack.components.prometheus is None:
        return
    if plane.metrics == "exposed" and cluster.distribution in ("k3s", "rke2") and not plane.endpoints:
        message = (
            f"the control plane's metrics are exposed, but {cluster.distribution} has no pods to find them by: "
            "KubeSchedulerDown and KubeControllerManagerDown would fire for ever"
        )
        fix = "add `endpoints:` with the addresses of the control-plane nodes, or write metrics: hidden"
        yield Problem(("cluster", "control_plane", "metrics"), message, fix)
    if plane.metrics == "hidden" and plane.endpoints:
        message = "endpoints are given, but metrics is hidden: nothing is scraped there"
        fix = "write metrics: exposed, or remove the endpoints"
        yield Problem(("cluster", "control_plane", "endpoints"), message, fix, Severity.WARNING, on_key=True)


CHECK = Check(
    "control-plane",
    Severity.ERROR,
    "The control plane's metrics are exposed but cannot be found, or the other way round.",
    _find,
    whole=True,
)
