"""duplicate-lb-ip: one address is given to two Services, or belongs to a node."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any, Final

from homelabmon.checks.support.check import Check, Problem
from homelabmon.checks.support.context import Context
from homelabmon.spec import names
from homelabmon.spec.findings import Path, Severity, format_path

_ADDRESSES: Final = (
    names.METALLB_IPS,
    "metallb.universe.tf/loadBalancerIPs",
    names.CILIUM_IPS,
    "io.cilium/lb-ipam-ips",
    names.KUBE_VIP_IPS,
)
_SHARING: Final = (
    "metallb.io/allow-shared-ip",
    "metallb.universe.tf/allow-shared-ip",
    "lbipam.cilium.io/sharing-key",
    "io.cilium/lb-ipam-sharing-key",
)


def _find(context: Context) -> Iterator[Problem]:
    taken: dict[str, Path] = {}
    for number, address in enumerate(context.stack.cluster.control_plane.endpoints):
        taken.setdefault(address, ("cluster", "control_plane", "endpoints", number))
    for path, address in _wanted(context):
        first = taken.setdefault(address, path)
        if first != path:
            whose = "a node's address" if first[0] == "cluster" else "taken"
            message = f"{address} is {whose} already ({format_path(first)})"
            yield Problem(path, message, f"give it an address of its own{_free(context, taken)}")


def _wanted(context: Context) -> Iterator[tuple[Path, str]]:
    for name, address in context.stack.lb_ips.items():
        yield ("lb_ips", name), address
    for number, item in enumerate(context.stack.extra):
        if item.get("kind") == "Service":
            yield from _of_service(item, ("extra", number))


def _of_service(item: dict[str, Any], path: Path) -> Iterator[tuple[Path, str]]:
    metadata = item.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    if not isinstance(annotations, dict) or any(key in annotations for key in _SHARING):
        return
    for key in _ADDRESSES:
        for text in str(annotations.get(key) or "").split(","):
            try:
                yield (*path, "metadata", "annotations", key), str(ipaddress.ip_address(text.strip()))
            except ValueError:
                continue


def _free(context: Context, taken: dict[str, Path]) -> str:
    """The first free address of the pool, as a hint."""
    wanted = {address for _, address in _wanted(context)} | set(taken)
    for block in context.pool:
        for number in range(int(block.first), min(int(block.last), int(block.first) + len(wanted) + 2) + 1):
            address = str(type(block.first)(number))
            if address not in wanted and not address.endswith((".0", ".255")):
                return f": {address} is free in the pool"
    return ""


CHECK = Check(
    "duplicate-lb-ip", Severity.ERROR, "One address is given to two Services, or belongs to a node already.", _find
)
