"""The texts of an alert that Prometheus expands as templates."""

from __future__ import annotations

from collections.abc import Iterator

from homelabmon.spec.findings import Path
from homelabmon.spec.watch import Alert


def templated_texts(alert: Alert, path: Path) -> Iterator[tuple[Path, str]]:
    """Each with its place: summary, description, runbook, then the values of labels and annotations."""
    yield (*path, "summary"), alert.summary
    yield (*path, "description"), alert.description
    yield (*path, "runbook"), alert.runbook or ""
    for key in ("labels", "annotations"):
        for name, text in getattr(alert, key).items():
            yield (*path, key, name), text
