"""What components share that have a fixed address on the LAN: a LoadBalancer Service of our own, with only its ports.

The charts keep their ClusterIP Services. Theirs would open more than is meant for people (a config reloader, gRPC), and
few of them can say of which family the address is.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any, NamedTuple

from homelabmon.spec.contribution import LB_SERVICE, Manifest, Offer, Site, Template


class Port(NamedTuple):
    """A port that the LAN sees. ``target`` is the pod's port, by name or number."""

    name: str
    port: int
    target: str | int
    protocol: str = "TCP"


def service_name(name: str) -> str:
    """What the Service for ``lb_ips.<name>`` is called."""
    return f"{name}-lan"


def offers(site: Site, name: str, namespace: str, port: int, behind: str, needs: str = "") -> tuple[Offer, ...]:
    """The offer that says which Service has the address ``lb_ips.<name>``; nothing when none is given.

    ``behind``: the Service for the cluster with the same pods. ``needs``: a capability without which the Service is not
    rendered.
    """
    if not site.lb_annotations(name):
        return ()
    data = {"name": name, "ip": site.lb_ips[name], "behind": behind, "needs": needs}
    return (Offer(LB_SERVICE, namespace=namespace, service=service_name(name), port=port, data=data),)


def manifests(
    site: Site, name: str, app: str, namespace: str, selector: Mapping[str, str], ports: tuple[Port, ...]
) -> tuple[Manifest, ...]:
    """The Service, as part of an app; nothing when ``lb_ips.<name>`` has no address."""
    annotations = site.lb_annotations(name)
    if not annotations:
        return ()
    service = service_name(name)
    params: dict[str, Any] = {
        "name": service,
        "namespace": namespace,
        "annotations": annotations,
        "family": family(site.lb_ips[name]),
        "selector": selector,
        "ports": [port._asdict() for port in ports],
    }
    return (Manifest(app, f"{service}.yaml", Template("load-balancer/service.yaml.j2", params)),)


def family(address: str) -> str:
    """The IP family of an address, as a Service names it: ``IPv4`` or ``IPv6``.

    A Service that names none gets the cluster's first one, and then never an address of the other.
    """
    return f"IPv{ipaddress.ip_address(address).version}"
