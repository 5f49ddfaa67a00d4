"""The blackbox exporter: probes from inside the cluster (chart prometheus-blackbox-exporter).

Always on, but there only when a probe has the vantage ``cluster`` or ``both`` and Prometheus is there to ask it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

from homelabmon.spec import names
from homelabmon.spec.contribution import (
    METRICS_CRDS,
    App,
    Chart,
    ComponentConfig,
    Contribution,
    DocRow,
    Edge,
    Manifest,
    NamespaceNeed,
    Node,
    Offer,
    Release,
    ReleaseValues,
    Site,
    Template,
)
from homelabmon.spec.watch import Dns, Expect, Probe

# What the chart passes through Helm's tpl, found by rendering prometheus-blackbox-exporter 11.17.2. Not `config`.
CHART = Chart(
    "prometheus-blackbox-exporter",
    "oci://ghcr.io/prometheus-community/charts/prometheus-blackbox-exporter",
    "11.17.2",
    tpl=((("extraArgs",), 1), (("extraManifests",), 1), (("serviceMonitor", "targets"), 1)),
)
APP = "blackbox-exporter"
PORT = 9115
_SCRAPE_OFFSET = timedelta(milliseconds=500)
_STATUS_EXPECTED = Expect.model_construct().status


class Blackbox:
    """Contributes the release with its modules, and one Probe object for each probe."""

    name: ClassVar[str] = "blackbox"
    config: ClassVar[type[ComponentConfig] | None] = None

    def offers(self, config: None, site: Site) -> tuple[Offer, ...]:
        """Nothing that others need."""
        return ()

    def contribute(self, config: None, site: Site) -> Contribution:
        """The exporter and its probes; nothing when there is no probe from inside, or nobody who asks it."""
        crds, probes = site.offer(METRICS_CRDS), inside_probes(site)
        if crds is None or not probes:
            return Contribution()
        values = {"modules": modules(probes), "icmp": any(probe.icmp is not None for probe in probes)}
        objects = {
            "namespace": crds.namespace,
            "prober": f"{APP}.{crds.namespace}.svc.{site.cluster.domain}:{PORT}",
            "job": names.JOB_BLACKBOX,
            "label": names.LABEL_PROBE,
            "probes": [_entry(probe) for probe in probes],
        }
        return Contribution(
            apps=(App(APP, crds.namespace),),
            releases=(Release(APP, APP, crds.namespace, site.chart(CHART)),),
            values=(ReleaseValues(APP, Template("blackbox/values.yaml.j2", values)),),
            manifests=(Manifest(crds.app, "probes.yaml", Template("blackbox/probes.yaml.j2", objects)),),
            namespaces=(NamespaceNeed(crds.namespace),),
            nodes=(
                Node("blackbox-exporter", "blackbox exporter"),
                *(Node(f"probe-{probe.name}", probe.name, "external") for probe in probes),
            ),
            edges=(
                Edge("blackbox-exporter", "prometheus", "metrics"),
                *(Edge("blackbox-exporter", f"probe-{probe.name}", "probes") for probe in probes),
            ),
            docs=(DocRow("blackbox exporter", f"{crds.namespace}/{APP}", "probes from inside the cluster"),),
        )


def inside_probes(site: Site) -> tuple[Probe, ...]:
    """Probes that the cluster runs."""
    return tuple(probe for probe in site.probes if probe.from_ in ("cluster", "both"))


def modules(probes: tuple[Probe, ...]) -> dict[str, dict[str, Any]]:
    """The exporter's modules by name: a shared one for each kind, and one of its own for a probe that differs."""
    found: dict[str, dict[str, Any]] = {}
    for probe in probes:
        found.setdefault(module_name(probe), _module(probe))
    return dict(sorted(found.items()))


def object_name(probe: Probe) -> str:
    """The name of its object: Kubernetes takes no underscores."""
    return probe.name.replace("_", "-")


def module_name(probe: Probe) -> str:
    """The module that a probe asks for."""
    if probe.tcp is not None:
        return "tcp"
    if probe.icmp is not None:
        return "icmp"
    if probe.dns is not None:
        return f"dns-{probe.name}"
    if not _plain(probe.expect):
        return f"http-{probe.name}"
    return "https" if _is_https(probe) else "http"


def _is_https(probe: Probe) -> bool:
    return (probe.url or "").lower().startswith("https:")


def _plain(expect: Expect) -> bool:
    return expect.status == _STATUS_EXPECTED and expect.body is None and expect.redirects


def _module(probe: Probe) -> dict[str, Any]:
    # IPv4 first: the exporter's own default tries IPv6 wherever a name has such an address, route or no route.
    protocol = {"preferred_ip_protocol": "ip4", "ip_protocol_fallback": True}
    if probe.tcp is not None:
        return {"prober": "tcp", "tcp": protocol}
    if probe.icmp is not None:
        return {"prober": "icmp", "icmp": protocol}
    if probe.dns is not None:
        return {"prober": "dns", "dns": {**protocol, **_dns(probe.dns)}}
    http: dict[str, Any] = {
        **protocol,
        "valid_status_codes": list(probe.expect.status),
        "follow_redirects": probe.expect.redirects,
    }
    if _is_https(probe):
        # Who is sent from TLS to plain HTTP did not get where they wanted to; asked from outside it is the same.
        http["fail_if_not_ssl"] = True
    if probe.expect.body is not None:
        http["fail_if_body_not_matches_regexp"] = [probe.expect.body]
    return {"prober": "http", "http": http}


def _dns(dns: Dns) -> dict[str, Any]:
    # The exporter looks at whole records: name, time to live, class, type, and the answer at the end. Without a pattern
    # it would take an answer without any record for a good one.
    pattern = dns.answer if dns.answer is not None else rf"\tIN\t{dns.type}\t"
    return {
        "query_name": dns.query,
        "query_type": dns.type,
        "validate_answer_rrs": {"fail_if_none_matches_regexp": [pattern]},
    }


def _entry(probe: Probe) -> dict[str, Any]:
    target = probe.dns.server if probe.dns is not None else probe.target
    # The exporter stops half a second before the scrape does, so that the failure can still be told.
    return {
        "name": probe.name,
        "object": object_name(probe),
        "module": module_name(probe),
        "interval": probe.interval,
        "timeout": min(probe.timeout + _SCRAPE_OFFSET, probe.interval),
        "target": target,
    }


BLACKBOX = Blackbox()
