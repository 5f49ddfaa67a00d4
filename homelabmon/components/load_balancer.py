"""The address pool and its announcement, for the providers that take objects (MetalLB, Cilium), and their metrics."""

from __future__ import annotations

import ipaddress
from typing import Any, ClassVar

from homelabmon.spec import names
from homelabmon.spec.contribution import (
    METRICS_CRDS,
    App,
    ComponentConfig,
    Contribution,
    Manifest,
    Offer,
    Site,
    Template,
)

APP = "load-balancer-pool"
_JOBS = {"metallb": names.JOB_METALLB, "cilium": names.JOB_CILIUM_OPERATOR}


class LoadBalancerPool:
    """Contributes the pool objects, when there is a pool to manage, and the monitor of the provider's metrics."""

    name: ClassVar[str] = "load-balancer"
    config: ClassVar[type[ComponentConfig] | None] = None

    def offers(self, config: None, site: Site) -> tuple[Offer, ...]:
        """Nothing: addresses reach Services by annotation."""
        return ()

    def contribute(self, config: None, site: Site) -> Contribution:
        """An IPAddressPool and L2Advertisement, or Cilium's pool and announcement policy; a PodMonitor."""
        balancer = site.cluster.load_balancer
        metrics = _metrics(site)
        if not balancer.pool or not balancer.manage_pool or balancer.provider not in ("metallb", "cilium"):
            return Contribution(manifests=metrics)
        params = {"balancer": balancer, "blocks": [_block(entry) for entry in balancer.pool]}
        metallb = balancer.provider == "metallb"
        template = Template(f"load-balancer/{balancer.provider}.yaml.j2", params)
        return Contribution(
            # MetalLB's namespace and controller are not ours: neither made nor labelled here.
            apps=(App(APP, balancer.namespace if metallb else ""),),
            manifests=(Manifest(APP, f"{balancer.provider}.yaml", template), *metrics),
        )


def _metrics(site: Site) -> tuple[Manifest, ...]:
    balancer, crds = site.cluster.load_balancer, site.offer(METRICS_CRDS)
    if crds is None or balancer.metrics_are != "scrape":
        return ()
    params = {
        "balancer": balancer,
        "namespace": crds.namespace,
        "job": _JOBS[balancer.provider],
        "account": names.METRICS_READER,
    }
    template = Template(f"load-balancer/{balancer.provider}-metrics.yaml.j2", params)
    return (Manifest(crds.app, f"{balancer.provider}.yaml", template),)


def _block(entry: str) -> dict[str, Any]:
    """A pool entry as Cilium writes it. A CIDR becomes start and stop: its first and last address may be reserved."""
    if "-" in entry:
        start, stop = (part.strip() for part in entry.split("-", 1))
        return {"start": start, "stop": stop}
    try:
        network = ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return {"cidr": entry}
    return {"start": str(network[0]), "stop": str(network[-1])}


LOAD_BALANCER = LoadBalancerPool()
