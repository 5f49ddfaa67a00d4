"""The relay: our own service that takes webhooks and keeps one honest message per incident. One replica, one volume."""

import ipaddress
from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Any, ClassVar, TypeGuard
from urllib.parse import urlsplit

from pydantic import StrictBool, StringConstraints

from homelabmon.components import lan
from homelabmon.components.image import Image
from homelabmon.components.route_table import channel_entries, default_entry, route_entries
from homelabmon.spec import names
from homelabmon.spec.base import DnsLabel, HttpUrl, Name, PositiveDuration, Quantity, Unique
from homelabmon.spec.contribution import (
    ALERTMANAGER,
    ALERTS_PEOPLE,
    DASHBOARDS,
    EVENTS_FALCO,
    GUARD,
    LOGS_INTAKE,
    METRICS,
    METRICS_CRDS,
    PINGS,
    App,
    ComponentConfig,
    Contribution,
    DocRow,
    Edge,
    Manifest,
    NamespaceNeed,
    Node,
    Offer,
    Place,
    SecretNeed,
    Site,
    Template,
)
from homelabmon.spec.relay_file import Intake, RelayFile, Retention, Upstream
from homelabmon.spec.secrets import Secret, SecretRef

APP = names.RELAY_NAME
_FLUX = "flux-system"
"""Where Flux itself runs: `flux install` and `flux bootstrap` know no other default."""
_LABELS = {"app.kubernetes.io/name": APP, "app.kubernetes.io/instance": APP}


class RelayConfig(ComponentConfig):
    """The `relay` section."""

    image: Image = Image.model_construct()
    """Container image of the relay."""
    storage: Quantity = "1Gi"
    """Size of the volume that holds what has been received and not yet delivered."""
    token: Secret | None = None
    """Token that Alertmanager sends. Default: key `alertmanager-token` of the Secret `homelabmon-relay`."""
    falco_path: Secret | None = None
    """Secret path segment that Falco uses, as it can send no headers. Default: key `falco-path` of the same Secret."""
    flux_token: Secret | None = None
    """Key that Flux signs its events with (a Provider of type `generic-hmac`), or the token it sends (`generic`).
    Without it the relay takes nothing from Flux."""
    event_token: Secret | None = None
    """Token for scripts of your own that post events. Without it the relay takes none."""
    page_password: Secret | None = None
    """Password of the relay's page and its buttons; the user's name is free. Without it, whoever reaches the relay may
    look and press."""
    retention: PositiveDuration = timedelta(days=30)
    """How long incidents that have ended are kept."""
    self_channel: Name | None = None
    """Channel for alerts about the relay itself, told by Alertmanager directly. Default: `defaults.channel`."""
    spool: StrictBool = False
    """Whether pods of every namespace may ping their heartbeats here, at the same paths as at the outpost: what the
    outpost cannot be told at once it is told later, with the time at which it was meant."""
    allow_from: Annotated[tuple[DnsLabel, ...], Unique] = ()
    """Further namespaces whose pods may reach it."""
    external_url: HttpUrl | None = None
    """Address for links. Default: its LoadBalancer address."""
    cpu: Annotated[str, StringConstraints(pattern=r"^([0-9]+m|[0-9]+(\.[0-9]{1,3})?)$")] = "20m"
    """CPU request."""
    memory: Quantity = "192Mi"
    """Memory request and limit."""


class Relay:
    """Contributes the relay's objects and its configuration with the route table."""

    name: ClassVar[str] = "relay"
    config: ClassVar[type[ComponentConfig] | None] = RelayConfig

    def offers(self, config: RelayConfig, site: Site) -> tuple[Offer, ...]:
        """Takes alerts for people and Falco's events."""
        url = site.service_url(APP, config.namespace, names.RELAY_PORT)
        token, falco = _token(config, site), _falco_path(config, site)
        outside = config.external_url or site.lan_url("relay", names.RELAY_PORT)
        people = {
            "token": token,
            "self_channel": config.self_channel,
            "image": config.image.reference,
            "outside_url": outside.rstrip("/") + names.PATH_ALERTMANAGER if outside else None,
        }
        shared: dict[str, Any] = {
            "app": APP,
            "namespace": config.namespace,
            "service": APP,
            "port": names.RELAY_PORT,
            "pod_labels": _LABELS,
        }
        return (
            Offer(ALERTS_PEOPLE, url + names.PATH_ALERTMANAGER, data=people, **shared),
            Offer(EVENTS_FALCO, url + names.PATH_FALCO, data={"path_secret": falco}, **shared),
            *((Offer(PINGS, url, **shared),) if config.spool and site.outpost is not None else ()),
            *lan.offers(site, "relay", config.namespace, names.RELAY_PORT, APP),
        )

    def contribute(self, config: RelayConfig, site: Site) -> Contribution:
        """Deployment, Service, volume, NetworkPolicy, PodDisruptionBudget, ConfigMap and ServiceMonitor."""
        file = relay_file(config, site)
        secrets = sorted({ref.secret for ref in _secrets(config, site)})
        params = {
            "config": config,
            "cluster": site.cluster,
            "labels": _LABELS,
            "name": APP,
            "namespace": config.namespace,
            "port": names.RELAY_PORT,
            "secrets": secrets,
            "secrets_dir": names.SECRETS_DIR,
            "config_dir": names.CONFIG_DIR,
            "config_file": names.CONFIG_FILE,
            "data_dir": names.DATA_DIR,
            "relay_file": file.to_data(),
            "senders": _senders(config, site),
            "asks": _asks(site),
            "on_the_lan": bool(site.lb_annotations("relay")),
            "spool": file.upstream is not None and file.upstream.spool,
            "upstream_port": None if file.upstream is None else _port(file.upstream.url),
        }
        crds, ports = site.offer(METRICS_CRDS), (lan.Port("http", names.RELAY_PORT, "http"),)
        manifests = [
            Manifest(APP, f"{file_name}.yaml", Template(f"relay/{file_name}.yaml.j2", params))
            for file_name in ("configmap", "deployment", "service", "volume", "networkpolicy", "disruption")
        ]
        manifests += lan.manifests(site, "relay", APP, config.namespace, _LABELS, ports)
        if crds is not None:
            manifests.append(Manifest(crds.app, "relay.yaml", Template("relay/servicemonitor.yaml.j2", params)))
        channels = [Node(f"channel-{name}", f"#{name}", "channel") for name in site.channels]
        return Contribution(
            apps=(App(APP, config.namespace),),
            manifests=tuple(manifests),
            namespaces=(NamespaceNeed(config.namespace, "restricted"),),
            secrets=(
                *(SecretNeed(config.namespace, ref.secret, ref.key, "the relay") for ref in _secrets(config, site)),
                *_pull_secret(config),
            ),
            nodes=(Node("relay", "Discord proxy (relay)"), *channels),
            edges=tuple(Edge("relay", node.id, "alerts") for node in channels),
            docs=(
                DocRow(
                    "Discord proxy (relay)",
                    f"{config.namespace}/{APP}",
                    "takes Alertmanager and Falco webhooks, posts to channels",
                ),
            ),
        )


def relay_file(config: RelayConfig, site: Site) -> RelayFile:
    """The relay's configuration."""
    alertmanager, metrics = site.offer(ALERTMANAGER), site.offer(METRICS)
    links = {
        "alertmanager": _for_people(alertmanager),
        "prometheus": _for_people(metrics),
        "grafana": _for_people(site.offer(DASHBOARDS)),
        "relay": config.external_url or site.lan_url("relay", names.RELAY_PORT),
    }
    return RelayFile.model_construct(
        name=site.name,
        role="relay",
        channels=channel_entries(site, names.SECRETS_DIR),
        default=default_entry(site),
        routes=route_entries(site, site.all_routes),
        intake=Intake.model_construct(
            alertmanager_token_file=_token(config, site).file,
            falco_path_file=_falco_path(config, site).file,
            flux_token_file=config.flux_token.file if config.flux_token else None,
            event_token_file=config.event_token.file if config.event_token else None,
            page_password_file=config.page_password.file if config.page_password else None,
        ),
        alertmanagers=tuple(alertmanager.data["replicas"]) if alertmanager else (),
        prometheus=metrics.url if metrics else None,
        links={name: url.rstrip("/") for name, url in links.items() if url},
        database=f"{names.DATA_DIR}/relay.db",
        retention=Retention.model_construct(incidents=config.retention),
        upstream=_upstream(config, site),
    )


def _upstream(config: RelayConfig, site: Site) -> Upstream | None:
    """The outpost, where there is one."""
    if site.outpost is None:
        return None
    token = site.outpost.token or site.secret_default("outpost-token")
    return Upstream.model_construct(
        url=site.outpost.url.rstrip("/"), token_file=token.file, report=site.outpost.report, spool=config.spool
    )


def _for_people(offer: Offer | None) -> str | None:
    """Where people reach what is offered."""
    return offer.data.get("external_url") if offer is not None else None


def _token(config: RelayConfig, site: Site) -> SecretRef:
    return config.token or site.secret_default("alertmanager-token")


def _falco_path(config: RelayConfig, site: Site) -> SecretRef:
    return config.falco_path or site.secret_default("falco-path")


def _secrets(config: RelayConfig, site: Site) -> list[SecretRef]:
    refs = [_token(config, site), _falco_path(config, site)]
    refs += [ref for ref in (config.flux_token, config.event_token, config.page_password) if ref is not None]
    if site.outpost is not None:
        refs.append(site.outpost.token or site.secret_default("outpost-token"))
    refs += [channel.discord.webhook for channel in site.channels.values()]
    return list(dict.fromkeys(refs))


def _pull_secret(config: RelayConfig) -> Iterator[SecretNeed]:
    if config.image.pull_secret is not None:
        yield SecretNeed(
            config.namespace, config.image.pull_secret, names.KEY_REGISTRY_LOGIN, "the nodes, for the relay's image"
        )


def _senders(config: RelayConfig, site: Site) -> list[dict[str, Any]]:
    """Who may connect: the pods behind the offers that speak to the relay, and namespaces the owner names."""
    offers = [site.offer(ALERTMANAGER), site.offer(METRICS), site.offer(LOGS_INTAKE), *site.offered(GUARD)]
    senders: list[dict[str, Any]] = [
        {"namespace": offer.namespace, "labels": dict(offer.pod_labels)} for offer in offers if _ours(offer)
    ]
    if config.flux_token is not None:
        senders.append({"namespace": _FLUX, "labels": {"app": "notification-controller"}})
    yours = [place.namespace for place in _places(site) if place.namespace]
    return senders + [{"namespace": name, "labels": {}} for name in dict.fromkeys((*yours, *config.allow_from))]


def _asks(site: Site) -> list[dict[str, Any]]:
    """Whom the relay asks: every Alertmanager replica, and Prometheus. Of what is not ours neither the pods' labels nor
    their ports are known."""
    offers = [site.offer(ALERTMANAGER), site.offer(METRICS)]
    asks: list[dict[str, Any]] = [
        {"namespace": offer.namespace, "labels": dict(offer.pod_labels), "port": offer.port}
        for offer in offers
        if _ours(offer)
    ]
    for place in _places(site):
        if place.namespace:
            asks.append({"namespace": place.namespace, "labels": {}, "port": None})
        else:
            asks.append({"namespace": "", "cidr": _cidr(place.host), "port": place.port})
    return [asked for number, asked in enumerate(asks) if asked not in asks[:number]]


def _ours(offer: Offer | None) -> TypeGuard[Offer]:
    return offer is not None and "places" not in offer.data


def _places(site: Site) -> tuple[Place, ...]:
    """Where an Alertmanager runs that is the owner's."""
    manager = site.offer(ALERTMANAGER)
    return () if manager is None else tuple(manager.data.get("places", ()))


def _port(url: str) -> int:
    parts = urlsplit(url)
    return parts.port or (443 if parts.scheme == "https" else 80)


def _cidr(host: str) -> str | None:
    """An address as a block of one; None for a name, which a NetworkPolicy cannot say."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    return f"{address}/{address.max_prefixlen}"


RELAY = Relay()
