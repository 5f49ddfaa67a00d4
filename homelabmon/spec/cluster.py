"""The ``cluster:`` section: what the cluster is, how it hands out LoadBalancer addresses, how Flux reads the output."""

from datetime import timedelta
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, StrictBool, StrictInt, StringConstraints, model_validator

from homelabmon.spec.base import DnsLabel, IPAddress, Model, PositiveDuration, Unique

Distribution = Literal["k3s", "talos", "kubeadm", "rke2"]
LoadBalancerProvider = Literal["metallb", "cilium", "kube-vip", "none"]
WITH_METRICS: Final = ("metallb", "cilium")
"""Providers whose own metrics rules of ours look at."""


class LoadBalancer(Model):
    """Who gives LoadBalancer Services their address."""

    provider: LoadBalancerProvider = "none"
    """metallb, cilium, kube-vip, or none (no LoadBalancer Services: `lb_ips` must then be empty)."""
    pool: tuple[str, ...] = Field(default=(), examples=[["192.168.1.224/28"], ["192.168.1.229-192.168.1.240"]])
    """Address ranges, as CIDR blocks or `first-last`. With MetalLB and Cilium the pool objects are rendered from it."""
    pool_name: DnsLabel = "homelab"
    """Name of the IPAddressPool or CiliumLoadBalancerIPPool."""
    namespace: DnsLabel = "metallb-system"
    """MetalLB's own namespace: its objects must live there."""
    manage_pool: StrictBool = True
    """Whether to render the pool and its announcement; false when another repository owns them."""
    interfaces: Annotated[tuple[Annotated[str, StringConstraints(min_length=1)], ...], Unique] = Field(
        default=(), examples=[["^eth[0-9]+"]]
    )
    """Interfaces to announce on; regular expressions for Cilium, names for MetalLB. Empty: all."""
    metrics: Literal["scrape", "elsewhere", "none"] | None = None
    """The provider's own metrics, which tell of pools that run full and, with MetalLB, of addresses that nobody or
    several nodes announce. `scrape`: a monitor is rendered. `elsewhere`: one of yours scrapes them. `none`: nobody
    does, and no rule that needs them is rendered. Default: scrape with MetalLB and Cilium (whose operator must have
    `operator.prometheus.enabled: true`, its chart's default). Nothing needs those of kube-vip."""

    @model_validator(mode="after")
    def _has_metrics(self) -> Self:
        if self.metrics in ("scrape", "elsewhere") and self.provider not in WITH_METRICS:
            raise ValueError(f"no rule needs metrics of {self.provider}: remove `metrics: {self.metrics}`")
        return self

    @property
    def metrics_are(self) -> Literal["scrape", "elsewhere", "none"]:
        """Who scrapes the provider's metrics, the default filled in."""
        return self.metrics or ("scrape" if self.provider in WITH_METRICS else "none")


class ControlPlane(Model):
    """Which control-plane metrics can be scraped. What cannot must not be scraped, or its alerts fire for ever."""

    metrics: Literal["exposed", "hidden"] = "hidden"
    """`exposed` when controller-manager, scheduler and etcd listen on the node's address (bind-address=0.0.0.0)."""
    endpoints: Annotated[tuple[IPAddress, ...], Unique] = ()
    """Addresses of the control-plane nodes. Needed on k3s and rke2, where no pods stand for these components."""
    etcd: StrictBool = True
    """Whether there is an etcd to scrape (false for k3s on SQLite)."""
    kube_proxy: StrictBool | None = None
    """Whether kube-proxy runs and exposes metrics. Default: no with Cilium or hidden metrics, else yes."""


DOMAIN = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"


class FluxSource(Model):
    """The Flux source that holds the rendered tree."""

    kind: Literal["GitRepository", "OCIRepository", "Bucket"] = "GitRepository"
    """Kind of the source."""
    name: DnsLabel = "flux-system"
    """Name of the source."""
    namespace: DnsLabel = "flux-system"
    """Namespace of the source."""


def _theirs(value: str) -> str:
    if value.startswith("homelabmon-"):
        raise ValueError("that is one of ours, which would wait for itself: name a Kustomization of yours")
    return value


def _inside(value: str) -> str:
    if ".." in value.split("/"):
        raise ValueError("the path leaves the source: write it from the top of the repository, such as ./rendered")
    return value


class FluxDependency(Model):
    """A Flux Kustomization of yours that ours must wait for."""

    name: Annotated[DnsLabel, AfterValidator(_theirs)]
    """Name of the Kustomization."""
    namespace: DnsLabel | None = None
    """Its namespace; default: that of our Kustomizations."""


class Flux(Model):
    """How Flux reconciles the output."""

    enabled: StrictBool = True
    """Whether to render Flux objects. Off: values and manifests only, for `helm` and `kubectl`."""
    source: FluxSource = FluxSource.model_construct()
    """Where Flux finds the rendered tree."""
    path: Annotated[str, StringConstraints(pattern=r"^\./[^\s]*[^/\s]$"), AfterValidator(_inside)] = "./rendered"
    """Path of the rendered tree inside the source, starting with `./`."""
    namespace: DnsLabel = "flux-system"
    """Namespace of the Flux Kustomizations."""
    interval: PositiveDuration = timedelta(hours=1)
    """How often Flux reconciles without a change."""
    retry_interval: PositiveDuration = timedelta(minutes=2)
    """How soon Flux tries again after a failure."""
    timeout: PositiveDuration = timedelta(minutes=15)
    """How long Flux waits for an app to become ready."""
    remediation: StrictBool = True
    """Whether HelmReleases carry their own remediation; false where a cluster-wide patch sets it."""
    crds: StrictBool = True
    """Whether HelmReleases carry `crds: CreateReplace`; false where a cluster-wide patch sets it."""
    depends_on: tuple[FluxDependency, ...] = ()
    """Kustomizations of yours to wait for before anything else: MetalLB, storage, secrets."""
    substitution: Literal["disabled", "escaped"] = "disabled"
    """Flux post-build substitution would eat `${...}` in dashboards and configs. `disabled` marks each object so
    that it is left alone; `escaped` doubles every `$` instead, for setups where substitution always runs. Neither is
    done to what stands below `extra`."""


class Cluster(Model):
    """The cluster that is watched."""

    distribution: Distribution
    """k3s, talos, kubeadm or rke2: decides which control-plane targets exist and which default rules misfire."""
    kubernetes: Annotated[str, StringConstraints(pattern=r"^1\.\d{2}$")] = "1.34"
    """Kubernetes minor version, for validating what is rendered."""
    domain: Annotated[str, StringConstraints(pattern=DOMAIN, max_length=253)] = "cluster.local"
    """The cluster's DNS domain."""
    nodes: StrictInt = Field(default=3, ge=1, le=5000)
    """How many nodes there are. On one node replicas cannot spread, and overcommit alerts make no sense."""
    ipv6: StrictBool | None = None
    """Whether pods have IPv6 addresses: what by itself knows IPv4 alone (Vector, Falco, Loki, node exporter) then
    uses both. Default: yes when `lb_ips` or the pool hold an IPv6 address."""
    storage_class: DnsLabel | None = None
    """StorageClass of every volume; default: the cluster's default class."""
    load_balancer: LoadBalancer = LoadBalancer.model_construct()
    """Who gives LoadBalancer Services their address."""
    control_plane: ControlPlane = ControlPlane.model_construct()
    """Which control-plane metrics can be scraped."""
    flux: Flux = Flux.model_construct()
    """How Flux reconciles the output."""
