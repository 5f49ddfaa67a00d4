"""values-trap: Helm values that a chart takes without complaint, and that then break what they were meant for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from homelabmon.checks.support.check import Check, Problem
from homelabmon.checks.support.context import Context
from homelabmon.checks.support.raw import asked_twice, at, mappings, value_trees
from homelabmon.checks.support.secret_names import names_a_secret
from homelabmon.spec import names
from homelabmon.spec.findings import Path, Severity

_KPS: Final = ("prometheus", "alertmanager", "grafana")
_LOKI_MODES: Final = ("Monolithic", "SingleBinary", "SimpleScalable", "Distributed")


class Trap(NamedTuple):
    """Whose values, the way to the value, when it is a trap (given the value and all values), why, what to write."""

    components: tuple[str, ...]
    path: tuple[str, ...]
    caught: Callable[[Any, Mapping[str, Any]], bool]
    reason: str
    fix: str
    severity: Severity = Severity.ERROR


def _any(value: Any, _: Mapping[str, Any]) -> bool:
    return value is not None


def _true(value: Any, _: Mapping[str, Any]) -> bool:
    return value is True


_SPEC: Final = ("alertmanager", "alertmanagerSpec")
TRAPS: Final[tuple[Trap, ...]] = (
    Trap(
        ("loki",),
        ("deploymentMode",),
        lambda value, _: value not in _LOKI_MODES,
        "the chart does not know this mode, and then renders no Loki at all, without an error",
        "write Monolithic",
    ),
    Trap(("loki",), ("minio", "enabled"), _true, "the chart refuses it: its MinIO is gone", "remove it"),
    Trap(
        ("falco",),
        ("driver", "kind"),
        lambda value, _: value in ("ebpf", "gvisor"),
        "the chart refuses this driver since 9.0",
        "write modern_ebpf",
    ),
    Trap(
        ("falco",), ("falco", "grpc"), _any, "the chart refuses it since 9.0: Falco has no gRPC any more", "remove it"
    ),
    Trap(("falco",), ("falco", "grpc_output"), _any, "the chart refuses it since 9.0", "remove it"),
    Trap(
        ("falco",),
        ("falcosidekick", "config", "alertmanager", "endpoint"),
        lambda value, _: value == "/api/v1/alerts",
        "Alertmanager has had no /api/v1 since 0.27",
        "write /api/v2/alerts",
    ),
    Trap(
        _KPS,
        ("alertmanager", "tplConfig"),
        _true,
        "Helm would then read every {{ }} of Alertmanager's configuration as its own",
        "remove it",
    ),
    Trap(
        _KPS,
        (*_SPEC, "useExistingSecret"),
        lambda value, values: value is True and not at(values, *_SPEC, "configSecret"),
        "without configSecret the operator waits for a Secret that nobody makes, and Alertmanager tells nobody",
        "write configSecret as well, or neither",
    ),
    Trap(
        _KPS,
        (*_SPEC, "configSecret"),
        lambda value, values: bool(value) and at(values, *_SPEC, "useExistingSecret") is not True,
        "without useExistingSecret the chart writes its own Secret besides",
        "write useExistingSecret: true as well, or neither",
        Severity.WARNING,
    ),
    Trap(
        _KPS,
        (*_SPEC, "alertmanagerConfiguration"),
        lambda value, _: bool(value),
        "the operator then ignores everything this stack says about routes",
        "remove it",
    ),
    Trap(
        _KPS,
        ("prometheus", "prometheusSpec", "retentionSize"),
        lambda value, _: isinstance(value, str) and value not in ("", "0") and not value.endswith("B"),
        "the custom resource refuses a size that does not end in B",
        "write for example 45GiB, or use components.prometheus.retention_size",
    ),
    *(
        Trap(
            _KPS,
            ("alertmanager", "config", key),
            _any,
            "Helm replaces lists: every route, receiver and inhibit rule of this stack would be gone",
            "use routes, channels and inhibit of the stack instead",
        )
        for key in ("receivers", "inhibit_rules")
    ),
    Trap(
        _KPS,
        ("alertmanager", "config", "route", "routes"),
        _any,
        "Helm replaces lists: every route of this stack would be gone",
        "use routes of the stack instead",
    ),
    *(
        Trap(
            _KPS,
            (key,),
            lambda value, _: bool(value) and value != "kube-prometheus-stack",
            "objects, jobs and pods get other names, and Flux, the relay and every rule look for the usual ones",
            "remove it",
        )
        for key in ("fullnameOverride", "nameOverride", "cleanPrometheusOperatorObjectNames")
    ),
    *(
        Trap(
            (component,),
            (key,),
            lambda value, _: bool(value) and value not in ("loki", "falco"),
            "Services and pods get other names and labels, and everything else in the stack looks for the usual ones",
            "remove it",
        )
        for component in ("loki", "vector", "falco")
        for key in ("fullnameOverride", "nameOverride")
    ),
    Trap(
        ("loki",),
        ("loki", "storage", "type"),
        lambda value, values: value != "filesystem" and not at(values, "loki", "schemaConfig"),
        "the schema still says that everything is stored in the filesystem",
        "write loki.schemaConfig as well, with this object_store, and loki.compactor.delete_request_store",
    ),
    *(
        Trap(
            _KPS,
            ("prometheus", "prometheusSpec", f"{kind}SelectorNilUsesHelmValues"),
            _true,
            "Prometheus then picks up the chart's own objects alone, and none of this stack",
            "remove it",
        )
        for kind in ("rule", "serviceMonitor", "podMonitor", "probe", "scrapeConfig")
    ),
    Trap(
        _KPS,
        ("prometheusOperator", "enabled"),
        lambda value, _: value is False,
        "without the operator nothing becomes of Prometheus, Alertmanager and the rules",
        "remove it",
    ),
    Trap(
        _KPS,
        (*_SPEC, "alertmanagerConfigSelector"),
        lambda value, _: value == {},
        "every AlertmanagerConfig of every namespace would be merged in, ahead of the routes of this stack",
        'remove it, and label those that are wanted homelabmon/merge: "true"',
    ),
    Trap(
        _KPS,
        ("grafana", "sidecar", "datasources", "uid"),
        lambda value, _: value != names.DATASOURCE_PROMETHEUS,
        f"links in messages lead to the data source {names.DATASOURCE_PROMETHEUS!r}, which would be gone",
        "remove it",
        Severity.WARNING,
    ),
    Trap(
        _KPS,
        ("grafana", "adminPassword"),
        _any,
        "it is ignored: the admin login comes from the Secret that components.grafana.admin names",
        "remove it",
        Severity.WARNING,
    ),
    Trap(
        ("vector",),
        ("podMonitor", "enabled"),
        _true,
        "the chart renders it only if the API server knows the kind already; the stack has one of its own",
        "remove it",
        Severity.WARNING,
    ),
)
_SELECTORS: Final = frozenset(
    {"ruleSelector", "serviceMonitorSelector", "podMonitorSelector", "probeSelector", "scrapeConfigSelector"}
)


def _find(context: Context) -> Iterator[Problem]:
    for name, path, values in value_trees(context):
        for trap in TRAPS:
            if name in trap.components and _has(values, trap.path) and trap.caught(at(values, *trap.path), values):
                message = f"{_shown(trap.path[-1], at(values, *trap.path))}{trap.reason}"
                yield Problem((*path, *trap.path), message, trap.fix, trap.severity)
        yield from _null_selectors(name, path, values)
        yield from _two_addresses(context, path, values)


def _shown(key: str, value: object) -> str:
    """The value, where it is short and no password, to stand before the reason."""
    if isinstance(value, bool):
        return f"{str(value).lower()}: "
    return f"{value!r}: " if isinstance(value, str) and not names_a_secret(key) else ""


def _has(values: Mapping[str, Any], path: tuple[str, ...]) -> bool:
    parent = at(values, *path[:-1])
    return isinstance(parent, dict) and path[-1] in parent


def _null_selectors(name: str, path: Path, values: Mapping[str, Any]) -> Iterator[Problem]:
    spec = at(values, "prometheus", "prometheusSpec") if name in _KPS else None
    for key, value in spec.items() if isinstance(spec, dict) else ():
        if key in _SELECTORS and value is None:
            message = "null takes the field away, and without it nothing is selected"
            place = (*path, "prometheus", "prometheusSpec", key)
            yield Problem(place, message, "write {} to select everything, or remove the key")


def _two_addresses(context: Context, path: Path, values: Mapping[str, Any]) -> Iterator[Problem]:
    """An address belongs to one Service, and what is in `lb_ips` has one of its own already."""
    for place, mapping in mappings(values, path):
        for key, address, service in asked_twice(context, mapping):
            message = f"{address} is asked for twice: the Service {service}-lan has it from lb_ips"
            yield Problem((*place, key), message, "remove it: lb_ips is enough")


CHECK = Check(
    "values-trap",
    Severity.ERROR,
    "Helm values that a chart takes without complaint, and that break what they were meant for.",
    _find,
)
