"""Alert rules: the packs that ship with homelabmon, what heartbeats and probes need, and the owner's own alerts."""

from __future__ import annotations

from typing import Any, ClassVar

from homelabmon.components.schedule import longest_gap
from homelabmon.spec import names
from homelabmon.spec.contribution import (
    ALERTS_PEOPLE,
    GUARD,
    LB_ANNOTATIONS,
    LB_SERVICE,
    LOGS_FORWARD,
    LOGS_INTAKE,
    LOGS_PUSH,
    METRICS,
    METRICS_CRDS,
    ComponentConfig,
    Contribution,
    Offer,
    Rules,
    Site,
    Template,
)
from homelabmon.spec.packs import Pack
from homelabmon.spec.watch import Heartbeat, Probe

JOBS = {
    "node_exporter": names.JOB_NODE_EXPORTER,
    "kube_state_metrics": names.JOB_KUBE_STATE_METRICS,
    "kubelet": names.JOB_KUBELET,
    "prometheus": names.JOB_PROMETHEUS,
    "alertmanager": names.JOB_ALERTMANAGER,
    "loki": names.JOB_LOKI,
    "vector_agent": names.JOB_VECTOR_AGENT,
    "vector_aggregator": names.JOB_VECTOR_AGGREGATOR,
    "relay": names.JOB_RELAY,
    "outpost": names.JOB_OUTPOST,
    "blackbox": names.JOB_BLACKBOX,
    "falco": names.JOB_FALCO,
}


class Packs:
    """Contributes rule groups; without Prometheus there is nobody to evaluate them, and nothing is rendered."""

    name: ClassVar[str] = "packs"
    config: ClassVar[type[ComponentConfig] | None] = None

    def offers(self, config: None, site: Site) -> tuple[Offer, ...]:
        """Nothing."""
        return ()

    def contribute(self, config: None, site: Site) -> Contribution:
        """One rules file a pack, and one for the owner's own alerts."""
        if site.offer(METRICS) is None or site.offer(METRICS_CRDS) is None:
            return Contribution()
        rules = [_rules(name, pack, params, site) for name, pack, params in _packs(site) if pack.enabled]
        if site.alerts:
            rules.append(Rules("own", Template("packs/own.yaml.j2", {"groups": own_groups(site)})))
        return Contribution(rules=tuple(rules))


def _rules(name: str, pack: Pack, params: dict[str, Any], site: Site) -> Rules:
    shared = {
        "pack": pack.params(),
        "jobs": JOBS,
        "runbooks": site.runbooks,
    }
    drop = (*pack.disabled, *(unseen(site) if name == "load-balancer" else ()))
    return Rules(name, Template(f"packs/{name}.yaml.j2", {**shared, **params}), drop)


_OF_SPEAKERS = ("LoadBalancerNotAnnounced", "LoadBalancerAnnouncedTwice")
_OF_PROVIDERS = ("AddressPoolNearlyFull", "LoadBalancerBlind")


def unseen(site: Site) -> tuple[str, ...]:
    """Alerts of the pack load-balancer that could never fire here, as nobody scrapes what they look at."""
    balancer = site.cluster.load_balancer
    if balancer.metrics_are == "none":
        return (*_OF_SPEAKERS, *_OF_PROVIDERS)
    return () if balancer.provider == "metallb" else _OF_SPEAKERS


def vector_namespace(site: Site) -> str | None:
    """Where Vector runs; None where it does not, for want of somebody to ship to."""
    vector = site.offer(LOGS_INTAKE)
    store = site.offer(LOGS_PUSH) is not None
    forwards = any(site.offer(offer.data["to"]) is not None for offer in site.offered(LOGS_FORWARD))
    return vector.namespace if vector is not None and (store or forwards) else None


def _packs(site: Site) -> list[tuple[str, Pack, dict[str, Any]]]:
    """Every pack that has something to watch here, with its own parameters."""
    packs = site.packs
    provider = site.cluster.load_balancer.provider
    lb_services = _lb_services(site)
    wanted: list[tuple[str, Pack, dict[str, Any]]] = [
        ("nodes", packs.nodes, {}),
        ("pods", packs.pods, {}),
        ("readiness", packs.readiness, {"lb_services": lb_services}),
    ]
    if provider in LB_ANNOTATIONS:
        wanted.append(("load-balancer", packs.load_balancer, {"lb_provider": provider, "lb_services": lb_services}))
    loki, vector = site.offer(LOGS_PUSH) is not None, vector_namespace(site)
    if loki or vector:
        wanted.append(
            ("logs", packs.logs, {"loki": loki, "vector": vector is not None, "vector_namespace": vector or ""})
        )
    if site.offer(ALERTS_PEOPLE) is not None:
        wanted.append(("relay", packs.relay, {}))
    if site.outpost is not None and site.outpost.scrape:
        leg = site.outpost.third_leg
        every = None if leg is None else int(leg.every.total_seconds())
        wanted.append(("outpost", packs.outpost, {"third_leg": every}))
    guards = site.offered(GUARD)
    if guards:
        wanted.append(("falco", packs.falco, {"falco_namespace": guards[0].namespace}))
    cronjobs = [_cronjob(beat) for beat in site.heartbeats if beat.cronjob is not None]
    wanted.append(("cronjobs", packs.cronjobs, {"cronjobs": cronjobs}))
    probes = [_probe(probe) for probe in site.probes if probe.from_ in ("cluster", "both")]
    if probes:
        wanted.append(("probes", packs.probes, {"probes": probes}))
    return wanted


def _lb_services(site: Site) -> list[dict[str, str]]:
    """The Services with a fixed address that are rendered.

    ``behind`` is the Service with the same pods, of which nothing more has to be told when the address is dead; empty
    where nobody tells that.
    """
    readiness = site.packs.readiness
    told = readiness.enabled and "LoadBalancerBackendsGone" not in readiness.disabled
    return [
        {
            "name": offer.data["name"],
            "namespace": offer.namespace,
            "service": offer.service,
            "ip": offer.data["ip"],
            "behind": offer.data["behind"] if told else "",
        }
        for offer in site.offered(LB_SERVICE)
        if not offer.data["needs"] or site.offer(offer.data["needs"]) is not None
    ]


def _cronjob(beat: Heartbeat) -> dict[str, Any]:
    namespace, _, cronjob = (beat.cronjob or "").partition("/")
    gap = longest_gap(beat)
    return {
        "heartbeat": beat.name,
        "namespace": namespace,
        "cronjob": cronjob,
        "max_gap": None if gap is None else gap.total_seconds(),
        "grace": beat.grace.total_seconds(),
        "severity": beat.severity,
    }


def _probe(probe: Probe) -> dict[str, Any]:
    return {
        "name": probe.name,
        "url": probe.target,
        "severity": probe.severity,
        "for_seconds": probe.interval.total_seconds() * (probe.retries + 1),
        "job": names.JOB_BLACKBOX,
        "tls_days": probe.expect.tls_days if probe.url and probe.url.startswith("https") else 0,
        **({"within": probe.expect.within.total_seconds()} if probe.expect.within is not None else {}),
    }


def own_groups(site: Site) -> list[dict[str, Any]]:
    """The owner's alerts as rule groups, in the order of their first alert."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for alert in site.alerts:
        annotations = {"summary": alert.summary, **alert.annotations}
        if alert.description:
            annotations["description"] = alert.description
        if alert.runbook is not None:
            annotations["runbook_url"] = alert.runbook
        groups.setdefault(alert.group, []).append(
            {
                "alert": alert.alert,
                "expr": alert.expr,
                "for": alert.for_,
                **({"keep_firing_for": alert.keep_firing_for} if alert.keep_firing_for else {}),
                "labels": {"severity": alert.severity, **alert.labels},
                "annotations": annotations,
            }
        )
    return [{"name": f"own-{name}", "rules": rules} for name, rules in groups.items()]


PACKS = Packs()
