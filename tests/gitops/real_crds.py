"""The real CRDs as a judge of their own: independent of `gitops.crds` and `gitops.structural`, which are under test."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import jsonschema_rs
import yaml

from tests.outside import SHARED_DATA

CRDS = SHARED_DATA / "crds"


class _Loader(yaml.CSafeLoader):
    """PyYAML without the tag that YAML 1.1 gives to a plain ``=``."""


_Loader.add_constructor("tag:yaml.org,2002:value", lambda loader, node: loader.construct_scalar(node))  # type: ignore[arg-type]


@cache
def schemas() -> dict[tuple[str, str], dict[str, Any]]:
    """The published schema of every served kind."""
    found = {}
    for path in sorted(CRDS.rglob("*.yaml")):
        spec = yaml.load(path.read_text(), _Loader)["spec"]  # a safe loader, under another name
        for version in spec["versions"]:
            if version["served"]:
                found[f"{spec['group']}/{version['name']}", spec["names"]["kind"]] = version["schema"][
                    "openAPIV3Schema"
                ]
    for api_version, name, kind in (
        ("cilium.io/v2", "ciliumloadbalancerippool_v2", "CiliumLoadBalancerIPPool"),
        ("cilium.io/v2alpha1", "ciliuml2announcementpolicy_v2alpha1", "CiliumL2AnnouncementPolicy"),
    ):
        found[api_version, kind] = json.loads((CRDS / "cilium.io" / f"{name}.json").read_text())
    return found


@cache
def _validator(api_version: str, kind: str) -> jsonschema_rs.Validator:
    return jsonschema_rs.Draft202012Validator(schemas()[api_version, kind])


def refuses(obj: dict[str, Any]) -> bool:
    """Whether the API server would refuse the object, or silently drop a field of it."""
    kind = obj["apiVersion"], obj["kind"]
    return not _validator(*kind).is_valid(obj) or _prunes(schemas()[kind], obj, root=True)


def _prunes(schema: dict[str, Any], value: object, *, root: bool = False) -> bool:
    if isinstance(value, list):
        return any(_prunes(schema.get("items", {}), item) for item in value)
    if not isinstance(value, dict):
        return False
    fields, extra = schema.get("properties", {}), schema.get("additionalProperties")
    for name, inner in value.items():
        if root and name == "metadata":
            continue
        if name in fields:
            if _prunes(fields[name], inner):
                return True
        elif isinstance(extra, dict):
            if _prunes(extra, inner):
                return True
        elif extra is not True and not schema.get("x-kubernetes-preserve-unknown-fields"):
            return True
    return False
