"""The raw parts of a stack, which no schema describes: Helm values, and objects of the owner's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from homelabmon.spec import names
from homelabmon.spec.findings import Path

if TYPE_CHECKING:
    from homelabmon.checks.support.context import Context


def value_trees(context: Context) -> Iterator[tuple[str, Path, Mapping[str, Any]]]:
    """Every ``values:``: the component, the path, and the values themselves."""
    components = context.stack.components
    for name in type(components).model_fields:
        config = getattr(components, name)
        if config is None:
            continue
        if config.values:
            yield name, ("components", name, "values"), config.values
        for part in ("agent", "aggregator") if name == "vector" else ():
            values = getattr(config, part).values
            if values:
                yield name, ("components", name, part, "values"), values


def raw_parts(context: Context) -> Iterator[tuple[Path, Any]]:
    """Every ``values:`` and every object under ``extra:``."""
    for _, path, values in value_trees(context):
        yield path, values
    for number, item in enumerate(context.stack.extra):
        yield ("extra", number), item


def mappings(data: Any, path: Path) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Every mapping inside plain data, the outermost first, each with its path."""
    waiting: list[tuple[Path, Any]] = [(path, data)]
    while waiting:
        place, value = waiting.pop()
        if isinstance(value, dict):
            yield place, value
            waiting.extend(((*place, key), item) for key, item in reversed(value.items()))
        elif isinstance(value, (list, tuple)):
            waiting.extend(((*place, index), item) for index, item in reversed(list(enumerate(value))))


def asked_twice(context: Context, mapping: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Where a mapping in values asks for an address of ``lb_ips``: the key, the address, whose it is there."""
    for key in ("loadBalancerIP", names.METALLB_IPS, names.CILIUM_IPS, names.KUBE_VIP_IPS):
        asked = [part.strip() for part in str(mapping.get(key) or "").split(",")]
        for service, address in context.stack.lb_ips.items():
            if address in asked:
                yield key, address, service


def at(data: Any, *path: str) -> Any:
    """The value at a path of mappings, or None."""
    for key in path:
        if not isinstance(data, dict) or key not in data:
            return None
        data = data[key]
    return data
