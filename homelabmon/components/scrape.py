"""The owner's own scrape targets: apps in the cluster by Service or by pod, and hosts outside it."""

from __future__ import annotations

from typing import Any, ClassVar

from homelabmon.spec.contribution import (
    METRICS_CRDS,
    ComponentConfig,
    Contribution,
    Edge,
    Manifest,
    Node,
    Offer,
    SecretNeed,
    Site,
    Template,
)
from homelabmon.spec.watch import Scrape


class ScrapeTargets:
    """Contributes one ServiceMonitor, PodMonitor or ScrapeConfig for each entry of ``scrape:``."""

    name: ClassVar[str] = "scrape"
    config: ClassVar[type[ComponentConfig] | None] = None

    def offers(self, config: None, site: Site) -> tuple[Offer, ...]:
        """Nothing."""
        return ()

    def contribute(self, config: None, site: Site) -> Contribution:
        """One object for each entry; nothing when nobody scrapes."""
        crds = site.offer(METRICS_CRDS)
        if crds is None or not site.scrape:
            return Contribution()
        return Contribution(
            manifests=tuple(
                Manifest(crds.app, f"scrape-{item.name}.yaml", Template(_template(item), _params(item, crds.namespace)))
                for item in site.scrape
            ),
            # Prometheus reads the token's Secret from the namespace of the object that names it.
            secrets=tuple(
                SecretNeed(crds.namespace, item.bearer_token.secret, item.bearer_token.key, "Prometheus")
                for item in site.scrape
                if item.bearer_token is not None
            ),
            nodes=tuple(Node(f"scrape-{item.name}", item.name, "thing") for item in site.scrape),
            edges=tuple(Edge(f"scrape-{item.name}", "prometheus", "metrics") for item in site.scrape),
        )


def _template(item: Scrape) -> str:
    if item.service is not None:
        return "scrape/servicemonitor.yaml.j2"
    return "scrape/podmonitor.yaml.j2" if item.pods is not None else "scrape/scrapeconfig.yaml.j2"


def _params(item: Scrape, namespace: str) -> dict[str, Any]:
    target = item.service or item.pods
    return {
        "item": item,
        "namespace": namespace,
        "target": target,
        # A port's name holds a letter, so a number cannot be meant as one.
        "port_number": int(target.port) if target is not None and target.port.isdigit() else None,
    }


SCRAPE = ScrapeTargets()
