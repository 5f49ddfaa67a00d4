"""lb-ip-outside-pool: an address that the pool does not hold, so that no Service will ever get it."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from homelabmon.checks.support.check import Check, Problem
from homelabmon.checks.support.context import Context
from homelabmon.spec.findings import Severity


def _find(context: Context) -> Iterator[Problem]:
    balancer = context.stack.cluster.load_balancer
    if not context.pool or len(context.pool) < len(balancer.pool):
        return
    # Somebody else may own further pools, and kube-vip announces whatever it is told.
    ours = balancer.manage_pool and balancer.provider in ("metallb", "cilium")
    for name, address in context.stack.lb_ips.items():
        if not any(block.holds(ipaddress.ip_address(address)) for block in context.pool):
            shown = ", ".join(block.text for block in context.pool)
            message = f"{address} is not in the pool ({shown})"
            fix = "take an address from the pool, or widen cluster.load_balancer.pool"
            yield Problem(("lb_ips", name), message, fix, None if ours else Severity.WARNING)


CHECK = Check(
    "lb-ip-outside-pool",
    Severity.ERROR,
    "A fixed address lies outside the load balancer's pool: the Service stays pending.",
    _find,
    whole=True,
)
