"""Requests as senders make them, for every test that needs one."""

from __future__ import annotations

import json
from typing import Any, Final

NOW: Final = 1_795_379_476.0
STARTS: Final = "2026-11-22T20:30:16.789Z"


def alert(name: str = "NodeDown", **other: Any) -> dict[str, Any]:
    """One alert of a webhook, as Alertmanager writes it."""
    labels = {"alertname": name, "severity": "warning", **other.pop("labels", {})}
    return {
        "status": "firing",
        "labels": labels,
        "annotations": {"summary": f"{name} it is"},
        "startsAt": STARTS,
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.invalid/graph?g0.expr=up",
        "fingerprint": "0123456789abcdef",
        **other,
    }


def webhook(*alerts: Any, **other: Any) -> bytes:
    """A request of Alertmanager's."""
    return json.dumps(
        {
            "version": "4",
            "groupKey": '{}:{alertname="NodeDown"}',
            "truncatedAlerts": 0,
            "status": "firing",
            "receiver": "relay\\.home",
            "groupLabels": {"alertname": "NodeDown"},
            "commonLabels": {},
            "commonAnnotations": {},
            "externalURL": "http://alertmanager.invalid",
            "notification_reason": "first notification",
            "alerts": list(alerts),
            **other,
        }
    ).encode()


FALCO: Final[dict[str, Any]] = {
    "hostname": "node-1",
    "output": "20:31:16.123456789: Notice A shell was spawned in a container (user=root container=app shell=sh)",
    "output_fields": {
        "container.id": "c0ffee",
        "container.image.repository": "docker.io/library/alpine",
        "container.name": "app",
        "evt.time": 1795379476123456789,
        "k8s.ns.name": "media",
        "k8s.pod.name": "app-0",
        "proc.pid": 7,
        "user.name": None,
    },
    "priority": "Notice",
    "rule": "Terminal shell in container",
    "source": "syscall",
    "tags": ["T1059", "container", "shell"],
    "time": "2026-11-22T20:31:16.123456789Z",
}

FLUX: Final[dict[str, Any]] = {
    "involvedObject": {
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
        "kind": "Kustomization",
        "name": "apps",
        "namespace": "flux-system",
        "uid": "00000000-0000-0000-0000-000000000000",
    },
    "severity": "error",
    "timestamp": "2026-11-22T20:31:16Z",
    "message": "kustomize build failed: no such file",
    "reason": "BuildFailed",
    "metadata": {"kustomize.toolkit.fluxcd.io/revision": "main@sha1:c0ffee", "summary": "home"},
    "reportingController": "kustomize-controller",
    "reportingInstance": "kustomize-controller-0",
}
