"""The contract between components and the renderer: what a component sees (`Site`) and what it gives (`Contribution`).

Everything here is data. A component names templates and parameters; :mod:`homelabmon.render` reads the templates,
merges, validates and writes. Components find each other only through *offers*, by capability, never by name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple, Protocol

from pydantic import Field

from homelabmon.spec import names
from homelabmon.spec.base import DnsLabel, Model, Name, Values

if TYPE_CHECKING:
    from homelabmon.spec.cluster import Cluster
    from homelabmon.spec.packs import Packs
    from homelabmon.spec.routes import Channel, Defaults, Dependency, InhibitRule, Maintenance, Route
    from homelabmon.spec.secret_store import SecretStore
    from homelabmon.spec.secrets import SecretRef
    from homelabmon.spec.watch import Alert, Heartbeat, Outpost, Probe, Scrape, StatusPage

Object = dict[str, Any]
"""A Kubernetes object, as plain data."""
Params = Mapping[str, object]
EMPTY: Final[Mapping[str, Any]] = MappingProxyType({})


class ComponentConfig(Model):
    """What every component's section accepts."""

    namespace: DnsLabel = "monitoring"
    """Namespace it is installed in."""
    values: Values = Field(default_factory=dict)
    """Raw Helm values, merged last over ours: mappings merge, everything else replaces."""


class Chart(NamedTuple):
    """A Helm chart: where it is, and which version this package was tested with.

    ``tpl`` lists the value paths that the chart's templates pass through Helm's ``tpl``, each with how often: there,
    every ``{{`` of ours is escaped that often. ``*`` stands for any key.
    """

    name: str
    url: str
    version: str
    tpl: tuple[tuple[tuple[str, ...], int], ...] = ()


class Template(NamedTuple):
    """A template file, relative to the templates folder, and what it is given."""

    path: str
    params: Params = EMPTY


class Health(NamedTuple):
    """An object whose health Flux awaits. ``current`` is a CEL expression for kinds that kstatus does not know."""

    api_version: str
    kind: str
    name: str
    namespace: str
    current: str = ""


class App(NamedTuple):
    """One Flux Kustomization: a folder of objects that become ready together.

    ``after`` names apps that must be ready first (those that are not rendered are left out). Flux waits for every
    object of the app, or, when ``health`` is given, for just those (operators make objects Flux does not see).
    Several components may contribute to one app: their ``after`` and ``health`` add up.
    """

    name: str
    namespace: str
    after: tuple[str, ...] = ()
    health: tuple[Health, ...] = ()


class Release(NamedTuple):
    """A Helm release inside an app. Its values are folded from every contribution that names it."""

    name: str
    app: str
    namespace: str
    chart: Chart


class ReleaseValues(NamedTuple):
    """Values for a release: a template of ours, then ``override`` (the user's ``values:``), merged last."""

    release: str
    template: Template | None = None
    override: Mapping[str, Any] = EMPTY


class Manifest(NamedTuple):
    """Objects of an app in one file: from a template, or as data."""

    app: str
    file: str
    template: Template | None = None
    objects: tuple[Object, ...] = ()


class Rules(NamedTuple):
    """Rule groups, rendered twice: as a PrometheusRule, and as a plain file that promtool reads.

    The template gives ``{"groups": [...]}``; ``drop`` names alerts the owner does not want.
    """

    name: str
    template: Template
    drop: tuple[str, ...] = ()


class PlainFile(NamedTuple):
    """A file that is no Kubernetes object: a text template, or data written as YAML."""

    path: str
    template: Template | None = None
    data: Mapping[str, Any] | None = None


class Node(NamedTuple):
    """A box in the graph; ``kind`` decides its shape: component, channel, store, external, thing."""

    id: str
    label: str
    kind: str = "component"


class Edge(NamedTuple):
    """An arrow in the graph; ``flow`` is one of logs, alerts, metrics, probes, depends."""

    source: str
    target: str
    flow: str
    label: str = ""


class DocRow(NamedTuple):
    """A row of the monitoring page's table of components."""

    component: str
    where: str
    notes: str


class NamespaceNeed(NamedTuple):
    """A namespace and the pod-security level that what runs there needs (``privileged`` wins)."""

    name: str
    level: str = "baseline"


class SecretNeed(NamedTuple):
    """A Secret that must exist, with the keys read from it, and who reads it."""

    namespace: str
    secret: str
    key: str
    reader: str


class Contribution(NamedTuple):
    """Everything one component gives to the render. Order inside a field is kept; the fold sorts what it must."""

    apps: tuple[App, ...] = ()
    releases: tuple[Release, ...] = ()
    values: tuple[ReleaseValues, ...] = ()
    manifests: tuple[Manifest, ...] = ()
    rules: tuple[Rules, ...] = ()
    files: tuple[PlainFile, ...] = ()
    namespaces: tuple[NamespaceNeed, ...] = ()
    secrets: tuple[SecretNeed, ...] = ()
    nodes: tuple[Node, ...] = ()
    edges: tuple[Edge, ...] = ()
    docs: tuple[DocRow, ...] = ()


# What components offer each other ----------------------------------------------------------------------------------

ALERTS_PEOPLE = "alerts.people"
"""Takes Alertmanager's webhooks for people (the relay). ``data``: ``token``, ``self_channel``, ``image`` (what it runs)
and ``outside_url``, its address for those outside the cluster, or None."""
PINGS = "pings.spool"
"""Takes pings of jobs in the cluster, and passes them on to the outpost."""
ALERTS_DEADMAN = "alerts.deadman"
"""Takes the Watchdog (the outpost)."""
EVENTS_FALCO = "events.falco"
"""Takes Falco's events, one JSON object a POST. ``data``: ``path_secret``, a SecretRef of the URL's last segment."""
ALERTMANAGER = "alertmanager.api"
"""Takes alerts, and tells what fires. ``data``: ``replicas`` (each one's address), ``external_url`` (for people), and
``places`` (a Place for each replica) where it is not ours but the owner's."""
METRICS = "metrics.query"
"""Answers PromQL. ``data``: ``external_url`` (for people), or None."""
DASHBOARDS = "dashboards"
"""Shows what is measured. ``data``: ``external_url`` (for people), or None."""
LOGS_INTAKE = "logs.intake"
"""Takes logs in Vector's protocol (the aggregator)."""
LOGS_PUSH = "logs.push"
"""Takes logs in Loki's protocol. ``data``: ``title``, its name for people."""
LOGS_FORWARD = "logs.forward"
"""Events written to a container's log that must reach another component without loss. ``namespace`` is the pods';
``data``: ``to`` (the capability that takes them, one JSON object a POST), ``pods`` (glob of pod names), ``container``
and ``keys`` (what a JSON line must hold to be an event)."""
DATASOURCE = "grafana.datasource"
"""Something Grafana can query; ``data`` holds the datasource."""
PROBER = "probes.blackbox"
LB_SERVICE = "lb.service"
"""A Service that has a fixed address; ``data`` holds ``name`` (its key in ``lb_ips``), ``ip``, ``behind`` (the Service
for the cluster with the same pods) and ``needs`` (a capability without which it is not rendered, or "")."""
GUARD = "security.runtime"
"""Runtime threat detection that can be watched itself; its pods may post to whoever takes its events."""
METRICS_CRDS = "crds.prometheus-operator"
"""The app after which ServiceMonitors, rules and probes can be applied."""


class Place(NamedTuple):
    """Where something runs that is not ours: a namespace of the cluster, or "" and a host outside of it."""

    namespace: str
    host: str
    port: int


class Offer(NamedTuple):
    """Something a component offers: a capability, where to reach it, and which pods stand behind it."""

    capability: str
    url: str = ""
    app: str = ""
    namespace: str = ""
    service: str = ""
    port: int = 0
    pod_labels: Mapping[str, str] = EMPTY
    data: Mapping[str, Any] = EMPTY


class Site(NamedTuple):
    """What a component sees of the stack: the shared sections and the offers of all components."""

    name: str
    cluster: Cluster
    charts: Mapping[str, Chart]
    lb_ips: Mapping[str, str]
    channels: Mapping[str, Channel]
    defaults: Defaults
    routes: Sequence[Route]
    inhibit: Sequence[InhibitRule]
    depends_on: Mapping[str, Dependency]
    maintenance: Sequence[Maintenance]
    heartbeats: Sequence[Heartbeat]
    probes: Sequence[Probe]
    scrape: Sequence[Scrape]
    alerts: Sequence[Alert]
    packs: Packs
    outpost: Outpost | None
    status_page: StatusPage | None
    secrets: SecretStore | None
    runbooks: str
    extra: Sequence[Object]
    offers: tuple[Offer, ...] = ()
    channel_routes: tuple[Route, ...] = ()
    """Routes that follow from the channels that heartbeats and probes of the cluster name; tried before ``routes``."""

    @property
    def all_routes(self) -> tuple[Route, ...]:
        """Every route of the cluster's alerts, in the order in which they are tried."""
        return (*self.channel_routes, *self.routes)

    def offered(self, capability: str) -> tuple[Offer, ...]:
        """Every offer of a capability, in the order of the component list."""
        return tuple(offer for offer in self.offers if offer.capability == capability)

    def offer(self, capability: str) -> Offer | None:
        """The first offer of a capability, or None."""
        return next(iter(self.offered(capability)), None)

    def chart(self, default: Chart) -> Chart:
        """The chart as the stack pins it, else as we tested it."""
        pin = self.charts.get(default.name)
        return default if pin is None else default._replace(url=pin.url or default.url, version=pin.version)

    def lb_annotations(self, service: str) -> dict[str, str]:
        """Annotations that give a Service its fixed address; empty when it has none.

        The annotation alone: with ``spec.loadBalancerIP`` as well MetalLB gives no address at all.
        """
        address, key = self.lb_ips.get(service), LB_ANNOTATIONS.get(self.cluster.load_balancer.provider)
        if address is None or key is None:
            return {}
        return {key: address}

    @property
    def ipv6(self) -> bool:
        """Whether pods must listen on IPv6 as well as on IPv4."""
        said = self.cluster.ipv6
        return said if said is not None else any(":" in text for text in (*self.lb_ips.values(), *self._pool))

    @property
    def _pool(self) -> tuple[str, ...]:
        return self.cluster.load_balancer.pool

    def service_url(self, service: str, namespace: str, port: int) -> str:
        """A Service's address inside the cluster, fully qualified."""
        return f"http://{service}.{namespace}.svc.{self.cluster.domain}:{port}"

    def lan_url(self, service: str, port: int) -> str | None:
        """A service's address on the LAN, or None when it has none."""
        address = self.lb_ips.get(service)
        if address is None:
            return None
        host = f"[{address}]" if ":" in address else address
        return f"http://{host}" + ("" if port == 80 else f":{port}")

    def secret_default(self, key: str) -> SecretRef:
        """The reference used when the stack names none: a key of the relay's own Secret."""
        from homelabmon.spec.secrets import SecretRef

        return SecretRef(secret="homelabmon-relay", key=key)  # noqa: S106


LB_ANNOTATIONS: Mapping[str, str] = {
    "metallb": names.METALLB_IPS,
    "cilium": names.CILIUM_IPS,
    "kube-vip": names.KUBE_VIP_IPS,
}


class Component(Protocol):
    """One deployable piece: its name, its section of stack.yaml (None for always-on parts) and two pure functions."""

    name: ClassVar[Name]
    config: ClassVar[type[ComponentConfig] | None]

    def offers(self, config: Any, site: Site) -> tuple[Offer, ...]:
        """What it offers to others. Must not look at ``site.offers``."""

    def contribute(self, config: Any, site: Site) -> Contribution:
        """What it gives to the render."""
