"""The stack: the whole typed content of one stack.yaml, and what components get to see of it.

Knows neither YAML nor Helm. Imports components for the types of their sections.
"""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from homelabmon.components import Components, enabled
from homelabmon.components.channel_routes import channel_routes
from homelabmon.spec import names
from homelabmon.spec.base import BaseUrl, IPAddress, Model, Name, Shorthand
from homelabmon.spec.cluster import Cluster
from homelabmon.spec.contribution import Chart, Offer, Site
from homelabmon.spec.packs import Packs
from homelabmon.spec.routes import Channel, Defaults, Dependency, InhibitRule, Maintenance, Route
from homelabmon.spec.secret_store import SecretStore
from homelabmon.spec.watch import Alert, Expectation, Heartbeat, Outpost, Probe, Scrape, StatusPage

ChartName = Literal["kube-prometheus-stack", "loki", "vector", "falco", "prometheus-blackbox-exporter"]
LbName = Literal["grafana", "prometheus", "loki", "vector", "alertmanager", "relay"]


_VERSION = r"^v?\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$"


class ChartPin(Model):
    """A chart's version, as plain data that Renovate can bump."""

    version: Annotated[str, StringConstraints(pattern=_VERSION)]
    """Exact version."""
    url: Annotated[str, StringConstraints(pattern=r"^oci://\S+$")] | None = None
    """Where to pull it from, when not from the chart's own registry."""


def _pin(value: object) -> object:
    if isinstance(value, (int, float)):
        raise ValueError("a chart's version has three parts: write it whole, such as 88.5.3")
    return {"version": value} if isinstance(value, str) else value


class Stack(Model):
    """One homelab's monitoring, whole."""

    api_version: Literal["homelabmon/v1"] = Field(alias="apiVersion")
    """Version of this file's format."""
    name: Name
    """Name of the homelab."""
    cluster: Cluster
    """The cluster that is watched."""
    charts: dict[
        ChartName, Annotated[ChartPin, BeforeValidator(_pin), Shorthand({"type": "string", "pattern": _VERSION})]
    ] = Field(default_factory=dict, examples=[{"kube-prometheus-stack": "88.5.3"}])
    """Chart versions; a chart that is not named here is taken in the version homelabmon was tested with."""
    components: Components
    """What is installed."""
    lb_ips: dict[LbName, IPAddress] = Field(default_factory=dict, examples=[{"grafana": "192.168.1.229"}])
    """Fixed LoadBalancer addresses, by service."""
    channels: Annotated[dict[Name, Channel], Field(min_length=1)]
    """Named places where people read."""
    defaults: Defaults
    """Where everything goes that no route matches, and what routes inherit."""
    routes: tuple[Route, ...] = ()
    """Matchers to channels; tried in order, the first match wins unless `continue`."""
    inhibit: tuple[InhibitRule, ...] = ()
    """Inhibit rules of your own, besides those that follow from `depends_on`."""
    depends_on: dict[Name, Dependency] = Field(default_factory=dict)
    """Who falls when whom falls: drives inhibit rules, blast radius and the graph."""
    maintenance: tuple[Maintenance, ...] = ()
    """Windows in which alerts are not notified."""
    scrape: tuple[Scrape, ...] = ()
    """Your own apps, and hosts outside the cluster."""
    packs: Packs = Packs.model_construct()
    """Alert packs that ship with homelabmon, and their thresholds."""
    alerts: tuple[Alert, ...] = ()
    """Alerting rules of your own."""
    runbooks: BaseUrl = names.RUNBOOKS_URL
    """Where the packs' runbooks are; each alert links to `<runbooks>/<AlertName>.md`."""
    heartbeats: tuple[Heartbeat, ...] = ()
    """Things that should have run."""
    probes: tuple[Probe, ...] = ()
    """Active checks of endpoints."""
    outpost: Outpost | None = None
    """The vantage outside the cluster."""
    status_page: StatusPage | None = None
    """The public status page."""
    secrets: SecretStore | None = None
    """Where Secrets come from, when they should be rendered as ExternalSecrets."""
    tests: tuple[Expectation, ...] = ()
    """What you expect of the routing: an alert and the channel that must hear of it. Shown on the monitoring page."""
    extra: tuple[dict[str, Any], ...] = ()
    """Kubernetes objects of your own, as they are: nothing in them is escaped or marked against Flux's substitution."""


def site_of(stack: Stack) -> Site:
    """What the components of a stack see of it, offers included."""
    charts: dict[str, Chart] = {name: Chart(name, pin.url or "", pin.version) for name, pin in stack.charts.items()}
    site = Site(
        name=stack.name,
        cluster=stack.cluster,
        charts=charts,
        lb_ips=dict(stack.lb_ips.items()),
        channels=stack.channels,
        defaults=stack.defaults,
        routes=stack.routes,
        inhibit=stack.inhibit,
        depends_on=stack.depends_on,
        maintenance=stack.maintenance,
        heartbeats=stack.heartbeats,
        probes=stack.probes,
        scrape=stack.scrape,
        alerts=stack.alerts,
        packs=stack.packs,
        outpost=stack.outpost,
        status_page=stack.status_page,
        secrets=stack.secrets,
        runbooks=stack.runbooks.rstrip("/"),
        extra=stack.extra,
    )
    offers: list[Offer] = []
    for component, config in enabled(stack.components):
        offers.extend(component.offers(config, site))
    site = site._replace(offers=tuple(offers))
    return site._replace(channel_routes=channel_routes(site))
