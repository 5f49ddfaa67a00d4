"""The operator's real CRDs, as schemas that refuse unknown fields: the API server would drop those without a word."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema_rs
import yaml

from homelabmon.spec.contribution import Object

_KEPT = ("type", "enum", "pattern", "required", "minItems", "minLength")


def problems(folder: Path, item: Object) -> list[str]:
    """What a prometheus-operator CRD says against an object; ``folder`` is the shared data."""
    plural = f"{item['kind'].lower()}s"
    text = (folder / "crds" / "prometheus-operator" / f"crd-{plural}.yaml").read_text()
    crd = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    served = [version for version in crd["spec"]["versions"] if version["served"]]
    version = item["apiVersion"].partition("/")[2]
    schemas = [found["schema"]["openAPIV3Schema"] for found in served if found["name"] == version]
    if not schemas:
        return [f"{item['apiVersion']} is not served"]
    validator = jsonschema_rs.Draft202012Validator(_closed(schemas[0]))
    return [f"{'.'.join(map(str, error.instance_path))}: {error.message}" for error in validator.iter_errors(item)]


def _closed(schema: dict[str, Any]) -> dict[str, Any]:
    """An OpenAPI schema as a JSON Schema in which objects have no further fields."""
    if schema.get("x-kubernetes-int-or-string"):
        return {"type": ["integer", "string"]}
    kept: dict[str, Any] = {key: schema[key] for key in _KEPT if key in schema}
    if "items" in schema:
        kept["items"] = _closed(schema["items"])
    if isinstance(schema.get("additionalProperties"), dict):
        kept["additionalProperties"] = _closed(schema["additionalProperties"])
    if "properties" in schema:
        kept["properties"] = {name: _closed(field) for name, field in schema["properties"].items()}
        kept["additionalProperties"] = False
    return kept
