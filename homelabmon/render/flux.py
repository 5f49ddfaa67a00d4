"""The Flux and kustomize objects around what components give.

Sources: the specifications of helm-controller (v2), source-controller (v1) and kustomize-controller (v1).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from homelabmon.spec import names
from homelabmon.spec.base import format_go_duration
from homelabmon.spec.cluster import Flux
from homelabmon.spec.contribution import App, Object, Release

PREFIX = "homelabmon-"
NAMESPACES_APP = "namespaces"
_CHART_LAYER = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"


def oci_repository(release: Release, flux: Flux) -> Object:
    """Where the chart is pulled from, pinned to an exact tag."""
    return {
        "apiVersion": "source.toolkit.fluxcd.io/v1",
        "kind": "OCIRepository",
        "metadata": {"name": release.name, "namespace": release.namespace},
        "spec": {
            "interval": format_go_duration(flux.interval),
            "layerSelector": {"mediaType": _CHART_LAYER, "operation": "copy"},
            "ref": {"tag": release.chart.version},
            "url": release.chart.url,
        },
    }


def helm_release(release: Release, values: Mapping[str, Any], flux: Flux) -> Object:
    """The release. ``releaseName`` is always set: names inside charts, and the jobs in their rules, follow from it."""
    install: dict[str, Any] = {"crds": "CreateReplace"} if flux.crds else {}
    upgrade: dict[str, Any] = {"crds": "CreateReplace"} if flux.crds else {}
    if flux.remediation:
        retry = {"name": "RetryOnFailure", "retryInterval": format_go_duration(flux.retry_interval)}
        install = {**install, "strategy": retry}
        upgrade = {**upgrade, "cleanupOnFail": True, "strategy": retry}
    return {
        "apiVersion": "helm.toolkit.fluxcd.io/v2",
        "kind": "HelmRelease",
        "metadata": {"name": release.name, "namespace": release.namespace},
        "spec": {
            "interval": format_go_duration(flux.interval),
            "timeout": format_go_duration(flux.timeout),
            "releaseName": release.name,
            "chartRef": {"kind": "OCIRepository", "name": release.name},
            **({"install": install} if install else {}),
            **({"upgrade": upgrade} if upgrade else {}),
            "values": dict(values),
        },
    }


def flux_kustomization(app: App, path: str, present: Iterable[str], flux: Flux) -> Object:
    """The Flux Kustomization of an app: waits for what it needs, and is ready when what it holds is."""
    known = set(present)
    after = [name for name in (NAMESPACES_APP, *app.after) if name in known and name != app.name]
    depends = [{"name": PREFIX + name} for name in dict.fromkeys(after)]
    if app.name == NAMESPACES_APP:
        depends = [
            {"name": item.name, **({"namespace": item.namespace} if item.namespace else {})} for item in flux.depends_on
        ]
    spec: dict[str, Any] = {
        **({"dependsOn": depends} if depends else {}),
        "interval": format_go_duration(flux.interval),
        "retryInterval": format_go_duration(flux.retry_interval),
        "timeout": format_go_duration(flux.timeout),
        "sourceRef": {"kind": flux.source.kind, "name": flux.source.name, "namespace": flux.source.namespace},
        "path": path,
        "prune": True,
    }
    if app.health:
        spec["healthChecks"] = [
            {"apiVersion": item.api_version, "kind": item.kind, "name": item.name, "namespace": item.namespace}
            for item in app.health
        ]
        expressions = {(item.api_version, item.kind): item.current for item in app.health if item.current}
        if expressions:
            spec["healthCheckExprs"] = [
                {"apiVersion": api, "kind": kind, "current": current} for (api, kind), current in expressions.items()
            ]
    else:
        spec["wait"] = True
    return {
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
        "kind": "Kustomization",
        "metadata": {"name": PREFIX + app.name, "namespace": flux.namespace},
        "spec": spec,
    }


def kustomization(resources: Iterable[str]) -> Object:
    """kustomize's own list of files."""
    return {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": sorted(resources),
    }


def namespace(name: str, level: str) -> Object:
    """A namespace with its pod-security level; never pruned, as pruning it would delete everything in it."""
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": name,
            "labels": {names.PSA_ENFORCE: level},
            "annotations": {names.FLUX_PRUNE: "disabled"},
        },
    }


def prometheus_rule(name: str, namespace: str, groups: list[dict[str, Any]]) -> Object:
    """Rule groups as the operator's custom resource."""
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": PREFIX + name, "namespace": namespace},
        "spec": {"groups": groups},
    }


def without_substitution(objects: Iterable[Object], flux: Flux) -> list[Object]:
    """The objects, safe from Flux's post-build substitution, which would eat ``${...}`` and every second ``$``.

    Either marked so that Flux leaves them alone, or with every ``$`` doubled (the exact inverse when it runs).
    """
    if flux.substitution == "escaped":
        return [_doubled(item) for item in objects]
    safe = []
    for item in objects:
        metadata = dict(item["metadata"])
        metadata["annotations"] = {**metadata.get("annotations", {}), names.FLUX_SUBSTITUTE: "disabled"}
        safe.append({**item, "metadata": metadata})
    return safe


def _doubled(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("$", "$$")
    if isinstance(value, dict):
        return {key.replace("$", "$$"): _doubled(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_doubled(item) for item in value]
    return value
