"""Merging and escaping Helm values: the two places where a chart silently does something else than was written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

HELM_BRACES = "{{`{{`}}"


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Helm's own merge: mappings merge key by key, everything else (lists too) is replaced; null removes the key."""
    merged = dict(base)
    for key, value in over.items():
        if value is None:
            merged[key] = None
        elif isinstance(value, Mapping) and isinstance(merged.get(key), Mapping):
            merged[key] = merge(merged[key], value)
        else:
            merged[key] = value
    return merged


def escape_tpl(values: Any, paths: tuple[tuple[tuple[str, ...], int], ...]) -> Any:
    """The values with every ``{{`` made literal below the paths that the chart passes through ``tpl``.

    Each ``{{`` becomes ``{{`{{`}}``, as often as the chart evaluates it; the longest matching path decides. ``}}``
    stays. Proven on the real charts for quotes, backticks, braces in a row and long lines.
    """
    return _escape(values, (), paths)


def _escape(value: Any, at: tuple[str, ...], paths: tuple[tuple[tuple[str, ...], int], ...]) -> Any:
    if isinstance(value, str):
        return _escape_text(value, _times(at, paths)) if "{{" in value else value
    if isinstance(value, Mapping):
        return {
            (_escape_text(key, _times(at, paths)) if "{{" in key else key): _escape(item, (*at, key), paths)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_escape(item, at, paths) for item in value]
    return value


def _escape_text(text: str, times: int) -> str:
    for _ in range(times):
        text = text.replace("{{", HELM_BRACES)
    return text


def _times(at: tuple[str, ...], paths: tuple[tuple[tuple[str, ...], int], ...]) -> int:
    best, times = -1, 0
    for path, count in paths:
        if len(path) <= len(at) and len(path) > best and all(a in ("*", b) for a, b in zip(path, at, strict=False)):
            best, times = len(path), count
    return times
