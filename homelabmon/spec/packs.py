"""The ``packs:`` section: alert packs that ship with homelabmon, and their thresholds."""

from datetime import timedelta
from typing import Annotated, Any

from pydantic import Field, StrictBool

from homelabmon.spec.base import AlertName, Model, PositiveDuration, Unique

Percent = Annotated[float, Field(strict=True, ge=0, le=100)]
Count = Annotated[int, Field(strict=True, ge=0)]
Number = Annotated[float, Field(strict=True, ge=0)]


class Pack(Model):
    """What every pack accepts."""

    enabled: StrictBool = True
    """Whether the pack is rendered."""
    disabled: Annotated[tuple[AlertName, ...], Unique] = ()
    """Alerts of the pack that you do not want."""

    def params(self) -> dict[str, Any]:
        """The options as a template takes them: durations as seconds."""
        return {name: _plain(getattr(self, name)) for name in type(self).model_fields}


def _plain(value: Any) -> Any:
    if isinstance(value, timedelta):
        seconds = value.total_seconds()
        return int(seconds) if seconds.is_integer() else seconds
    return value


class Nodes(Pack):
    """Nodes: down, out of memory, disks, clock, heat, reboots."""

    node_down_for: PositiveDuration = timedelta(seconds=120)
    """How long a node must be gone before NodeDown."""
    cordoned_down_for: PositiveDuration = timedelta(seconds=1800)
    """The same for a cordoned node: somebody is working on it."""
    memory_available_percent: Percent = 5
    """MemoryPressure below this much available memory. In percent."""
    memory_for: PositiveDuration = timedelta(seconds=300)
    """How long memory must be short."""
    disk_mountpoints: str = "/|/var|/var/lib(/(kubelet|rancher|containerd))?"
    """Filesystems the kubelet lives on. A regular expression."""
    disk_available_percent: Percent = 12
    """NodeDiskSpaceLow below this much free space. In percent."""
    disk_eviction_percent: Percent = 10
    """Where the kubelet starts to evict (its nodefs.available). In percent."""
    disk_fills_within: PositiveDuration = timedelta(seconds=86400)
    """NodeDiskFillsSoon when the trend reaches the eviction threshold by then."""
    inodes_free_percent: Percent = 7
    """NodeInodesLow below this (the kubelet evicts at 5). In percent."""
    readonly_ignore: str = "/(boot|usr|nix/store|media|sysroot)(/.*)?"
    """Mount points that are read-only on purpose. A regular expression."""
    clock_drift_seconds: Number = 2
    """NodeClockDrift above this distance from the clock of Prometheus. In seconds."""
    temperature_celsius: Number = 85
    """NodeTemperatureHigh above this. In degrees Celsius."""
    temperature_for: PositiveDuration = timedelta(seconds=600)
    """How long it must be that hot."""
    temperature_ignore: str = ""
    """Chips and thermal zone types whose readings are nonsense. A regular expression."""
    reboot_window: PositiveDuration = timedelta(seconds=900)
    """How long after a reboot NodeRebootedUnexpectedly is shown."""


class Pods(Pack):
    """Pods: what the chart's own rules leave out, say late, or say without the cause."""

    image_pull_for: PositiveDuration = timedelta(seconds=600)
    """How long an image may fail to be pulled."""
    start_error_for: PositiveDuration = timedelta(seconds=300)
    """How long a container may fail to be created."""
    unschedulable_for: PositiveDuration = timedelta(seconds=600)
    """How long a pod may find no node."""
    terminating_after: PositiveDuration = timedelta(seconds=900)
    """How long after its deletion deadline a pod may still be there."""
    restarts_per_hour: Count = 5
    """ContainerRestartsOften from this many restarts in an hour."""
    volume_claim_for: PositiveDuration = timedelta(seconds=900)
    """How long a claim that a pod wants may stay unbound."""


class Readiness(Pack):
    """Readiness and its blast radius: Services without endpoints, LoadBalancer addresses without backends."""

    backends_gone_for: PositiveDuration = timedelta(seconds=120)
    """How long a LoadBalancer Service may be without a ready endpoint."""
    service_for: PositiveDuration = timedelta(seconds=300)
    """The same for other Services."""
    probe_for: PositiveDuration = timedelta(seconds=300)
    """How long a running container may be not ready."""
    flaps_per_half_hour: Count = 3
    """ReadinessFlaps from this many losses of readiness in 30 minutes."""
    last_replica_for: PositiveDuration = timedelta(seconds=600)
    """How long a workload of several replicas may hang on one."""
    ignore_namespaces: str = ""
    """Namespaces that these rules leave alone. A regular expression."""
    ignore_services: str = ""
    """Services that these rules leave alone, by name. A regular expression."""


class LoadBalancerPack(Pack):
    """LoadBalancer addresses: missing, wrong, not announced, pool nearly used up."""

    no_address_for: PositiveDuration = timedelta(seconds=300)
    """How long a LoadBalancer Service may wait for an address."""
    wrong_address_for: PositiveDuration = timedelta(seconds=300)
    """How long a Service may have another address than the stack gives it."""
    service_missing_for: PositiveDuration = timedelta(seconds=900)
    """How long a Service of the stack's lb_ips may not exist."""
    not_announced_for: PositiveDuration = timedelta(seconds=120)
    """How long no MetalLB speaker may announce an address."""
    pool_used_percent: Percent = 90
    """AddressPoolNearlyFull above this. In percent."""
    pool_min_size: Count = 5
    """Pools smaller than this are meant to be full."""
    ignore_services: str = ""
    """Services that these rules leave alone, by name. A regular expression."""
    announcer_daemonset: str | None = None
    """DaemonSet that announces addresses; null: the provider's usual name, "": none. A regular expression."""


class Logs(Pack):
    """The log pipeline: Vector and Loki."""

    vector_down_for: PositiveDuration = timedelta(seconds=300)
    """How long the aggregator may be gone."""
    agent_missing_for: PositiveDuration = timedelta(seconds=600)
    """How long a node may be without a ready agent."""
    agent_daemonset: str = "vector-agent"
    """DaemonSet of the agents, in Vector's namespace."""
    exclude_nodes: str = ""
    """Nodes that have no agent on purpose. A regular expression."""
    errors_per_minute: Count = 6
    """VectorComponentErrors above this rate."""
    buffer_used_percent: Percent = 80
    """VectorBufferFills above this share of a disk buffer. In percent."""
    loki_down_for: PositiveDuration = timedelta(seconds=300)
    """How long Loki may be gone."""
    request_errors_percent: Percent = 5
    """LokiRequestErrors above this share of failed requests. In percent."""
    no_logs_for: PositiveDuration = timedelta(seconds=900)
    """How long Loki may receive nothing."""
    compactor_stalled_after: PositiveDuration = timedelta(seconds=10800)
    """LokiCompactorStalled after this long without a finished compaction."""


class RelayPack(Pack):
    """The relay itself; told by a native receiver, never through the relay."""

    down_for: PositiveDuration = timedelta(seconds=120)
    """How long the relay may be gone."""
    queue_age_seconds: Number = 300
    """RelayQueueOld when a message has waited this long. In seconds."""
    queue_alerts: Count = 50
    """RelayQueueGrows above this many waiting alerts, if they are still getting more."""
    unbalanced_for: PositiveDuration = timedelta(seconds=600)
    """How long received alerts may differ from accounted ones."""


class OutpostPack(Pack):
    """The outpost, as seen from the cluster."""

    down_for: PositiveDuration = timedelta(seconds=300)
    """How long the outpost may not answer."""
    blind_for: PositiveDuration = timedelta(seconds=300)
    """How long it may be cut off from the internet."""


class Cronjobs(Pack):
    """CronJobs: those declared as heartbeats, and any that starts late."""

    missing_for: PositiveDuration = timedelta(seconds=900)
    """How long a named CronJob may not exist."""
    suspended_after: PositiveDuration = timedelta(seconds=604800)
    """HeartbeatSuspended when a named CronJob has been suspended this long."""
    overdue_after: PositiveDuration = timedelta(seconds=3600)
    """CronJobOverdue when a run, of any CronJob, starts this late."""


class Probes(Pack):
    """Probes run by the blackbox exporter."""

    missing_for: PositiveDuration = timedelta(seconds=900)
    """How long a probe may deliver no result at all."""
    slow_seconds: Number = 2
    """ProbeSlow above this duration, averaged over ten minutes. In seconds."""
    slow_for: PositiveDuration = timedelta(seconds=600)
    """How long it must be slow."""
    certificate_days: Count = 14
    """ProbeCertificateExpires (warning) below this. In days."""
    certificate_critical_days: Count = 3
    """ProbeCertificateExpires (critical) below this. In days."""


class FalcoPack(Pack):
    """Falco itself: down, missing on a node, dropping events."""

    down_for: PositiveDuration = timedelta(seconds=300)
    """How long no Falco may answer."""
    missing_for: PositiveDuration = timedelta(seconds=600)
    """How long a node may be without a ready Falco."""
    daemonset: str = "falco"
    """DaemonSet of Falco."""
    exclude_nodes: str = ""
    """Nodes that have no Falco on purpose. A regular expression."""
    drops_percent: Percent = 1
    """FalcoDropsEvents above this share of system calls not looked at. In percent."""


class Packs(Model):
    """Alert packs. All are on; each can be tuned or switched off."""

    nodes: Nodes = Nodes.model_construct()
    """Nodes: down, out of memory, disks, clock, heat, reboots."""
    pods: Pods = Pods.model_construct()
    """Pods: what the chart's own rules leave out, say late, or say without the cause."""
    readiness: Readiness = Readiness.model_construct()
    """Readiness and its blast radius: Services without endpoints, LoadBalancer addresses without backends."""
    load_balancer: LoadBalancerPack = LoadBalancerPack.model_construct()
    """LoadBalancer addresses: missing, wrong, not announced, pool nearly used up."""
    logs: Logs = Logs.model_construct()
    """The log pipeline: Vector and Loki."""
    relay: RelayPack = RelayPack.model_construct()
    """The relay itself; told by a native receiver, never through the relay."""
    outpost: OutpostPack = OutpostPack.model_construct()
    """The outpost, as seen from the cluster."""
    cronjobs: Cronjobs = Cronjobs.model_construct()
    """CronJobs: those declared as heartbeats, and any that starts late."""
    probes: Probes = Probes.model_construct()
    """Probes run by the blackbox exporter."""
    falco: FalcoPack = FalcoPack.model_construct()
    """Falco itself: down, missing on a node, dropping events."""
