"""What is there: components, addresses, and the picture of it all."""

from __future__ import annotations

from typing import Final

from homelabmon.render.fold import Folded
from homelabmon.render.graph import graph
from homelabmon.render.page.markdown import blocks, code, fenced, link, listed, plain, table
from homelabmon.spec import names
from homelabmon.spec.contribution import ALERTMANAGER, ALERTS_PEOPLE, LB_ANNOTATIONS, LOGS_INTAKE, LOGS_PUSH, METRICS
from homelabmon.stack import Stack


def table_of_components(stack: Stack, folded: Folded) -> list[str]:
    """Every component, led by the chart that several of them come with."""
    rows = [(plain(row.component), plain(row.where), plain(row.notes)) for row in folded.docs]
    release, parts = folded.releases.get(names.KPS_RELEASE), _parts_of_the_chart(stack)
    if release is not None and parts:
        rows.insert(0, (names.KPS_RELEASE, f"namespace {plain(release.namespace)}", ", ".join(parts)))
    return table(("Component", "Where", "Notes"), rows)


def _parts_of_the_chart(stack: Stack) -> list[str]:
    """What the one chart kube-prometheus-stack installs here."""
    on, parts = stack.components, []
    if on.prometheus is not None:
        parts.append("Prometheus")
    if on.alertmanager is not None and on.alertmanager.install:
        replicas = on.alertmanager.replicas
        parts.append(f"Alertmanager ({f'HA, {replicas} replicas' if replicas > 1 else '1 replica'})")
    if on.grafana is not None:
        parts.append("Grafana")
    if on.prometheus is not None:
        parts += ["kube-state-metrics", "prometheus-operator"]
    return parts


_SERVICES: Final = {
    "grafana": ("Grafana", None),
    "prometheus": ("Prometheus", METRICS),
    "loki": ("Loki", LOGS_PUSH),
    "vector": ("Vector aggregator", LOGS_INTAKE),
    "alertmanager": ("Alertmanager", ALERTMANAGER),
    "relay": ("Discord proxy (relay)", ALERTS_PEOPLE),
}
"""Service in ``lb_ips`` to its title, and the offer that knows its port (none: port 80)."""
_FOR_BROWSERS: Final = frozenset({"grafana", "prometheus", "alertmanager"})
_PROVIDERS: Final = {"metallb": "MetalLB", "cilium": "Cilium"}


def addresses(stack: Stack, folded: Folded) -> list[str]:
    """The fixed LoadBalancer addresses."""
    balancer = stack.cluster.load_balancer
    if balancer.provider not in LB_ANNOTATIONS or not stack.lb_ips:
        return []
    rows = [(_SERVICES[name][0], plain(address), _reached_at(name, folded)) for name, address in stack.lb_ips.items()]
    provider = _PROVIDERS.get(balancer.provider, balancer.provider)
    pool = f" from {listed([code(part) for part in balancer.pool])}" if balancer.pool else ""
    return blocks(table(("Service", "LB IP", "Reach it at"), rows), [f"{provider} hands them out{pool}."])


def _reached_at(name: str, folded: Folded) -> str:
    capability = _SERVICES[name][1]
    offer = None if capability is None else folded.site.offer(capability)
    if capability is not None and offer is None:
        return "not installed"
    address = folded.site.lan_url(name, 80 if offer is None else offer.port) or ""
    return link(plain(address), address) if name in _FOR_BROWSERS else code(address.removeprefix("http://"))


def picture(stack: Stack, folded: Folded) -> list[str]:
    """Everything in one picture, but for what falls with what, which has its own."""
    if not folded.nodes:
        return []
    text = graph(stack.model_copy(update={"depends_on": {}}), folded)
    legend = "Thick arrows carry alerts, thin ones logs, dotted ones metrics and probes."
    return blocks(fenced("mermaid", text), [legend])
