"""Falco, runtime threat detection on every node (chart falco).

Events reach whoever takes them on one of two ways:

- ``http``: Falco posts each event itself. It repeats only after a timeout and ignores every answer, so what it sends
  while the taker restarts is gone.
- ``vector``: Falco writes to its log, and the log collector carries the events from there, through files, buffers on
  disk and confirmations. Nothing is lost. This is the default where a collector is part of the stack.
"""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from homelabmon.spec import names
from homelabmon.spec.base import DnsLabel
from homelabmon.spec.contribution import (
    EVENTS_FALCO,
    GUARD,
    LOGS_FORWARD,
    LOGS_INTAKE,
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

# What the chart passes through Helm's tpl, found by rendering falco 9.1.0. Not customRules, nothing under `falco`.
CHART = Chart(
    "falco",
    "oci://ghcr.io/falcosecurity/charts/falco",
    "9.1.0",
    tpl=(
        (("driver", "loader", "initContainer", "env"), 1),
        (("extra", "env"), 1),
        (("falcoctl", "artifact", "follow", "env"), 1),
        (("falcoctl", "artifact", "follow", "envFrom"), 1),
        (("falcoctl", "artifact", "install", "env"), 1),
        (("falcoctl", "artifact", "install", "envFrom"), 1),
        (("serviceMonitor", "namespace"), 1),
    ),
)
APP = "falco"
POD_LABELS = {"app.kubernetes.io/name": "falco", "app.kubernetes.io/instance": "falco"}
CONTAINERD = "/run/containerd/containerd.sock"
CONTAINERD_K3S = "/run/k3s/containerd/containerd.sock"
PATH_VARIABLE = "HOMELABMON_FALCO_PATH"

RulesFile = Annotated[str, StringConstraints(pattern=r"^[-._a-zA-Z0-9]+\.yaml$")]
Priority = Literal["emergency", "alert", "critical", "error", "warning", "notice", "informational", "debug"]


class FalcoConfig(ComponentConfig):
    """The `falco` section."""

    namespace: DnsLabel = "security"
    """Namespace it is installed in."""
    priority: Priority = "notice"
    """Least priority of the rules that are loaded."""
    path: Literal["http", "vector"] | None = None
    """How events get to the relay: `vector`, through its log, buffered on disk on the way, or `http`, straight and
    with losses while the relay restarts. Default: `vector` where Vector is part of the stack."""
    container_socket: Annotated[str, StringConstraints(pattern=r"^/\S+$")] | None = Field(
        default=None, examples=["/run/crio/crio.sock"]
    )
    """Socket of the container runtime on the nodes. Default: containerd's, where the distribution keeps it."""
    rules: dict[RulesFile, str] = Field(default_factory=dict)
    """Rules of your own, by file name: the text of a Falco rules file."""


class Falco:
    """Contributes the release and its ServiceMonitor."""

    name: ClassVar[str] = "falco"
    config: ClassVar[type[ComponentConfig] | None] = FalcoConfig

    def offers(self, config: FalcoConfig, site: Site) -> tuple[Offer, ...]:
        """A guard; and, unless it must post its events itself, where in the log they are found."""
        guard = Offer(GUARD, app=APP, namespace=config.namespace, pod_labels=POD_LABELS)
        if config.path == "http":
            return (guard,)
        log = {"to": EVENTS_FALCO, "pods": "falco-*", "container": "falco", "keys": ("rule", "priority")}
        return (guard, Offer(LOGS_FORWARD, app=APP, namespace=config.namespace, pod_labels=POD_LABELS, data=log))

    def contribute(self, config: FalcoConfig, site: Site) -> Contribution:
        """Falco on every node, with as few rights as its driver needs."""
        taker = site.offer(EVENTS_FALCO)
        direct = taker if site.offer(LOGS_INTAKE) is None or config.path == "http" else None
        path: SecretRef | None = direct.data.get("path_secret") if direct is not None else None
        params = {
            "config": config,
            "ipv6": site.ipv6,
            "socket": config.container_socket or default_socket(site),
            "url": None if direct is None else direct.url + (f"/${{{PATH_VARIABLE}}}" if path is not None else ""),
            "path": path,
            "path_variable": PATH_VARIABLE,
        }
        crds, manifests, edges = site.offer(METRICS_CRDS), [], []
        if crds is not None:
            monitor = {"namespace": crds.namespace, "falco_namespace": config.namespace, "job": names.JOB_FALCO}
            manifests.append(Manifest(crds.app, "falco.yaml", Template("falco/servicemonitor.yaml.j2", monitor)))
            edges.append(Edge("falco", "prometheus", "metrics"))
        if direct is not None:
            edges.append(Edge("falco", "relay", "alerts", "one request an event"))
        return Contribution(
            apps=(App(APP, config.namespace),),
            releases=(Release("falco", APP, config.namespace, site.chart(CHART)),),
            values=(ReleaseValues("falco", Template("falco/values.yaml.j2", params), config.values),),
            manifests=tuple(manifests),
            # It mounts /proc, /etc and the runtime's socket of the host, which nothing below privileged allows.
            namespaces=(NamespaceNeed(config.namespace, "privileged"),),
            secrets=() if path is None else (SecretNeed(config.namespace, path.secret, path.key, "Falco"),),
            nodes=(Node("falco", "Falco"),),
            edges=tuple(edges),
            docs=(DocRow("Falco", f"{config.namespace}/falco", _notes(taker)),),
        )


def default_socket(site: Site) -> str:
    """Where the distribution's containerd listens."""
    return CONTAINERD_K3S if site.cluster.distribution in ("k3s", "rke2") else CONTAINERD


def _notes(taker: Offer | None) -> str:
    return "runtime threat detection, " + ("alerts through Discord" if taker is not None else "events in its log alone")


FALCO = Falco()
