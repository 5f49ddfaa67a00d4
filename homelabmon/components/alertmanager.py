"""Alertmanager, as chart kube-prometheus-stack brings it, with its whole configuration in the release's values."""

from datetime import timedelta
from typing import ClassVar

from pydantic import Field, StrictBool, StrictInt

from homelabmon.components import kps, lan
from homelabmon.components.alertmanager_config import alertmanager_config, secrets_read
from homelabmon.spec import names
from homelabmon.spec.base import HttpUrl, PositiveDuration, Quantity
from homelabmon.spec.contribution import (
    ALERTMANAGER as API,
)
from homelabmon.spec.contribution import (
    ALERTS_DEADMAN,
    ALERTS_PEOPLE,
    METRICS,
    ComponentConfig,
    Contribution,
    DocRow,
    Edge,
    Node,
    Offer,
    PlainFile,
    ReleaseValues,
    SecretNeed,
    Site,
    Template,
)

SERVICE = "kube-prometheus-stack-alertmanager"
_PORT = 9093
_LABELS = {"app.kubernetes.io/name": "alertmanager", "alertmanager": SERVICE}


class AlertmanagerConfig(ComponentConfig):
    """The `alertmanager` section."""

    install: StrictBool = True
    """Whether to install it. False renders its configuration only, for an Alertmanager you already run."""
    replicas: StrictInt = Field(default=2, ge=1, le=5)
    """How many; they gossip and deduplicate."""
    retention: PositiveDuration = timedelta(days=5)
    """How long silences and notification state are kept."""
    storage: Quantity = "1Gi"
    """Size of each replica's volume."""
    external_url: HttpUrl | None = None
    """Address for links in messages. Default: its LoadBalancer address."""


class Alertmanager:
    """Contributes the release's Alertmanager half, and the same configuration as a plain file."""

    name: ClassVar[str] = "alertmanager"
    config: ClassVar[type[ComponentConfig] | None] = AlertmanagerConfig

    def offers(self, config: AlertmanagerConfig, site: Site) -> tuple[Offer, ...]:
        """Its API: the Service, and each replica by itself, as only every replica together knows what fires."""
        if not config.install:
            return ()
        headless = f"alertmanager-operated.{config.namespace}.svc.{site.cluster.domain}:{_PORT}"
        replicas = [f"http://alertmanager-{SERVICE}-{number}.{headless}" for number in range(config.replicas)]
        url = site.service_url(SERVICE, config.namespace, _PORT)
        data = {"replicas": replicas, "external_url": config.external_url or site.lan_url("alertmanager", _PORT)}
        return (
            Offer(API, url, names.KPS_RELEASE, config.namespace, SERVICE, _PORT, _LABELS, data),
            *lan.offers(site, "alertmanager", config.namespace, _PORT, SERVICE),
        )

    def contribute(self, config: AlertmanagerConfig, site: Site) -> Contribution:
        """The whole configuration tree: Helm replaces lists, so half of one would break the other half."""
        tree = alertmanager_config(site)
        read = secrets_read(site)
        needs = tuple(SecretNeed(config.namespace, ref.secret, ref.key, "Alertmanager") for ref in read)
        plain = PlainFile("alertmanager/alertmanager.yaml", data=tree)
        edges = _edges(site)
        if not config.install:
            return Contribution(
                files=(plain,), secrets=needs, edges=edges, nodes=(Node("alertmanager", "Alertmanager"),)
            )
        params = {
            "config": config,
            "cluster": site.cluster,
            "tree": tree,
            "secrets": sorted({ref.secret for ref in read}),
            "external_url": config.external_url or site.lan_url("alertmanager", _PORT),
            "spread": "hard" if config.replicas < site.cluster.nodes else "soft",
        }
        ports = (lan.Port("http-web", _PORT, "http-web"),)
        return Contribution(
            apps=(kps.app(config.namespace, "Alertmanager"),),
            releases=(kps.release(site, config.namespace),),
            values=(
                kps.base_values(site),
                ReleaseValues(names.KPS_RELEASE, Template("alertmanager/values.yaml.j2", params), config.values),
            ),
            manifests=lan.manifests(site, "alertmanager", names.KPS_RELEASE, config.namespace, _LABELS, ports),
            files=(plain,),
            namespaces=(kps.namespace_need(config.namespace),),
            secrets=needs,
            nodes=(Node("alertmanager", "Alertmanager"),),
            edges=edges,
            docs=(DocRow("Alertmanager", f"{config.namespace}/alertmanager-{SERVICE}", _notes(config.replicas)),),
        )


def _notes(replicas: int) -> str:
    return f"HA, {replicas} replicas" if replicas > 1 else "1 replica"


def _edges(site: Site) -> tuple[Edge, ...]:
    edges = [Edge("prometheus", "alertmanager", "alerts")] if site.offer(METRICS) else []
    people = site.offer(ALERTS_PEOPLE)
    if people is not None:
        own = people.data.get("self_channel") or site.defaults.channel
        edges.append(Edge("alertmanager", "relay", "alerts", "for people"))
        edges.append(Edge("alertmanager", f"channel-{own}", "alerts", "about the relay"))
    else:
        edges.extend(Edge("alertmanager", f"channel-{name}", "alerts") for name in site.channels)
    if site.offer(ALERTS_DEADMAN) is not None:
        edges.append(Edge("alertmanager", "outpost", "alerts", "Watchdog"))
    return tuple(edges)


ALERTMANAGER = Alertmanager()
