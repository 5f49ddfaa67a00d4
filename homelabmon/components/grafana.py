"""Grafana, as chart kube-prometheus-stack brings it, with every datasource that other components offer."""

from typing import ClassVar

from pydantic import Field

from homelabmon.components import kps, lan
from homelabmon.spec import names
from homelabmon.spec.base import HttpUrl, Model, Quantity
from homelabmon.spec.contribution import (
    ALERTMANAGER,
    DASHBOARDS,
    DATASOURCE,
    METRICS,
    ComponentConfig,
    Contribution,
    DocRow,
    Edge,
    Node,
    Offer,
    ReleaseValues,
    SecretNeed,
    Site,
    Template,
)
from homelabmon.spec.secrets import SecretKey, SecretName, SecretRef

SERVICE = "kube-prometheus-stack-grafana"
POD_LABELS = {"app.kubernetes.io/name": "grafana", "app.kubernetes.io/instance": names.KPS_RELEASE}
_PORT = 80

SERVICE = "kube-prometheus-stack-grafana"
POD_LABELS = {"app.kubernetes.io/name": "grafana", "app.kubernetes.io/instance": names.KPS_RELEASE}
_PORT = 80


class AdminSecret(Model):
    """The Secret with Grafana's admin login. Without one the chart makes a new password at every install."""

    secret: SecretName = "grafana-admin"  # noqa: S105 - a name
    """Name of the Secret."""
    user_key: SecretKey = "admin-user"
    """Key that holds the user name."""
    password_key: SecretKey = "admin-password"  # noqa: S105 - a key
    """Key that holds the password."""


class GrafanaConfig(ComponentConfig):
    """The `grafana` section."""

    admin: AdminSecret = AdminSecret.model_construct()
    """The admin login, by reference."""
    storage: Quantity | None = Field(default="5Gi", examples=["5Gi"])
    """Size of the volume; null for none (dashboards then live in Git alone)."""
    external_url: HttpUrl | None = None
    """Address for links. Default: its LoadBalancer address."""


class Grafana:
    """Contributes the release's Grafana half."""

    name: ClassVar[str] = "grafana"
    config: ClassVar[type[ComponentConfig] | None] = GrafanaConfig

    def offers(self, config: GrafanaConfig, site: Site) -> tuple[Offer, ...]:
        """Its pages, and its address on the LAN."""
        pages = Offer(DASHBOARDS, data={"external_url": config.external_url or site.lan_url("grafana", _PORT)})
        return (pages, *lan.offers(site, "grafana", config.namespace, _PORT, SERVICE))

    def contribute(self, config: GrafanaConfig, site: Site) -> Contribution:
        """The release's Grafana values."""
        admin, manager = config.admin, site.offer(ALERTMANAGER)
        params = {
            "config": config,
            "cluster": site.cluster,
            "external_url": config.external_url or site.lan_url("grafana", _PORT),
            "datasources": [dict(offer.data) for offer in site.offered(DATASOURCE)],
            "metrics": site.offer(METRICS) is not None,
            "metrics_uid": names.DATASOURCE_PROMETHEUS,
            "alertmanager": manager is not None,
            # The chart knows the address of its own.
            "alertmanager_url": manager.url if manager is not None and "places" in manager.data else None,
        }
        needs = [SecretRef(secret=admin.secret, key=key) for key in (admin.user_key, admin.password_key)]
        edges = [Edge("prometheus", "grafana", "metrics")] if site.offer(METRICS) else []
        edges += [Edge(str(offer.data.get("type", "")), "grafana", "logs") for offer in site.offered(DATASOURCE)]
        return Contribution(
            apps=(kps.app(config.namespace),),
            releases=(kps.release(site, config.namespace),),
            values=(
                kps.base_values(site),
                ReleaseValues(names.KPS_RELEASE, Template("grafana/values.yaml.j2", params), config.values),
            ),
            manifests=lan.manifests(
                site,
                "grafana",
                names.KPS_RELEASE,
                config.namespace,
                POD_LABELS,
                (lan.Port("http-web", _PORT, "grafana"),),
            ),
            namespaces=(kps.namespace_need(config.namespace),),
            secrets=tuple(SecretNeed(config.namespace, need.secret, need.key, "Grafana") for need in needs),
            nodes=(Node("grafana", "Grafana"),),
            edges=tuple(edges),
            docs=(DocRow("Grafana", f"{config.namespace}/{SERVICE}", "chart kube-prometheus-stack"),),
        )


GRAFANA = Grafana()
