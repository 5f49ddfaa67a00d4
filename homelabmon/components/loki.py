"""Loki, the log store, as one process with its own volume (chart loki of grafana-community)."""

from datetime import date, timedelta
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, StrictBool

from homelabmon.components import lan
from homelabmon.spec import names
from homelabmon.spec.base import DnsLabel, PositiveDuration, Quantity
from homelabmon.spec.contribution import (
    ALERTMANAGER,
    DASHBOARDS,
    DATASOURCE,
    LOGS_PUSH,
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

# What the chart passes through Helm's tpl, found by rendering loki 18.11.0: most of Loki's own configuration goes
# through it twice, once in the text of loki.config and once as the finished file.
_ONCE = (
    "commonConfig",
    "configObjectName",
    "extraMemberlistConfig",
    "generatedConfigObjectName",
    "memberlistConfig",
    "rulerConfig",
    "runtimeConfig",
    "schemaConfig",
    "server",
    "structuredConfig",
)
_TWICE = (
    "analytics",
    "block_builder",
    "bloom_build",
    "bloom_gateway",
    "compactor",
    "compactor_grpc_client",
    "distributor",
    "frontend",
    "frontend_worker",
    "index_gateway",
    "ingester",
    "ingester_client",
    "limits_config",
    "operational_config",
    "pattern_ingester",
    "querier",
    "query_range",
    "query_scheduler",
    "storage_config",
)
_POD = ("affinity", "extraContainers", "initContainers", "nodeSelector", "tolerations")
CHART = Chart(
    "loki",
    "oci://ghcr.io/grafana-community/helm-charts/loki",
    "18.11.0",
    tpl=(
        *((("loki", key), 1) for key in _ONCE),
        *((("loki", key), 2) for key in _TWICE),
        *((("singleBinary", key), 1) for key in _POD),
        (("extraObjects",), 1),
    ),
)
APP = "loki"
SERVICE = "loki"
PORT = 3100
POD_LABELS = {
    "app.kubernetes.io/name": "loki",
    "app.kubernetes.io/instance": "loki",
    "app.kubernetes.io/component": "single-binary",
}


def _at_least_a_day(value: timedelta) -> timedelta:
    if value < timedelta(days=1):
        raise ValueError("Loki keeps nothing for less than a day: write for example 14d")
    return value


class LokiConfig(ComponentConfig):
    """The `loki` section."""

    retention: Annotated[PositiveDuration, AfterValidator(_at_least_a_day)] = timedelta(days=14)
    """How long logs are kept; at least a day."""
    storage: Quantity = "20Gi"
    """Size of the volume."""
    storage_class: DnsLabel | None = None
    """StorageClass of the volume. Default: `cluster.storage_class`."""
    memory: Quantity | None = Field(default=None, examples=["1Gi"])
    """Memory request and limit."""
    schema_from: date = date(2026, 1, 1)
    """First day of the storage schema. Must never change once Loki has stored something."""
    ruler: StrictBool = False
    """Whether alerting rules on logs are evaluated: those in ConfigMaps labelled `loki_rule`, in Loki's namespace."""


class Loki:
    """Contributes the release, an own Service for the LAN, and the ServiceMonitor."""

    name: ClassVar[str] = "loki"
    config: ClassVar[type[ComponentConfig] | None] = LokiConfig

    def offers(self, config: LokiConfig, site: Site) -> tuple[Offer, ...]:
        """Takes logs, answers Grafana, and has an address on the LAN."""
        url = site.service_url(SERVICE, config.namespace, PORT)
        datasource = {"name": "Loki", "type": "loki", "uid": names.DATASOURCE_LOKI, "access": "proxy", "url": url}
        place = (url, APP, config.namespace, SERVICE, PORT, POD_LABELS)
        return (
            Offer(LOGS_PUSH, *place, data={"title": "Loki"}),
            Offer(DATASOURCE, *place, data=datasource),
            *lan.offers(site, "loki", config.namespace, PORT, SERVICE),
        )

    def contribute(self, config: LokiConfig, site: Site) -> Contribution:
        """One process, one replica, one volume."""
        alertmanager, grafana = site.offer(ALERTMANAGER), site.offer(DASHBOARDS)
        params = {
            "config": config,
            "cluster_domain": site.cluster.domain,
            "ipv6": site.ipv6,
            "storage_class": config.storage_class or site.cluster.storage_class,
            "schema_from": config.schema_from.isoformat(),
            "alertmanager_url": alertmanager_url(alertmanager),
            "grafana_url": grafana.data.get("external_url") if grafana is not None else None,
            "datasource_uid": names.DATASOURCE_LOKI,
        }
        edges = []
        if site.offer(METRICS_CRDS) is not None:
            edges.append(Edge("loki", "prometheus", "metrics"))
        if config.ruler and alertmanager is not None:
            edges.append(Edge("loki", "alertmanager", "alerts", "alerts on logs"))
        return Contribution(
            apps=(App(APP, config.namespace),),
            releases=(Release("loki", APP, config.namespace, site.chart(CHART)),),
            values=(ReleaseValues("loki", Template("loki/values.yaml.j2", params), config.values),),
            manifests=_manifests(config, site),
            namespaces=(NamespaceNeed(config.namespace),),
            nodes=(Node("loki", "Loki", "store"),),
            edges=tuple(edges),
            docs=(DocRow("Loki", f"{config.namespace}/loki-0", "single binary"),),
        )


def alertmanager_url(offer: Offer | None) -> str | None:
    """Where the ruler sends: the Service, or every replica of one that is the owner's, as Loki lists them."""
    if offer is None:
        return None
    return ",".join(offer.data["replicas"]) if "places" in offer.data else offer.url


def _manifests(config: LokiConfig, site: Site) -> tuple[Manifest, ...]:
    ports = (lan.Port("http", PORT, "http-metrics"),)
    manifests = [*lan.manifests(site, "loki", APP, config.namespace, POD_LABELS, ports)]
    crds = site.offer(METRICS_CRDS)
    if crds is not None:
        monitor = {"namespace": crds.namespace, "loki_namespace": config.namespace, "job": names.JOB_LOKI}
        manifests.append(Manifest(crds.app, "loki.yaml", Template("loki/servicemonitor.yaml.j2", monitor)))
    return tuple(manifests)


LOKI = Loki()
