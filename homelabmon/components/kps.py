"""What the three components that live in the chart kube-prometheus-stack share: the chart, its release, its app."""

from __future__ import annotations

from typing import Final

from homelabmon.spec import names
from homelabmon.spec.contribution import App, Chart, Health, NamespaceNeed, Release, ReleaseValues, Site, Template

_SPEC = ("prometheus", "prometheusSpec")
TPL: Final = (
    ("grafana", "service", "annotations"),
    ("grafana", "grafana.ini"),
    ("grafana", "datasources"),
    ("grafana", "additionalDataSources"),
    ("extraManifests",),
    ("alertmanager", "alertmanagerSpec", "externalUrl"),
    ("alertmanager", "alertmanagerSpec", "storage"),
    *((*_SPEC, key) for key in ("additionalScrapeConfigs", "additionalAlertRelabelConfigs")),
    *((*_SPEC, key) for key in ("additionalAlertManagerConfigs", "containers", "initContainers", "externalLabels")),
    *((*_SPEC, key) for key in ("externalUrl", "podMetadata", "remoteRead", "remoteWrite", "storageSpec")),
    *((part, "serviceMonitor", "metricRelabelings") for part in ("alertmanager", "prometheus", "prometheusOperator")),
    *((part, "serviceMonitor", "relabelings") for part in ("kubeApiServer", "kubelet", "coreDns", "kubeEtcd")),
    *((part, "serviceMonitor", "metricRelabelings") for part in ("kubeApiServer", "kubelet", "coreDns", "kubeEtcd")),
)
"""Value paths that the chart passes through Helm's tpl, once each; tests with the real chart hold every one."""
CHART: Final = Chart(
    names.KPS_RELEASE,
    "oci://ghcr.io/prometheus-community/charts/kube-prometheus-stack",
    "88.5.3",
    # Not tpl: alertmanager.config (tplConfig stays false), additionalPrometheusRulesMap, templateFiles.
    tpl=tuple((path, 1) for path in TPL),
)
CONFIG_APP: Final = "monitoring-config"
_PROMETHEUS_AVAILABLE: Final = "status.conditions.exists(c, c.type == 'Available' && c.status == 'True')"


def app(namespace: str, *crs: str) -> App:
    """The app of the release: ready when the release is, and the operator's custom resources (``crs``) are too.

    Flux cannot see the StatefulSets the operator makes; the custom resources' own conditions tell.
    """
    release = Health("helm.toolkit.fluxcd.io/v2", "HelmRelease", names.KPS_RELEASE, namespace)
    available = (
        Health(
            "monitoring.coreos.com/v1", kind, f"{names.KPS_RELEASE}-{kind.lower()}", namespace, _PROMETHEUS_AVAILABLE
        )
        for kind in crs
    )
    return App(names.KPS_RELEASE, namespace, health=(release, *available))


def config_app(namespace: str) -> App:
    """The app of rules, monitors and probes: objects of the operator's kinds, so after the release that brings them."""
    return App(CONFIG_APP, namespace, after=(names.KPS_RELEASE,))


def release(site: Site, namespace: str) -> Release:
    """The one release that all three fill with values."""
    return Release(names.KPS_RELEASE, names.KPS_RELEASE, namespace, site.chart(CHART))


def base_values(site: Site) -> ReleaseValues:
    """Everything in the chart switched off; each component switches on what it is."""
    cluster = site.cluster
    params = {"flux": cluster.flux, "lb_provider": cluster.load_balancer.provider}
    return ReleaseValues(names.KPS_RELEASE, Template("kube-prometheus-stack/values.yaml.j2", params))


def namespace_need(namespace: str, *, node_exporter: bool = False) -> NamespaceNeed:
    """node-exporter uses the host's network, PIDs and paths, so with it nothing below privileged will do."""
    return NamespaceNeed(namespace, "privileged" if node_exporter else "baseline")
