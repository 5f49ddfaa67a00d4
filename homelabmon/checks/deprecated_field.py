"""deprecated-field: a key, value or API version that still works or just stopped to, with what has replaced it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from homelabmon.checks.support.check import Check, Problem
from homelabmon.checks.support.context import Context
from homelabmon.checks.support.raw import asked_twice, at, mappings, raw_parts, value_trees
from homelabmon.spec import names
from homelabmon.spec.findings import Path, Severity

KEYS: Final[Mapping[str, str]] = {
    "metallb.universe.tf/address-pool": "metallb.io/address-pool",
    "metallb.universe.tf/allow-shared-ip": "metallb.io/allow-shared-ip",
    "metallb.universe.tf/loadBalancerIPs": names.METALLB_IPS,
    "io.cilium/lb-ipam-ips": names.CILIUM_IPS,
    "io.cilium/lb-ipam-sharing-key": "lbipam.cilium.io/sharing-key",
    "io.cilium/lb-ipam-sharing-cross-namespace": "lbipam.cilium.io/sharing-cross-namespace",
}
"""Keys, anywhere in values or objects, and what to write instead."""

KINDS: Final[Mapping[tuple[str, str], str]] = {
    ("external-secrets.io/v1beta1", "*"): "external-secrets.io/v1",
    ("external-secrets.io/v1alpha1", "*"): "external-secrets.io/v1",
    ("cilium.io/v2alpha1", "CiliumLoadBalancerIPPool"): "cilium.io/v2",
    ("helm.toolkit.fluxcd.io/v2beta1", "*"): "helm.toolkit.fluxcd.io/v2",
    ("helm.toolkit.fluxcd.io/v2beta2", "*"): "helm.toolkit.fluxcd.io/v2",
    ("source.toolkit.fluxcd.io/v1beta1", "*"): "source.toolkit.fluxcd.io/v1",
    ("source.toolkit.fluxcd.io/v1beta2", "*"): "source.toolkit.fluxcd.io/v1",
    ("kustomize.toolkit.fluxcd.io/v1beta1", "*"): "kustomize.toolkit.fluxcd.io/v1",
    ("kustomize.toolkit.fluxcd.io/v1beta2", "*"): "kustomize.toolkit.fluxcd.io/v1",
    ("notification.toolkit.fluxcd.io/v1beta1", "*"): "notification.toolkit.fluxcd.io/v1beta3",
    ("notification.toolkit.fluxcd.io/v1beta2", "*"): "notification.toolkit.fluxcd.io/v1beta3",
    ("metallb.io/v1beta1", "AddressPool"): "metallb.io/v1beta1 with kind: IPAddressPool",
    ("metallb.io/v1alpha1", "*"): "metallb.io/v1beta1",
}
"""API versions of objects under ``extra:``, by kind (``*``: any), and what to write instead."""


class Value(NamedTuple):
    """A Helm value that has been replaced: whose values, the way to it, what it is (None: anything), what to write."""

    component: str
    path: tuple[str, ...]
    value: object
    fix: str


VALUES: Final[tuple[Value, ...]] = (
    Value("loki", ("deploymentMode",), "SingleBinary", "write Monolithic: the mode's name since chart 12"),
)

CHARTS: Final[Mapping[str, str]] = {
    "oci://ghcr.io/grafana/helm-charts/loki": "oci://ghcr.io/grafana-community/helm-charts/loki",
    "oci://ghcr.io/grafana/helm-charts/grafana": "oci://ghcr.io/grafana-community/helm-charts/grafana",
}
"""Charts that have moved."""


def _find(context: Context) -> Iterator[Problem]:
    for chart, pin in context.stack.charts.items():
        if pin.url is not None and pin.url in CHARTS:
            yield Problem(
                ("charts", chart, "url"), f"the chart has moved away from {pin.url}", f"write {CHARTS[pin.url]}"
            )
    for start, part in raw_parts(context):
        for path, mapping in mappings(part, start):
            for key in mapping:
                if key in KEYS:
                    yield Problem((*path, key), f"{key} is deprecated", f"write {KEYS[key]}", on_key=True)
    for name, path, values in value_trees(context):
        yield from _values(name, path, values)
        for place, mapping in mappings(values, path):
            if mapping.get("loadBalancerIP") and not any(asked_twice(context, mapping)):
                message = "loadBalancerIP is deprecated in Kubernetes"
                yield Problem((*place, "loadBalancerIP"), message, "use lb_ips instead", on_key=True)
    for number, item in enumerate(context.stack.extra):
        yield from _kind(item, ("extra", number))


def _values(name: str, path: Path, values: Mapping[str, Any]) -> Iterator[Problem]:
    for entry in VALUES:
        found = at(values, *entry.path) if entry.component == name else None
        if found is not None and entry.value in (None, found):
            shown = f"{'.'.join(entry.path)}: {found}" if entry.value is not None else ".".join(entry.path)
            yield Problem((*path, *entry.path), f"{shown} is deprecated", entry.fix, on_key=entry.value is None)


def _kind(item: Mapping[str, Any], path: Path) -> Iterator[Problem]:
    version, kind = str(item.get("apiVersion", "")), str(item.get("kind", ""))
    better = KINDS.get((version, kind)) or KINDS.get((version, "*"))
    if better is not None:
        yield Problem((*path, "apiVersion"), f"{kind} {version} is deprecated", f"write {better}")


CHECK = Check(
    "deprecated-field",
    Severity.WARNING,
    "A key, value, API version or chart address that something newer has replaced.",
    _find,
)
