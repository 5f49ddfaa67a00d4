"""Prometheus, its operator, node exporter and kube-state-metrics, as chart kube-prometheus-stack brings them."""

from datetime import timedelta
from typing import Annotated, ClassVar

from pydantic import Field, StrictInt, StringConstraints

from homelabmon.components import kps, lan
from homelabmon.spec import names
from homelabmon.spec.base import AlertName, Duration, HttpUrl, Model, PositiveDuration, Quantity, Unique
from homelabmon.spec.contribution import (
    ALERTMANAGER,
    METRICS,
    METRICS_CRDS,
    ComponentConfig,
    Contribution,
    DocRow,
    Edge,
    Node,
    Offer,
    ReleaseValues,
    Site,
    Template,
)
from homelabmon.spec.watch import AlertSeverity

SERVICE = "kube-prometheus-stack-prometheus"
POD_LABELS = {"app.kubernetes.io/name": "prometheus", "operator.prometheus.io/name": SERVICE}
_PORT = 9090


class DefaultAlertChange(Model):
    """A change to one of the chart's default alerts."""

    severity: AlertSeverity | None = None
    """Another severity."""
    for_: Duration | None = Field(default=None, alias="for")
    """How long the expression must hold instead."""


class PrometheusConfig(ComponentConfig):
    """The `prometheus` section."""

    retention: PositiveDuration = timedelta(days=15)
    """How long samples are kept."""
    retention_size: Annotated[str, StringConstraints(pattern=r"^\d+(B|KB|MB|GB|TB|KiB|MiB|GiB|TiB)$")] | None = Field(
        default=None, examples=["45GiB"]
    )
    """How much disk samples may take; ends in B. Default: 85 % of `storage`."""
    storage: Quantity = "50Gi"
    """Size of the volume."""
    replicas: StrictInt = Field(default=1, ge=1, le=5)
    """How many; each scrapes everything."""
    scrape_interval: PositiveDuration = timedelta(seconds=30)
    """How often targets are scraped, unless they say otherwise."""
    evaluation_interval: PositiveDuration = timedelta(seconds=30)
    """How often rules are evaluated."""
    external_url: HttpUrl | None = None
    """Address for links in alerts. Default: its LoadBalancer address."""
    memory: Quantity | None = Field(default=None, examples=["2Gi"])
    """Memory request and limit."""
    disabled_alerts: Annotated[tuple[AlertName, ...], Unique] = Field(default=(), examples=[["CPUThrottlingHigh"]])
    """Default alerts of the chart that you do not want."""
    default_alerts: dict[AlertName, DefaultAlertChange] = Field(
        default_factory=dict, examples=[{"KubeNodePressure": {"severity": "warning"}}]
    )
    """Changes to default alerts of the chart."""


class Prometheus:
    """Contributes the release's Prometheus half, and the app that our own rules and monitors live in."""

    name: ClassVar[str] = "prometheus"
    config: ClassVar[type[ComponentConfig] | None] = PrometheusConfig

    def offers(self, config: PrometheusConfig, site: Site) -> tuple[Offer, ...]:
        """Queries, and the custom resource kinds."""
        url = site.service_url(SERVICE, config.namespace, _PORT)
        data = {"external_url": config.external_url or site.lan_url("prometheus", _PORT)}
        return (
            Offer(METRICS, url, names.KPS_RELEASE, config.namespace, SERVICE, _PORT, POD_LABELS, data),
            Offer(METRICS_CRDS, app=kps.CONFIG_APP, namespace=config.namespace),
            *lan.offers(site, "prometheus", config.namespace, _PORT, SERVICE),
        )

    def contribute(self, config: PrometheusConfig, site: Site) -> Contribution:
        """The release's values: what is scraped, what is kept, which default rules can be true here."""
        external = config.external_url or site.lan_url("prometheus", _PORT)
        params = {
            "config": config,
            "cluster": site.cluster,
            "control_plane": control_plane(site),
            "ipv6": site.ipv6,
            "external_url": external,
            "alertmanager_rules": scrapes_alertmanager(site),
            "retention_size": config.retention_size or share_of(config.storage, 0.85),
            "disabled_alerts": sorted({*config.disabled_alerts, *misfiring(site)}),
            "default_alerts": {
                name: {
                    key: value
                    for key, value in (("for", change.for_), ("severity", change.severity))
                    if value is not None
                }
                for name, change in config.default_alerts.items()
            },
        }
        return Contribution(
            apps=(kps.app(config.namespace, "Prometheus"), kps.config_app(config.namespace)),
            releases=(kps.release(site, config.namespace),),
            values=(
                kps.base_values(site),
                ReleaseValues(names.KPS_RELEASE, Template("prometheus/values.yaml.j2", params), config.values),
            ),
            manifests=lan.manifests(
                site,
                "prometheus",
                names.KPS_RELEASE,
                config.namespace,
                POD_LABELS,
                (lan.Port("http-web", _PORT, "http-web"),),
            ),
            namespaces=(kps.namespace_need(config.namespace, node_exporter=True),),
            nodes=(
                Node("prometheus", "Prometheus"),
                Node("kube-state-metrics", "kube-state-metrics"),
                Node("node-exporter", "node exporter"),
            ),
            edges=(
                Edge("kube-state-metrics", "prometheus", "metrics"),
                Edge("node-exporter", "prometheus", "metrics"),
            ),
            docs=(DocRow("Prometheus", f"{config.namespace}/prometheus-{SERVICE}", _notes(config)),),
        )


def _notes(config: PrometheusConfig) -> str:
    from homelabmon.spec.base import format_duration

    return f"chart kube-prometheus-stack; keeps {format_duration(config.retention)} on {config.storage}"


def share_of(quantity: str, share: float) -> str:
    """A share of a Kubernetes quantity, as Prometheus writes sizes (whole MB or MiB): ``50Gi`` gives ``43520MiB``.

    The custom resource refuses sizes that do not end in B.
    """
    binary = {"Ki": 1 / 1024, "Mi": 1.0, "Gi": 1024.0, "Ti": 1024.0**2, "Pi": 1024.0**3}
    decimal = {"k": 1 / 1000, "M": 1.0, "G": 1000.0, "T": 1000.0**2, "P": 1000.0**3}
    for units, suffix in ((binary, "MiB"), (decimal, "MB")):
        for unit, factor in units.items():
            if quantity.endswith(unit):
                return f"{max(1, int(float(quantity[: -len(unit)]) * factor * share))}{suffix}"
    return f"{max(1, int(float(quantity) * share / 1_000_000))}MB"


def control_plane(site: Site) -> dict[str, bool]:
    """Which control-plane parts are scraped. What cannot be must not be: its alerts would fire for ever."""
    plane, cluster = site.cluster.control_plane, site.cluster
    exposed = plane.metrics == "exposed"
    kube_proxy = (
        exposed and cluster.load_balancer.provider != "cilium" if plane.kube_proxy is None else plane.kube_proxy
    )
    return {
        "kubeControllerManager": exposed,
        "kubeScheduler": exposed,
        "kubeEtcd": exposed and plane.etcd,
        "kubeProxy": kube_proxy,
    }


def scrapes_alertmanager(site: Site) -> bool:
    """Whether the chart's Alertmanager is there, whose metrics its default rules look at."""
    manager = site.offer(ALERTMANAGER)
    return manager is not None and manager.app == names.KPS_RELEASE


def misfiring(site: Site) -> tuple[str, ...]:
    """Default alerts that cannot be right here, whatever the cluster does."""
    return ("KubeCPUOvercommit", "KubeMemoryOvercommit") if site.cluster.nodes < 3 else ()


PROMETHEUS = Prometheus()
