"""Stacks for tests: the example as text, small ones as data, and the short way from either to a plan."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from homelabmon.load import read_source
from homelabmon.render.plan import Plan, make_plan
from homelabmon.source import Source
from homelabmon.stack import Stack

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / "stack.yaml"
GOLDEN = ROOT / "tests" / "stacks"

MINIMAL: dict[str, Any] = {
    "apiVersion": "homelabmon/v1",
    "name": "tiny",
    "cluster": {"distribution": "kubeadm"},
    "components": {},
    "channels": {"ops": {"discord": {"webhook": {"secret": "hooks", "key": "ops"}}}},
    "defaults": {"channel": "ops"},
}
_ALL = ("prometheus", "alertmanager", "grafana", "loki", "vector", "falco", "relay")
EVERYTHING: dict[str, Any] = {name: {} for name in _ALL}


def stack_of(**sections: Any) -> Stack:
    """The smallest stack with some sections replaced. Fails the test when it is not valid."""
    loaded = read_source(Source("stack.yaml", {**MINIMAL, **sections}, {}, {}))
    assert loaded.findings == (), [finding.render() for finding in loaded.findings]
    assert loaded.stack is not None
    return loaded.stack


def plan_of(**sections: Any) -> Plan:
    """What the smallest stack with some sections replaced renders to."""
    return make_plan(stack_of(**sections))


def objects_of(plan: Plan, kind: str) -> list[dict[str, Any]]:
    """Every object of a kind."""
    return [item for _, item in plan.objects if item["kind"] == kind]


def object_of(plan: Plan, kind: str, name: str) -> dict[str, Any]:
    """The one object of a kind with a name."""
    (found,) = [item for item in objects_of(plan, kind) if item.get("metadata", {}).get("name") == name]
    return found
