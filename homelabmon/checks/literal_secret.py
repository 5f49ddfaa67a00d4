"""literal-secret: a credential that stands in the file itself. Its value is never shown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from homelabmon.checks.support.check import Check, Problem
from homelabmon.checks.support.context import Context
from homelabmon.checks.support.raw import mappings, raw_parts
from homelabmon.checks.support.secret_names import names_a_secret
from homelabmon.source import walk
from homelabmon.spec.findings import Path, Severity
from homelabmon.spec.secrets import looks_secret

_SHORTEST: Final = 16
_TYPED: Final = frozenset(
    {
        "bearer_token",
        "event_token",
        "falco_path",
        "flux_token",
        "heartbeat_ids",
        "heartbeat_key",
        "page_password",
        "ping",
        "scrape_token",
        "token",
        "webhook",
    }
)
"""Keys whose value the schema takes by reference only: a literal there is refused already."""
_REFERENCE: Final = re.compile(r"^\s*(?:\$|\{\{|ENC\[|/|<.*>$|file:|env:|vault:|ref\+|op://)")
"""Values that say where a secret is: variables, templates, files, encrypted texts, secret stores."""
_PLACE: Final = "put it into a Secret of the cluster, and name that Secret here"


def _find(context: Context) -> Iterator[Problem]:
    said: set[Path] = set()
    for path, value in walk(context.data or context.stack.model_dump(by_alias=True)):
        if isinstance(value, str) and len(value) >= _SHORTEST and looks_secret(value) and not _typed(path):
            said.add(path)
            yield Problem(path, "this looks like a credential (not shown here)", _fix(path), in_source=True)
    for start, part in raw_parts(context):
        for path, mapping in mappings(part, start):
            if context.written(path) not in said:
                yield from (p for p in _suspicious(path, mapping) if context.written(p.path) not in said)


def _typed(path: Path) -> bool:
    """Whether the schema takes a reference only at this place; in free-form maps a key of that name proves nothing."""
    free = {"labels", "values", "extra", "annotations", "match", "match_labels"}
    return path[-1] in _TYPED and not free.intersection(part for part in path if isinstance(part, str))


def _fix(path: Path) -> str:
    if path and path[0] == "probes":
        return "probe an address that needs no login"
    return _PLACE


def _suspicious(path: Path, mapping: Mapping[str, Any]) -> Iterator[Problem]:
    if mapping.get("kind") == "Secret" and len(path) == 2:
        yield from _secret_object(path, mapping)
        return
    for key, value in mapping.items():
        if is_literal(value) and names_a_secret(key):
            yield Problem((*path, key), f"{key!r} has a literal value (not shown here)", _PLACE, Severity.WARNING)
    name, value = mapping.get("name"), mapping.get("value")
    if isinstance(name, str) and is_literal(value) and names_a_secret(name):
        message = f"the variable {name!r} has a literal value (not shown here)"
        fix = "write valueFrom: {secretKeyRef: {name: SECRET, key: KEY}}"
        yield Problem((*path, "value"), message, fix, Severity.WARNING)


def _secret_object(path: Path, mapping: Mapping[str, Any]) -> Iterator[Problem]:
    """A Secret in `extra` would be rendered as it is, unless SOPS has encrypted it."""
    if "sops" in mapping:
        return
    for key in ("stringData", "data"):
        values = mapping.get(key)
        if isinstance(values, dict) and any(value and is_literal(value) for value in values.values()):
            message = f"the Secret's {key} would be rendered as it stands here"
            fix = "encrypt it with SOPS, use an ExternalSecret, or make the Secret by hand"
            yield Problem((*path, key), message, fix, on_key=True)


def is_literal(value: object) -> bool:
    """Whether a value is a text that does not say where the real one is."""
    return isinstance(value, str) and bool(value.strip()) and not _REFERENCE.match(value)


CHECK = Check(
    "literal-secret",
    Severity.ERROR,
    "A password, token, key or webhook stands in the file itself.",
    _find,
)
