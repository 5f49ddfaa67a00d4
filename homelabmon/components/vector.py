"""Vector, the log shipper: an agent on every node, and the aggregator they ship through (chart vector, twice).

It needs somewhere to ship to: a log store, or somebody who takes forwarded events. Without either it contributes
nothing, as an aggregator that throws everything away is worse than none.

The agents read what the kubelet keeps of each container's log. Ordinary logs come from Vector's own Kubernetes source,
which cannot acknowledge: what it has read and not yet buffered is lost when an agent is killed. Forwarded events
(``LOGS_FORWARD``) must not be lost, so they have a path of their own: a file source that moves on only when the
aggregator has the event on its disk, another port, and another buffer, so that a log store that is down cannot hold
them up either.
"""

import json
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, Self

from pydantic import AfterValidator, Field, StrictInt, model_validator

from homelabmon.components import lan
from homelabmon.spec import names
from homelabmon.spec.base import DnsLabel, Model, Quantity, Unique, Values, in_bytes
from homelabmon.spec.contribution import (
    LOGS_FORWARD,
    LOGS_INTAKE,
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
    SecretNeed,
    Site,
    Template,
)
from homelabmon.spec.secrets import SecretRef

# What the chart passes through Helm's tpl, found by rendering vector 0.56.0.
CHART = Chart(
    "vector",
    "oci://ghcr.io/vectordotdev/helm-charts/vector",
    "0.56.0",
    tpl=(
        (("customConfig",), 1),
        (("extraContainers",), 1),
        (("extraObjects",), 1),
        (("haproxy", "customConfig"), 1),
        (("haproxy", "extraContainers"), 1),
        (("haproxy", "initContainers"), 1),
        (("initContainers",), 1),
    ),
)
APP = "vector"
AGENT = "vector-agent"
AGGREGATOR = "vector-aggregator"
FORWARD_SERVICE = "vector-forward"
PORT = 6000
FORWARD_PORT = 6001
METRICS_PORT = 9090
API_PORT = 8686
SYSLOG_PORT = 5514
DATA_DIR = "/vector-data-dir"
SECRETS_DIR = "/etc/vector-secrets"
MIN_BUFFER = 268_435_488
"""The smallest disk buffer that Vector accepts, in bytes: two data files of 128 MiB, and 32 bytes."""


def buffer_bytes(quantity: str) -> int:
    """A buffer's size in bytes; ``256Mi`` is 32 bytes short of what Vector accepts, and is rounded up."""
    return max(in_bytes(quantity), MIN_BUFFER)


def _big_enough(value: str) -> str:
    if in_bytes(value) < 2**28:
        raise ValueError("a disk buffer cannot be smaller than 256Mi: write 256Mi or more")
    return value


BufferSize = Annotated[Quantity, AfterValidator(_big_enough)]


class VectorAgent(Model):
    """The agents, one on every node."""

    buffer: BufferSize = "512Mi"
    """Space on each node, below `/var/lib/vector`, for logs that the aggregator does not take yet."""
    exclude_namespaces: Annotated[tuple[DnsLabel, ...], Unique] = Field(default=(), examples=[["kube-system"]])
    """Namespaces whose logs are not collected. Single pods: label them `vector.dev/exclude: "true"`."""
    tolerations: tuple[dict[str, Any], ...] = ({"operator": "Exists"},)
    """Taints that agents accept. Default: all of them, as every node has logs."""
    memory: Quantity | None = Field(default=None, examples=["256Mi"])
    """Memory request and limit of each agent."""
    values: Values = Field(default_factory=dict)
    """Raw Helm values for the agents alone, merged after the section's own `values`."""


class Syslog(Model):
    """A syslog input, for routers, switches and NAS boxes."""

    port: StrictInt = Field(default=514, ge=1, le=65535)
    """Port on the aggregator's LoadBalancer address."""
    protocol: Literal["udp", "tcp"] = "udp"
    """udp or tcp."""


class VectorAggregator(Model):
    """The aggregator, through which all logs go."""

    storage: Quantity = "5Gi"
    """Size of the volume that holds the buffers."""
    storage_class: DnsLabel | None = None
    """StorageClass of the volume. Default: `cluster.storage_class`."""
    buffer: BufferSize = "3Gi"
    """Space on the volume for logs that the log store does not take yet. Agents wait when it is full."""
    syslog: Syslog | None = None
    """Also take syslog; `syslog: {}` for UDP on port 514."""
    memory: Quantity | None = Field(default=None, examples=["512Mi"])
    """Memory request and limit."""
    values: Values = Field(default_factory=dict)
    """Raw Helm values for the aggregator alone, merged after the section's own `values`."""

    @model_validator(mode="after")
    def _buffers_fit(self) -> Self:
        # Vector does not start when its buffers could outgrow the volume; forwarded events have one more.
        if buffer_bytes(self.buffer) + MIN_BUFFER > in_bytes(self.storage) * 0.9:
            raise ValueError(
                f"the buffer of {self.buffer} does not fit into storage of {self.storage}: "
                "leave room for another 256Mi and a tenth of the volume"
            )
        return self


class VectorConfig(ComponentConfig):
    """The `vector` section. `values` go to agents and aggregator alike. Vector needs a log store to ship to."""

    agent: VectorAgent = VectorAgent.model_construct()
    """The agents, one on every node."""
    aggregator: VectorAggregator = VectorAggregator.model_construct()
    """The aggregator, through which all logs go."""


class Forward(NamedTuple):
    """Events of one offer: where the agents find them, and where the aggregator delivers them."""

    name: str
    """As Vector's names of components and secrets want it: letters, digits, underscores."""
    files: str
    """Folder of the container's log files, a glob."""
    condition: str
    """What makes a line an event, in Vector's language; ``event`` is the parsed line."""
    uri: str
    secret: SecretRef | None
    source: str


class Vector:
    """Contributes both releases, the Service of the forwarding path, and the PodMonitors."""

    name: ClassVar[str] = "vector"
    config: ClassVar[type[ComponentConfig] | None] = VectorConfig

    def offers(self, config: VectorConfig, site: Site) -> tuple[Offer, ...]:
        """Takes logs from anything that speaks Vector's protocol, from the LAN as well."""
        url = site.service_url(AGGREGATOR, config.namespace, PORT)
        return (
            Offer(LOGS_INTAKE, url, APP, config.namespace, AGGREGATOR, PORT, pod_labels(AGGREGATOR)),
            *lan.offers(site, "vector", config.namespace, PORT, AGGREGATOR, needs=LOGS_PUSH),
        )

    def contribute(self, config: VectorConfig, site: Site) -> Contribution:
        """Agents and aggregator; nothing when there is nowhere to ship to."""
        store, forwards = site.offer(LOGS_PUSH), _forwards(site)
        if store is None and not forwards:
            return Contribution()
        chart = site.chart(CHART)
        params = {
            "namespace": config.namespace,
            "cluster_domain": site.cluster.domain,
            "agent": config.agent,
            "aggregator": config.aggregator,
            "buffer_bytes": buffer_bytes,
            "min_buffer": MIN_BUFFER,
            "image_tag": image_tag(chart.version),
            "store_url": store.url if store is not None else None,
            "storage_class": config.aggregator.storage_class or site.cluster.storage_class,
            "service_ports": _service_ports(config.aggregator, store),
            "forwards": forwards,
            "forward_service": FORWARD_SERVICE,
            "exclude": ",".join(f"metadata.namespace!={name}" for name in config.agent.exclude_namespaces),
            "ports": {
                "vector": PORT,
                "forward": FORWARD_PORT,
                "metrics": METRICS_PORT,
                "api": API_PORT,
                "syslog": SYSLOG_PORT,
            },
            # The second takes IPv4 as well; without IPv6 in the kernel it cannot be had.
            "listen": "[::]" if site.ipv6 else "0.0.0.0",  # noqa: S104 - a pod's own addresses
            "data_dir": DATA_DIR,
            "secrets_dir": SECRETS_DIR,
        }
        return Contribution(
            apps=(App(APP, config.namespace, after=(store.app,) if store is not None else ()),),
            releases=tuple(Release(name, APP, config.namespace, chart) for name in (AGENT, AGGREGATOR)),
            values=(
                ReleaseValues(AGENT, Template("vector/agent.yaml.j2", params), config.values),
                ReleaseValues(AGENT, override=config.agent.values),
                ReleaseValues(AGGREGATOR, Template("vector/aggregator.yaml.j2", params), config.values),
                ReleaseValues(AGGREGATOR, override=config.aggregator.values),
            ),
            manifests=_manifests(config, site, store is not None, bool(forwards)),
            # The agents read the logs of the host.
            namespaces=(NamespaceNeed(config.namespace, "privileged"),),
            secrets=tuple(
                SecretNeed(config.namespace, item.secret.secret, item.secret.key, "the Vector aggregator")
                for item in forwards
                if item.secret is not None
            ),
            nodes=(Node(AGENT, "Vector agents"), Node(AGGREGATOR, "Vector aggregator")),
            edges=_edges(site, store, forwards),
            docs=(DocRow("Vector", "DaemonSet + aggregator StatefulSet", _notes(store)),),
        )


def image_tag(version: str) -> str | None:
    """The image that belongs to a chart version; since 0.56.0 chart and Vector are released in step. None before.

    Named in the values, so that the Vector that reads our configuration is the one we wrote it for.
    """
    major, minor = (int(part) for part in version.removeprefix("v").split(".")[:2])
    return f"{version.removeprefix('v')}-distroless-libc" if (major, minor) >= (0, 56) else None


def pod_labels(release: str) -> dict[str, str]:
    """The labels of a release's pods."""
    return {"app.kubernetes.io/name": "vector", "app.kubernetes.io/instance": release}


def _forwards(site: Site) -> tuple[Forward, ...]:
    """Every forward whose destination is there."""
    found = []
    for offer in site.offered(LOGS_FORWARD):
        target = site.offer(offer.data["to"])
        if target is None:
            continue
        name, secret = offer.app.replace("-", "_"), target.data.get("path_secret")
        found.append(
            Forward(
                name=name,
                files=f"/var/log/pods/{offer.namespace}_{offer.data['pods']}_*/{offer.data['container']}",
                condition=" && ".join(f"exists(event.{json.dumps(key)})" for key in offer.data["keys"]),
                # Vector's own notation for a secret, read from a file: no environment variable, so no `$`.
                uri=target.url if secret is None else f"{target.url}/SECRET[{name}.{secret.key}]",
                secret=secret,
                source=offer.app,
            )
        )
    return tuple(found)


def _service_ports(aggregator: VectorAggregator, store: Offer | None) -> list[dict[str, Any]]:
    """What the aggregator's Service shows inside the cluster: where logs can be sent to."""
    if store is None:
        return [{"name": "forward", "port": FORWARD_PORT, "targetPort": FORWARD_PORT, "protocol": "TCP"}]
    ports = [{"name": "vector", "port": PORT, "targetPort": PORT, "protocol": "TCP"}]
    if aggregator.syslog is not None:
        syslog = aggregator.syslog
        ports.append(
            {"name": "syslog", "port": syslog.port, "targetPort": SYSLOG_PORT, "protocol": syslog.protocol.upper()}
        )
    return ports


def _lan_ports(aggregator: VectorAggregator) -> tuple[lan.Port, ...]:
    ports = [lan.Port("vector", PORT, PORT)]
    if aggregator.syslog is not None:
        ports.append(lan.Port("syslog", aggregator.syslog.port, SYSLOG_PORT, aggregator.syslog.protocol.upper()))
    return tuple(ports)


def _manifests(config: VectorConfig, site: Site, storing: bool, forwarding: bool) -> tuple[Manifest, ...]:
    manifests: list[Manifest] = []
    if storing:
        # Without a store there is nothing that the LAN could send logs to.
        ports = _lan_ports(config.aggregator)
        manifests += lan.manifests(site, "vector", APP, config.namespace, pod_labels(AGGREGATOR), ports)
    if forwarding:
        forward = {
            "name": FORWARD_SERVICE,
            "namespace": config.namespace,
            "selector": pod_labels(AGGREGATOR),
            "port": FORWARD_PORT,
        }
        manifests.append(Manifest(APP, "service-forward.yaml", Template("vector/service-forward.yaml.j2", forward)))
    crds = site.offer(METRICS_CRDS)
    if crds is not None:
        monitors = {
            "namespace": crds.namespace,
            "vector_namespace": config.namespace,
            "monitors": [
                {"name": release, "job": job, "labels": pod_labels(release)}
                for release, job in ((AGENT, names.JOB_VECTOR_AGENT), (AGGREGATOR, names.JOB_VECTOR_AGGREGATOR))
            ],
        }
        manifests.append(Manifest(crds.app, "vector.yaml", Template("vector/podmonitors.yaml.j2", monitors)))
    return tuple(manifests)


def _edges(site: Site, store: Offer | None, forwards: tuple[Forward, ...]) -> tuple[Edge, ...]:
    edges = [Edge(AGENT, AGGREGATOR, "logs")]
    if store is not None:
        edges.append(Edge(AGGREGATOR, store.service, "logs"))
    for forward in forwards:
        edges.append(Edge(forward.source, AGENT, "alerts", "through its log"))
        edges.append(Edge(AGENT, AGGREGATOR, "alerts", f"events of {forward.source}"))
        edges.append(Edge(AGGREGATOR, "relay", "alerts", f"events of {forward.source}"))
    if site.offer(METRICS_CRDS) is not None:
        edges += [Edge(AGENT, "prometheus", "metrics"), Edge(AGGREGATOR, "prometheus", "metrics")]
    return tuple(edges)


def _notes(store: Offer | None) -> str:
    if store is None:
        return "forwards events; there is no log store to ship logs to"
    return f"agents on every node, ship to {store.data.get('title', store.service)} through the aggregator"


VECTOR = Vector()
