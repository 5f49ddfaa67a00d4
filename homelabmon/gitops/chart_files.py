"""Reads a Helm chart's files, from a folder or a ``.tgz``, subcharts included. Nothing is rendered or unpacked."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from homelabmon.errors import RenderError
from homelabmon.gitops.yaml_documents import YamlError, documents

_LARGEST = 64 * 1024 * 1024
_TEXTS = (".yaml", ".yml", ".tpl", ".txt", ".json", ".lock")


@dataclass(frozen=True)
class ChartFiles:
    """A chart: ``Chart.yaml``, the default values with their text, the templates' texts, and the charts inside."""

    metadata: Mapping[str, Any]
    values: Mapping[str, Any]
    values_text: str = ""
    templates: Mapping[str, str] = field(default_factory=dict)
    schema: Any = None
    subcharts: tuple[ChartFiles, ...] = ()

    @property
    def name(self) -> str:
        """The chart's own name."""
        return str(self.metadata.get("name", ""))


def load(chart: Path) -> ChartFiles:
    """The chart in a folder or an archive. Raises RenderError when it is none, or too large to be one."""
    try:
        files = _in_folder(chart) if chart.is_dir() else _in_archive(chart.read_bytes())
    except (OSError, tarfile.TarError, EOFError) as error:
        raise RenderError(f"{chart}: no Helm chart can be read there: {error}") from None
    try:
        return _chart(files)
    except (YamlError, ValueError, UnicodeDecodeError, tarfile.TarError) as error:
        raise RenderError(f"{chart}: {error}") from None


def _chart(files: Mapping[str, bytes]) -> ChartFiles:
    if "Chart.yaml" not in files:
        raise ValueError("there is no Chart.yaml, so this is no Helm chart")
    values_text = files.get("values.yaml", b"").decode()
    schema = files.get("values.schema.json")
    return ChartFiles(
        metadata=_mapping(files["Chart.yaml"].decode(), "Chart.yaml"),
        values=_mapping(values_text, "values.yaml"),
        values_text=values_text,
        templates={
            name: data.decode(errors="replace")
            for name, data in sorted(files.items())
            if name.startswith("templates/") and name.endswith(_TEXTS)
        },
        schema=None if schema is None else json.loads(schema),
        subcharts=tuple(_subcharts(files)),
    )


def _subcharts(files: Mapping[str, bytes]) -> list[ChartFiles]:
    folders: dict[str, dict[str, bytes]] = {}
    charts = []
    for name, data in sorted(files.items()):
        head, _, rest = name.removeprefix("charts/").partition("/")
        if not name.startswith("charts/"):
            continue
        if rest:
            folders.setdefault(head, {})[rest] = data
        elif head.endswith(".tgz"):
            charts.append(_chart(_in_archive(data)))
    return charts + [_chart(inside) for inside in folders.values() if "Chart.yaml" in inside]


def _mapping(text: str, name: str) -> Mapping[str, Any]:
    parsed = documents(text)
    value = parsed[0] if parsed else {}
    if not isinstance(value, dict):
        raise ValueError(f"{name} is no mapping")
    return value


def _in_folder(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if _wanted(path)}


def _wanted(path: Path) -> bool:
    return path.suffix in (*_TEXTS, ".tgz") and path.is_file()


def _in_archive(data: bytes) -> dict[str, bytes]:
    """The files of an archive, without the folder they all stand in."""
    files: dict[str, bytes] = {}
    room = _LARGEST
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as archive:
        for member in archive:
            name = member.name.partition("/")[2]
            if not member.isfile() or not name.endswith((*_TEXTS, ".tgz")):
                continue
            room -= member.size
            if room < 0:
                raise ValueError("the archive is larger than any chart")
            content = archive.extractfile(member)
            files[name] = content.read() if content else b""
    return files
