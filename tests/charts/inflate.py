"""Renders the real charts with the values that a stack folds to.

The charts are unpacked below the folder that ``HOMELABMON_CHARTS`` names, each under its own name, subcharts included.
Without it, or without helm-python-sdk (extra ``helm``), the tests are skipped with the reason.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from homelabmon.render.fold import Folded
from homelabmon.spec.contribution import Object

VARIABLE = "HOMELABMON_CHARTS"
PROBE = 'q{{ print "w{{ print `x` }}" }}'
"""A text that shows how often it has been evaluated."""


def inflate(chart: str, values: Mapping[str, Any], release: str, namespace: str = "monitoring") -> list[Object]:
    """The objects a chart renders. Each call loads the chart anew, as rendering changes a loaded one."""
    rendered = _render(chart, values, release, namespace)
    texts = [text for path, text in sorted(rendered.items()) if not path.endswith("NOTES.txt")]
    return [item for text in texts for item in yaml.safe_load_all(text) if item]


def inflate_release(result: Folded, name: str) -> list[Object]:
    """The objects of a folded release."""
    release = result.releases[name]
    return inflate(release.chart.name, result.helm_values(name), name, release.namespace)


def pick(objects: list[Object], kind: str, name: str) -> Object:
    """One object."""
    (found,) = [item for item in objects if item["kind"] == kind and item["metadata"]["name"] == name]
    return found


def evaluations(chart: str, values: Mapping[str, Any], release: str) -> int:
    """How often the chart passes :data:`PROBE`, which is somewhere in the values, through ``tpl``."""
    objects = inflate(chart, values, release)
    secrets = [text for item in objects if item["kind"] == "Secret" for text in (item.get("data") or {}).values()]
    text = "\n".join([*map(str, objects), *(base64.b64decode(text).decode() for text in secrets)])
    shown = {0: "q{{ print", 1: "qw{{ print `x` }}", 2: "qwx"}
    (times,) = [times for times, trace in shown.items() if trace in text]
    return times


def nested(path: tuple[str, ...], value: Any) -> dict[str, Any]:
    """A value at a path."""
    for key in reversed(path):
        value = {key: value}
    result: dict[str, Any] = value
    return result


def nulls(value: Any, path: str = "") -> Iterator[str]:
    """Where an object holds null."""
    if value is None:
        yield path
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from nulls(item, f"{path}.{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from nulls(item, f"{path}[{index}]")


def _render(chart: str, values: Mapping[str, Any], release: str, namespace: str) -> dict[str, str]:
    folder = os.environ.get(VARIABLE)
    if not folder:
        pytest.skip(f"{VARIABLE} names no folder with unpacked charts")
    helm = pytest.importorskip(
        "helm_python", reason="helm-python-sdk is not installed (pip install 'homelabmon[helm]')"
    )
    path = Path(folder) / chart
    if not path.is_dir():
        pytest.skip(f"the chart {chart} is not in {VARIABLE}")
    with helm.Chart.load(path) as loaded:
        rendered: dict[str, str] = loaded.render(dict(values), name=release, namespace=namespace)
    return rendered
