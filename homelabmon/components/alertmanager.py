"""Alertmanager, as chart kube-prometheus-stack brings it, with its whole configuration in the release's values."""

from datetime import timedelta
from typing import ClassVar, Self
from urllib.parse import urlsplit

from pydantic import Field, StrictBool, StrictInt, model_validator

from homelabmon.components import kps, lan
from homelabmon.components.alertmanager_config import SECRETS_DIR, alertmanager_config, secrets_read
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
    Place,
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
    urls: tuple[HttpUrl, ...] = Field(
        default=(),
        examples=[["http://192.168.1.50:9093"], ["http://alertmanager.observability.svc.cluster.local:9093"]],
    )
    """With `install: false`: where yours is, an address for each replica. Prometheus and Loki send their alerts there,
    the relay asks there what still fires, and Grafana shows it. One inside the cluster needs its whole name, with
    `.svc`."""
    replicas: StrictInt = Field(default=2, ge=1, le=5)
    """How many; they gossip and deduplicate."""
    retention: PositiveDuration = timedelta(days=5)
    """How long silences and notification state are kept."""
    storage: Quantity = "1Gi"
    """Size of each replica's volume."""
    external_url: HttpUrl | None = None
    """Address for links in messages. Default: its LoadBalancer address, or the first of `urls`."""

    @model_validator(mode="after")
    def _ours_or_theirs(self) -> Self:
        if self.install and self.urls:
            raise ValueError(
                "urls are those of an Alertmanager that you run yourself: write install: false as well, or remove urls"
            )
        return self


class Alertmanager:
    """Contributes the release's Alertmanager half, and the same configuration as a plain file."""

    name: ClassVar[str] = "alertmanager"
    config: ClassVar[type[ComponentConfig] | None] = AlertmanagerConfig

    def offers(self, config: AlertmanagerConfig, site: Site) -> tuple[Offer, ...]:
        """Its API: the Service, and each replica by itself, as only every replica together knows what fires."""
        if not config.install:
            return _of_yours(config)
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
        plain = PlainFile("alertmanager/alertmanager.yaml", data=tree)
        edges = _edges(site)
        if not config.install:
            return _configured_only(config, site, plain, edges)
        read = secrets_read(site)
        needs = tuple(SecretNeed(config.namespace, ref.secret, ref.key, "Alertmanager") for ref in read)
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


def _of_yours(config: AlertmanagerConfig) -> tuple[Offer, ...]:
    """The API of one that the owner runs, if we are told where."""
    if not config.urls:
        return ()
    urls = [url.rstrip("/") for url in config.urls]
    places = [place_of(url) for url in urls]
    data = {"replicas": urls, "external_url": config.external_url or urls[0], "places": places}
    return (Offer(API, urls[0], namespace=places[0].namespace, port=places[0].port, data=data),)


def _configured_only(config: AlertmanagerConfig, site: Site, plain: PlainFile, edges: tuple[Edge, ...]) -> Contribution:
    """The configuration for one that the owner runs; and where its address is known, what makes Prometheus use it."""
    offer = site.offer(API)
    places: list[Place] = offer.data["places"] if offer is not None else [Place(config.namespace, "", _PORT)]
    namespaces = dict.fromkeys(place.namespace for place in places if place.namespace)
    needs = tuple(
        SecretNeed(namespace, ref.secret, ref.key, "Alertmanager")
        for namespace in namespaces
        for ref in secrets_read(site)
    )
    values: tuple[ReleaseValues, ...] = ()
    if site.offer(METRICS) is not None:
        template = None
        if offer is not None:
            template = Template(
                "alertmanager/yours.yaml.j2", {"targets": [_target(url) for url in offer.data["replicas"]]}
            )
        values = (ReleaseValues(names.KPS_RELEASE, template, config.values),)
    notes = f"yours; its configuration is {plain.path}, and it reads secrets below {SECRETS_DIR}"
    where = ", ".join(offer.data["replicas"]) if offer is not None else "not in this stack"
    return Contribution(
        values=values,
        files=(plain,),
        secrets=needs,
        nodes=(Node("alertmanager", "Alertmanager"),),
        edges=edges,
        docs=(DocRow("Alertmanager", where, notes),),
    )


def place_of(url: str) -> Place:
    """Where an address leads: ``http://x.observability.svc:9093`` into a namespace, one without ``.svc`` outside."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    labels = host.split(".")
    inside = "svc" in labels[2:]
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return Place(labels[labels.index("svc", 2) - 1] if inside else "", host, port)


def _target(url: str) -> dict[str, str]:
    """An address as Prometheus' own configuration takes it."""
    parts, place = urlsplit(url), place_of(url)
    host = f"[{place.host}]" if ":" in place.host else place.host
    return {"scheme": parts.scheme, "path": parts.path, "target": f"{host}:{place.port}"}


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
