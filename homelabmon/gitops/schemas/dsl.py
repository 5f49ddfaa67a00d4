"""A few words for writing closed JSON Schemas (2020-12) of Kubernetes objects. Used by the modules beside it.

Every function returns a plain schema. Three keywords are not JSON Schema's; `homelabmon.gitops.explain` reads them:

- ``hint``: what a right value looks like, for the finding's fix;
- ``rule``: the finding's message when the schema beside it fails, for rules about several fields;
- ``uniqueKeys``: no two items of a list agree in these fields (``x-kubernetes-list-type: map``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Schema = dict[str, Any]

BOOL: Schema = {"type": "boolean"}
TEXT: Schema = {"type": "string"}
ANY_OBJECT: Schema = {"type": "object"}
"""An object about whose inside nothing is said (Helm values)."""

DNS_LABEL = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
DNS_SUBDOMAIN = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"


def obj(fields: Mapping[str, Schema], *rules: Schema) -> Schema:
    """A closed object. A field written ``"name!"`` is required. ``rules`` are further schemas it must meet."""
    schema: Schema = {
        "type": "object",
        "properties": {name.removesuffix("!"): field for name, field in fields.items()},
        "additionalProperties": False,
    }
    if required := [name[:-1] for name in fields if name.endswith("!")]:
        schema["required"] = required
    if rules:
        schema["allOf"] = list(rules)
    return schema


SHARED: dict[str, Schema] = {}
"""Schemas that stand in many places, by name; whoever compiles a schema puts them under its ``$defs``."""


def shared(name: str, schema: Schema) -> Schema:
    """A reference to the schema, which is kept once: shared ones are compiled once, however often they are used."""
    if SHARED.setdefault(name, schema) != schema:
        raise ValueError(f"two shared schemas are called {name!r}")
    return {"$ref": f"#/$defs/{name}"}


def text(*, pattern: str = "", shortest: int = 0, longest: int = 0, hint: str = "") -> Schema:
    """A text."""
    schema: Schema = {"type": "string"}
    if pattern:
        schema["pattern"] = pattern
    if shortest:
        schema["minLength"] = shortest
    if longest:
        schema["maxLength"] = longest
    if hint:
        schema["hint"] = hint
    return schema


def one_of(*values: str) -> Schema:
    """One of these words."""
    return {"type": "string", "enum": list(values)}


def words(listed: str) -> list[str]:
    """A long list of words, written as a text."""
    return listed.split()


def integer(lowest: int | None = None, highest: int | None = None) -> Schema:
    """A whole number."""
    schema: Schema = {"type": "integer"}
    if lowest is not None:
        schema["minimum"] = lowest
    if highest is not None:
        schema["maximum"] = highest
    return schema


def items(item: Schema, *, least: int = 0, unique: Sequence[str] = (), distinct: bool = False) -> Schema:
    """A list; ``unique`` names fields in which no two items agree, ``distinct`` forbids equal items."""
    schema: Schema = {"type": "array", "items": item}
    if least:
        schema["minItems"] = least
    if unique:
        schema["uniqueKeys"] = list(unique)
    if distinct:
        schema["uniqueItems"] = True
    return schema


def mapping(value: Schema) -> Schema:
    """An object with free keys."""
    return {"type": "object", "additionalProperties": value}


def beyond(what: str) -> Schema:
    """A field that exists but is not modelled here: refused with the way out, never silently accepted."""
    return {
        "not": {},
        "rule": f"{what} is beyond what homelabmon checks",
        "hint": "give your cluster's CRDs: --crds DIR",
    }


# Rules about several fields -------------------------------------------------------------------------------------------


def exactly_one(*names: str) -> Schema:
    """One of these fields, and no other of them."""
    return {"oneOf": [{"required": [name]} for name in names], "rule": f"exactly one of {_listed(names)} must be set"}


def at_least_one(*names: str) -> Schema:
    """At least one of these fields."""
    return {"anyOf": [{"required": [name]} for name in names], "rule": f"one of {_listed(names)} must be set"}


def at_most_one(*names: str) -> Schema:
    """None or one of these fields."""
    pairs = [(one, other) for index, one in enumerate(names) for other in names[index + 1 :]]
    return {
        "not": {"anyOf": [{"required": list(pair)} for pair in pairs]},
        "rule": f"at most one of {_listed(names)} can be set",
    }


def needs(name: str, *others: str) -> Schema:
    """The field makes no sense without the others."""
    return {"dependentRequired": {name: list(others)}, "rule": f"{name} needs {_listed(others)}"}


def when(name: str, values: Sequence[str], *, default: bool = False, require: str = "", forbid: str = "") -> Schema:
    """When the field has one of these values (``default``: or is absent), another is required, or forbidden."""
    condition: Schema = {"properties": {name: {"enum": list(values)}}}
    if not default:
        condition["required"] = [name]
    then: Schema = {"required": [require]} if require else {"not": {"required": [forbid]}}
    verb = f"needs {require}" if require else f"does not take {forbid}"
    shown = " or ".join(values)
    return {"if": condition, "then": then, "rule": f"{name} {shown} {verb}"}


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
