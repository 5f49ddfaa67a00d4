"""Judges a user's values by the ``values.schema.json`` that some charts ship, as Helm does: on top of the defaults."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from homelabmon.errors import MissingDependencyError
from homelabmon.spec.findings import Path
from homelabmon.spec.secrets import redact

if TYPE_CHECKING:
    from jsonschema_rs import ValidationError

_SHOWN = 200


def judge(
    values: Mapping[str, Any], defaults: Mapping[str, Any], schemas: Mapping[tuple[str, ...], Any]
) -> Iterator[tuple[Path, str]]:
    """What the schemas refuse, as place and message. What they refuse of the defaults already is the chart's mistake.

    ``schemas`` are keyed by where the values of their chart stand. One that cannot be used (it is none, or refers to
    another address) is passed over: Helm will tell.
    """
    if not schemas:
        return
    try:
        from jsonschema_rs import validator_for
    except ImportError as error:
        raise MissingDependencyError("jsonschema_rs", "render") from error
    merged = _merged(defaults, values)
    for prefix, schema in schemas.items():
        try:
            validator = validator_for(schema, offline=True)
        except ValueError:
            continue
        known = {_said(mistake) for mistake in validator.iter_errors(_inside(defaults, prefix))}
        for mistake in validator.iter_errors(_inside(merged, prefix)):
            path, message = _said(mistake)
            if (path, message) not in known:
                yield (*prefix, *path), redact(message)[:_SHOWN]


def _said(mistake: ValidationError) -> tuple[Path, str]:
    return tuple(mistake.instance_path), mistake.message


def _inside(values: Mapping[str, Any], prefix: tuple[str, ...]) -> Any:
    node: Any = values
    for part in prefix:
        node = node.get(part, {}) if isinstance(node, Mapping) else {}
    return node


def _merged(defaults: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Values as Helm folds them: mappings merge, null deletes, everything else replaces."""
    result = dict(defaults)
    for key, value in values.items():
        own = result.get(key)
        if value is None:
            result.pop(key, None)
        elif isinstance(own, Mapping) and isinstance(value, Mapping):
            result[key] = _merged(own, value)
        else:
            result[key] = value
    return result
