"""Turns what a schema has against an object into findings: what is wrong, with the value, and what to write instead."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from homelabmon.gitops.schemas.dsl import SHARED
from homelabmon.spec.findings import Finding, Path
from homelabmon.spec.secrets import redact
from homelabmon.spec.suggest import suggest

if TYPE_CHECKING:
    from jsonschema_rs import ValidationError

    from homelabmon.gitops.catalogue import Catalogue
    from homelabmon.gitops.objects import Item

_SHOWN = 60
_INSIDE = {"properties", "items", "additionalProperties", "prefixItems", "$defs"}
TEXT_MAPS = {"labels", "annotations", "matchLabels", "commonLabels", "commonAnnotations", "nodeSelector"}
"""Fields whose values must be texts, whatever the kind."""

_FORMATS = {"byte": "base64"}
_TYPES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "object": "a mapping",
    "array": "a list",
}


def explain(item: Item, catalogue: Catalogue) -> list[Finding]:
    """The findings about one object, each said once."""
    findings: dict[tuple[Path, str], Finding] = {}
    for error in catalogue.errors(item):
        for finding in _Explanation(item, catalogue, error).findings():
            findings.setdefault((finding.path, finding.message), finding)
    return list(findings.values())


def shown(value: object, item: Item | None = None) -> str:
    """A value for a message: short, without what looks like a credential; of a Secret's data nothing at all."""
    if item is not None and item.kind == "Secret" and not isinstance(value, (dict, list)):
        return "the value"
    text = redact(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
    text = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
    return repr(text) if isinstance(value, str) else text


class _Explanation:
    """One error of the schema engine, and how to say it."""

    def __init__(self, item: Item, catalogue: Catalogue, error: ValidationError) -> None:
        self.item = item
        self.catalogue = catalogue
        self.error = error
        self.check = catalogue.check(item)
        self.path: Path = tuple(error.instance_path[1:])
        self.node, self.rule, self.hint = self._schema()

    def findings(self) -> Iterator[Finding]:
        """What the error means; several findings where several fields are unknown."""
        details = self.error.kind.as_dict()
        if self.rule:
            yield self._finding(self.rule, self.hint)
            return
        match self.error.kind.name:
            case "additionalProperties":
                for name in details["unexpected"]:
                    yield self._unknown(name)
            case "required":
                yield self._missing(details["property"])
            case "type":
                yield self._wrong_type(details["types"])
            case "enum" | "const":
                yield self._not_listed(details)
            case "falseSchema":
                for name in self._inside():
                    yield self._unknown(name)
                if not self._inside():
                    yield self._finding(f"{self._value} has no place here", "remove it")
            case "oneOf" | "anyOf":
                yield from self._no_branch(details["context"])
            case "pattern":
                yield self._finding(*self._wrong_form(details["pattern"]))
            case _:
                yield self._other(details)

    @property
    def _value(self) -> str:
        return shown(self.error.instance, self.item)

    def _finding(self, message: str, fix: str = "", path: Path | None = None) -> Finding:
        return self.item.finding(self.check, message, fix, self.path if path is None else path)

    def _unknown(self, name: str) -> Finding:
        known = list(self.node.get("properties", ()))
        fix = suggest(name, known, "known here: ") or "remove it"
        return self._finding(f"unknown field {name!r}", fix, (*self.path, name))

    def _missing(self, name: str) -> Finding:
        field = self.node.get("properties", {}).get(name, {})
        hint = SHARED.get(str(field.get("$ref", "")).rpartition("/")[2], field).get("hint", "")
        return self._finding(f"the field {name!r} is missing", f"add {name}" + (f": {hint}" if hint else ""))

    def _wrong_type(self, types: list[str]) -> Finding:
        value = self.error.instance
        wanted = [_TYPES[name] for name in sorted(types) if name != "null"]
        message = f"{self._value} is not {' or '.join(wanted)}"
        in_text_map = len(self.path) > 1 and self.path[-2] in TEXT_MAPS and "string" in types
        if value is None:
            message, fix = "the key has no value", f"write {' or '.join(wanted)}, or remove the key"
        elif "string" in types and not isinstance(value, (dict, list)):
            fix = f'quote it: "{json.dumps(value)}"'
        elif isinstance(value, str) and ({"integer", "number", "boolean"} & set(types)) and _plain(value):
            fix = f"write it without quotes: {value}"
        else:
            fix = self.hint and f"write {self.hint}"
        finding = self._finding(message, fix)
        return finding if not in_text_map else self.item.finding("string-values", message, fix, self.path)

    def _wrong_form(self, pattern: str) -> tuple[str, str]:
        if self.hint:
            return f"{self._value} is not valid here", f"write {self.hint}"
        return f"{self._value} is not of the form {pattern}", ""

    def _not_listed(self, details: dict[str, Any]) -> Finding:
        options = [option for option in details.get("options", [details.get("expected_value")]) if option is not None]
        fix = suggest(str(self.error.instance), [str(option) for option in options], "write one of ")
        return self._finding(f"{self._value} is not known here", fix)

    def _no_branch(self, context: list[list[ValidationError]]) -> Iterator[Finding]:
        """Every branch of a choice failed (or too many fitted): a wrong type, else what the likeliest branch says."""
        failed = [branch for branch in context if branch]
        if len(context) - len(failed) > 1 and self.error.instance is None:
            yield self._finding("the key has no value", "give it one, or remove the key")
            return
        if len(context) - len(failed) > 1:
            yield self._finding(f"{self._value} fits more than one of the forms that exclude each other")
            return
        here = self.error.instance_path
        if all(len(branch) == 1 and branch[0].kind.name == "type" for branch in failed) and all(
            branch[0].instance_path == here for branch in failed
        ):
            types = {name for branch in failed for name in branch[0].kind.as_dict()["types"]}
            yield self._wrong_type(sorted(types))
            return
        likeliest = max(failed, key=lambda branch: (max(len(error.instance_path) for error in branch), -len(branch)))
        for error in likeliest:
            yield from _Explanation(self.item, self.catalogue, error).findings()

    def _other(self, details: dict[str, Any]) -> Finding:
        limit, form = details.get("limit"), str(details.get("format", ""))
        said = {
            "minLength": "the text is empty"
            if self.error.instance == ""
            else f"{self._value} is too short: {limit} at least",
            "maxLength": f"the text is longer than {limit} characters",
            "minItems": f"the list needs {limit} item{'s' if limit != 1 else ''} at least",
            "maxItems": f"the list has more than {limit} items",
            "minimum": f"{self._value} is less than {limit}",
            "maximum": f"{self._value} is more than {limit}",
            "exclusiveMinimum": f"{self._value} is not more than {limit}",
            "exclusiveMaximum": f"{self._value} is not less than {limit}",
            "minProperties": f"the mapping needs {limit} field at least",
            "maxProperties": f"the mapping can have {limit} field at most",
            "uniqueItems": "the list holds the same item twice",
            "format": f"{self._value} is not of the format {_FORMATS.get(form, form)}",
            "uniqueKeys": str(details.get("message", "")),
            "noLonger": str(details.get("message", "")),
        }
        fix = "encode it, or use stringData" if form == "byte" else self.hint and f"write {self.hint}"
        return self._finding(said.get(self.error.kind.name, redact(self.error.message)), fix)

    def _inside(self) -> list[str]:
        """The fields of a mapping that must be empty."""
        node: Any = self.item.data
        for part in self.path:
            node = node[part]
        return list(node) if isinstance(node, dict) else []

    def _schema(self) -> tuple[dict[str, Any], str, str]:
        """The schema that failed, the ``rule`` it belongs to, and its ``hint``."""
        node: Any = self.catalogue.root
        chain = [node]
        for part in self.error.schema_path[:-1]:
            node = node[part]
            chain.append(node)
        rule = ""
        for part, above in zip(reversed(["", *self.error.schema_path[:-1]]), reversed(chain), strict=True):
            if isinstance(above, dict) and "rule" in above:
                rule = str(above["rule"])
                node = above
                break
            if part in _INSIDE:
                break
        node = node if isinstance(node, dict) else {}
        return node, rule, str(node.get("hint", ""))


def _plain(text: str) -> bool:
    """Whether a quoted text reads as a number or a truth value."""
    try:
        return not isinstance(json.loads(text), (str, list, dict))
    except ValueError:
        return False
