"""Which alerts exist besides the owner's own: the chart's default rules, and those of our packs. Facts, no expressions.

The data lies beside this module and is kept true by tests: ``default_alerts.json`` against a render of the chart
kube-prometheus-stack (its source is named in the file), ``pack_alerts.json`` against ``templates/packs``.

May import: the standard library.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple

_DATA: Final = Path(__file__).with_name("data")


class DefaultAlert(NamedTuple):
    """One alerting rule of the chart. Several rules may share a name, with different severities.

    ``labels``: what its alerts carry besides alertname and severity; when ``exact`` that is all they can carry, else
    it is what the metric usually brings along. ``static``: labels with a fixed value. ``exporter``: those of the labels
    that name the exporter that was scraped instead of the thing that is wrong. ``for_seconds``: how long it pends.
    ``switch``: the key under ``defaultRules.rules`` that turns its group off. ``needs``: the parts of the control
    plane (``kubeEtcd``) without whose scraping the chart leaves the rule out.
    """

    name: str
    severity: str
    for_seconds: int
    group: str
    labels: tuple[str, ...]
    exact: bool
    static: Mapping[str, str]
    exporter: tuple[str, ...]
    switch: str
    needs: tuple[str, ...]


@lru_cache(maxsize=1)
def default_alerts() -> tuple[DefaultAlert, ...]:
    """The chart's default alerting rules, sorted by name."""
    data = _read("default_alerts.json")
    sets = [tuple(labels) for labels in data["label_sets"]]
    return tuple(
        DefaultAlert(
            name=entry["alert"],
            severity=entry["severity"],
            for_seconds=entry["for"],
            group=entry["group"],
            labels=sets[entry["labels"]],
            exact=entry.get("exact", False),
            static=entry.get("static", {}),
            exporter=tuple(entry.get("exporter", ())),
            switch=entry["switch"],
            needs=tuple(entry.get("needs", ())),
        )
        for entry in data["alerts"]
    )


@lru_cache(maxsize=1)
def default_alerts_by_name() -> Mapping[str, tuple[DefaultAlert, ...]]:
    """The same, by name."""
    found: dict[str, tuple[DefaultAlert, ...]] = {}
    for alert in default_alerts():
        found[alert.name] = (*found.get(alert.name, ()), alert)
    return found


@lru_cache(maxsize=1)
def pack_alerts() -> Mapping[str, tuple[str, ...]]:
    """The alerts of each pack, by the pack's name as its template has it (``load-balancer``)."""
    return {pack: tuple(alerts) for pack, alerts in _read("pack_alerts.json")["packs"].items()}


@lru_cache(maxsize=1)
def chart_version() -> str:
    """The version of kube-prometheus-stack that the default alerts were taken from."""
    return str(_read("default_alerts.json")["source"]["version"])


def _read(name: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((_DATA / name).read_bytes())
    return data
