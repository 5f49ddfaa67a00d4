"""A CRD's structural schema as a closed JSON Schema: what the API server would prune or refuse is an error.

Follows Kubernetes' rules for structural schemas: fields that are not specified are pruned unless
``x-kubernetes-preserve-unknown-fields`` says otherwise, defaults are filled in before ``required`` is judged, and an
embedded resource has apiVersion, kind and metadata. Not judged: CEL rules (``x-kubernetes-validations``), formats that
JSON Schema defines otherwise than Kubernetes, and patterns that only Go understands.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from homelabmon.gitops.schemas.common import METADATA
from homelabmon.gitops.schemas.dsl import TEXT, Schema, items, obj

_COPIED = (
    "enum",
    "pattern",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
)
_FORMATS = {"byte", "date-time", "ipv4", "ipv6"}
_JUNCTORS = ("allOf", "anyOf", "oneOf")

OBJECT_META = obj(
    {
        **METADATA["properties"],
        "generateName": TEXT,
        "ownerReferences": items({"type": "object"}),
        "managedFields": items({"type": "object"}),
        "uid": TEXT,
        "resourceVersion": TEXT,
        "generation": {"type": "integer"},
        "creationTimestamp": {"type": ["string", "null"]},
        "deletionTimestamp": {"type": ["string", "null"]},
        "deletionGracePeriodSeconds": {"type": "integer"},
        "selfLink": TEXT,
    }
)
_IDENTITY: dict[str, Schema] = {"apiVersion": TEXT, "kind": TEXT, "metadata": OBJECT_META}


def closed(schema: dict[str, Any]) -> Schema:
    """The closed schema of a whole object, its metadata included."""
    result = _node(schema)
    own = _node(schema.get("properties", {}).get("metadata", {}), values_only=True)
    result.setdefault("properties", {}).update(_IDENTITY)
    result["properties"]["metadata"] = {"allOf": [OBJECT_META, own]}
    result["required"] = sorted({*result.get("required", ()), "apiVersion", "kind", "metadata"})
    return result


def _node(schema: dict[str, Any], *, values_only: bool = False) -> Schema:
    """One node. ``values_only``: a branch of allOf and its kin, which restricts values but specifies no fields."""
    result: Schema = {key: schema[key] for key in _COPIED if key in schema}
    if not _usable(str(result.get("pattern", ""))):
        del result["pattern"]
    if schema.get("format") in _FORMATS:
        result["format"] = schema["format"]
    _copy_type(schema, result)
    _copy_bounds(result)
    _copy_fields(schema, result, values_only=values_only)
    if isinstance(schema.get("items"), dict):
        result["items"] = _node(schema["items"], values_only=values_only)
    if schema.get("x-kubernetes-list-type") == "set":
        result["uniqueItems"] = True
    if schema.get("x-kubernetes-list-type") == "map":
        result["uniqueKeys"] = list(schema.get("x-kubernetes-list-map-keys", ()))
    for junctor in _JUNCTORS:
        if junctor in schema:
            result[junctor] = [_node(branch, values_only=True) for branch in schema[junctor]]
    if "not" in schema:
        result["not"] = _node(schema["not"], values_only=True)
    return result


@cache
def _usable(pattern: str) -> bool:
    """Whether the engine understands a pattern; Go's expressions know a few words that it does not."""
    from jsonschema_rs import Draft202012Validator

    try:
        Draft202012Validator({"pattern": pattern})
    except ValueError:
        return False
    return True


def _copy_type(schema: dict[str, Any], result: Schema) -> None:
    if schema.get("x-kubernetes-int-or-string"):
        types = ["integer", "string"]
    else:
        own = schema.get("type", [])
        types = [own] if isinstance(own, str) else list(own)
    if not types:
        return
    if schema.get("nullable"):
        types.append("null")
        if "enum" in result:
            result["enum"] = [*result["enum"], None]
    result["type"] = types[0] if len(types) == 1 else types


def _copy_bounds(result: Schema) -> None:
    """OpenAPI 3.0 writes an exclusive bound as a flag beside the bound, JSON Schema as the bound itself."""
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        flag = result.get(exclusive)
        if flag is True and bound in result:
            result[exclusive] = result.pop(bound)
        elif isinstance(flag, bool):
            del result[exclusive]


def _copy_fields(schema: dict[str, Any], result: Schema, *, values_only: bool) -> None:
    fields = schema.get("properties", {})
    if fields:
        result["properties"] = {name: _node(field, values_only=values_only) for name, field in fields.items()}
    if required := [name for name in schema.get("required", ()) if "default" not in fields.get(name, {})]:
        result["required"] = required
    extra = schema.get("additionalProperties")
    if isinstance(extra, dict):
        result["additionalProperties"] = _node(extra, values_only=values_only)
    if values_only:
        return
    if schema.get("x-kubernetes-embedded-resource"):
        result["properties"] = {**result.get("properties", {}), **_IDENTITY}
    is_object = schema.get("type") == "object" or "properties" in result
    if is_object and extra in (None, False) and not schema.get("x-kubernetes-preserve-unknown-fields"):
        result["additionalProperties"] = False
