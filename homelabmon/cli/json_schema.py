"""How models become the JSON Schema of stack.yaml: as pydantic does it, but for what reads badly in an editor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from homelabmon.spec.base import format_duration


class StackSchema(GenerateJsonSchema):
    """Closed, without titles made from names, and with defaults as they stand in YAML, where they say something."""

    def generate(self, schema: CoreSchema, mode: JsonSchemaMode = "validation") -> JsonSchemaValue:
        """The whole schema; a section's class name is no title."""
        made = super().generate(schema, mode)
        for definition in made.get("$defs", {}).values():
            definition.pop("title", None)
        for node in _nodes(made):
            if isinstance(node.get("pattern"), str) and node.get("examples"):
                # Not of JSON Schema's own words: editors say it in the place of the pattern.
                node["patternErrorMessage"] = f"Write for example {', '.join(map(str, node['examples']))}."
        return made

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Never: a key needs no title."""
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """The default. Not null, which an editor would offer, and not that of a section, whose keys have their own."""
        made = super().default_schema(schema)
        if made.get("default", ...) is None or isinstance(schema.get("default"), BaseModel):
            del made["default"]
        return made

    def encode_default(self, dft: Any) -> Any:
        """Durations and numbers as people write them."""
        return super().encode_default(_written(dft))

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        """Known keys one by one, for completion; keys that do not fit a pattern are mistakes."""
        made = super().dict_schema(schema)
        keys = made.get("propertyNames", {}).get("enum")
        if keys is not None:
            del made["propertyNames"]
            made["properties"] = dict.fromkeys(keys, made.pop("additionalProperties"))
        return {**made, "additionalProperties": False} if keys or "patternProperties" in made else made


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for item in list(value.values()):
            yield from _nodes(item)
    elif isinstance(value, list):
        for item in value:
            yield from _nodes(item)


def _written(value: Any) -> Any:
    if isinstance(value, timedelta):
        return format_duration(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {key: _written(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_written(item) for item in value]
    return value
