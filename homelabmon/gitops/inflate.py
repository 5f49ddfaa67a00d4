"""Renders a Helm chart as the cluster's Helm would, so that its objects can be looked at before they are there.

Uses helm-python-sdk (the extra ``helm``), else a ``helm`` program on PATH. Nothing is fetched: the chart's subcharts
must be in it. What asks the cluster (``lookup``, ``.Capabilities.APIVersions``) sees an empty one.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from homelabmon.errors import MissingDependencyError, RenderError
from homelabmon.gitops.yaml_documents import YamlError, documents
from homelabmon.spec.secrets import redact

_SECONDS = 120


def inflate(chart: Path, values: Mapping[str, Any], *, release: str, namespace: str) -> list[dict[str, Any]]:
    """The objects that a chart (a folder, or a ``.tgz``) renders to with these values; hooks and tests included.

    In the order of the template files, without CRDs that the chart keeps in ``crds/``. Raises RenderError when Helm
    refuses the chart or the values, and MissingDependencyError when there is no Helm.
    """
    rendered = _by_sdk(chart, values, release, namespace)
    if rendered is None:
        rendered = _by_program(chart, values, release, namespace)
    return [obj for name, text in sorted(rendered.items()) for obj in _objects(chart, name, text)]


def _by_sdk(chart: Path, values: Mapping[str, Any], release: str, namespace: str) -> dict[str, str] | None:
    """Rendered text by template path; None when the SDK or its library is not there."""
    try:
        import helm_python
    except ImportError:
        return None
    try:
        # A chart remembers: what one render switches off is gone in the next. So each render loads its own.
        with helm_python.Chart.load(chart) as loaded:
            return dict(loaded.render(values=dict(values), name=release, namespace=namespace))
    except helm_python.HelmLibraryError:
        return None
    except helm_python.HelmError as error:
        raise RenderError(f"{chart}: {redact(str(error))}") from None


def _by_program(chart: Path, values: Mapping[str, Any], release: str, namespace: str) -> dict[str, str]:
    program = shutil.which("helm")
    if program is None:
        raise MissingDependencyError("helm_python", "helm")
    command = [program, "template", release, str(chart), "--namespace", namespace, "--values", "-"]
    try:
        done = subprocess.run(
            command, input=json.dumps(values), capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RenderError(f"{chart}: helm cannot be run: {error}") from None
    if done.returncode != 0:
        raise RenderError(f"{chart}: {redact(done.stderr.strip())}")
    return dict(_by_source(done.stdout))


def _by_source(text: str) -> Iterator[tuple[str, str]]:
    """What ``helm template`` prints, by the template each document says it comes from."""
    found: dict[str, list[str]] = {}
    for document in f"\n{text}".split("\n---\n"):
        lines = document.strip().splitlines()
        source = next((line.removeprefix("# Source: ") for line in lines[:1] if line.startswith("# Source: ")), "")
        found.setdefault(source, []).append(document)
    for source, parts in found.items():
        yield source, "\n---\n".join(parts)


def _objects(chart: Path, name: str, text: str) -> Iterator[dict[str, Any]]:
    if name.endswith("NOTES.txt") or not text.strip():
        return
    try:
        parsed = documents(text)
    except YamlError as error:
        raise RenderError(f"{chart}: what {name} renders is no YAML: {error}") from None
    for obj in parsed:
        if isinstance(obj, dict):
            yield obj
