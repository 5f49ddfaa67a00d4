"""Hypothesis strategies for objects that one of our own schemas accepts. Understands the words of `schemas.dsl`."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
from hypothesis import strategies as st

from homelabmon.gitops.keywords import KEYWORDS
from homelabmon.gitops.schemas.dsl import SHARED, Schema

_ASCII = st.characters(min_codepoint=32, max_codepoint=126)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-10, 10) | st.text(_ASCII, max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(_ASCII, max_size=5), inner, max_size=2),
    max_leaves=4,
)


def objects(schema: Schema) -> st.SearchStrategy[Any]:
    """Values the schema accepts."""
    validator = jsonschema_rs.Draft202012Validator({"$defs": SHARED, **schema}, keywords=KEYWORDS)
    return _values(schema).filter(validator.is_valid)


def _values(schema: Schema) -> st.SearchStrategy[Any]:
    if "$ref" in schema:
        return _values(SHARED[schema["$ref"].rpartition("/")[2]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    types = schema.get("type")
    kinds = [types] if isinstance(types, str) else types or []
    return st.one_of(*(_of_kind(kind, schema) for kind in kinds))


def _of_kind(kind: str, schema: Schema) -> st.SearchStrategy[Any]:
    match kind:
        case "string":
            return _texts(schema)
        case "integer":
            return st.integers(schema.get("minimum", -5), min(schema.get("maximum", 10**6), 10**6))
        case "null":
            return st.none()
        case "boolean":
            return st.booleans()
        case "array":
            return st.lists(
                _values(schema["items"]), min_size=schema.get("minItems", 0), max_size=schema.get("minItems", 0) + 2
            )
        case "object" if "properties" in schema:
            return _mappings(schema)
        case "object":
            inner = schema.get("additionalProperties")
            values = _values(inner) if isinstance(inner, dict) else _JSON
            return st.dictionaries(st.text(_ASCII, min_size=1, max_size=8), values, max_size=2)
    raise AssertionError(f"no strategy for {schema}")


def _texts(schema: Schema) -> st.SearchStrategy[str]:
    if "pattern" in schema:
        texts = st.from_regex(schema["pattern"], fullmatch=True, alphabet=_ASCII)
    else:
        texts = st.text(_ASCII, min_size=schema.get("minLength", 0), max_size=12)
    return texts.filter(lambda text: schema.get("minLength", 0) <= len(text) <= schema.get("maxLength", 40))


@st.composite
def _mappings(draw: st.DrawFn, schema: Schema) -> dict[str, Any]:
    fields = {name: field for name, field in schema["properties"].items() if "not" not in field}
    chosen = set(schema.get("required", ()))
    optional = [name for name in fields if name not in chosen]
    if optional:
        chosen |= draw(st.sets(st.sampled_from(optional), max_size=4))
    for rule in schema.get("allOf", ()):
        _follow(draw, rule, chosen)
    return {name: draw(_values(fields[name])) for name in fields if name in chosen}


def _follow(draw: st.DrawFn, rule: Schema, chosen: set[str]) -> None:
    """Make the chosen fields obey a rule about which of them stand together; the rest is left to the filter."""
    if "oneOf" in rule or "anyOf" in rule:
        names = [branch["required"][0] for branch in rule.get("oneOf") or rule["anyOf"]]
        keep = draw(st.sampled_from(names))
        if "oneOf" in rule:
            chosen.difference_update(names)
        chosen.add(keep)
    if "anyOf" in rule.get("not", {}):
        names = sorted({name for pair in rule["not"]["anyOf"] for name in pair["required"]})
        present = [name for name in names if name in chosen]
        chosen.difference_update(present[1:])
    for name, others in rule.get("dependentRequired", {}).items():
        if name in chosen:
            chosen.update(others)
    if "then" in rule and "required" in rule["if"] and chosen.issuperset(rule["if"]["required"]):
        forbidden = rule["then"].get("not", {})
        for branch in (forbidden, *forbidden.get("anyOf", ())):
            chosen.difference_update(branch.get("required", ()))
    if "then" in rule and "required" not in rule["if"]:
        chosen.update(rule["then"].get("required", ()))
