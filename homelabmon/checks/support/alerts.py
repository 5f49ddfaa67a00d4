"""Every alert that rules define: the owner's, those of packs and of the chart, and those in raw values and objects."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from homelabmon.components.default_alerts import default_alerts, pack_alerts
from homelabmon.components.packs import PACKS, unseen
from homelabmon.components.prometheus import control_plane, misfiring, scrapes_alertmanager
from homelabmon.spec.contribution import METRICS, Site
from homelabmon.stack import Stack

_IN_TEXT: Final = re.compile(r"^\s*(?:-\s+)?alert:\s*[\"']?(\w+)", re.MULTILINE)


class KnownAlerts(NamedTuple):
    """``here``: alerts that can fire. ``off``: alerts that are defined somewhere but not here, with the reason.

    ``packs`` and ``chart``: where those come from that we render (the pack's key; the chart's names); ``raw``: those of
    raw values and objects, and what could not be read.
    """

    here: frozenset[str]
    off: Mapping[str, str]
    packs: Mapping[str, str]
    chart: frozenset[str]
    raw: frozenset[str] = frozenset()


def known_alerts(stack: Stack, site: Site, more: frozenset[str] = frozenset()) -> KnownAlerts:
    """All of them; ``more`` are names that did not fit the schema."""
    of_packs, of_chart = tuple(_of_packs(stack, site)), tuple(_of_chart(stack, site))
    packs = {name: pack.replace("-", "_") for pack, name, reason in of_packs if reason is None}
    chart = frozenset(name for name, reason in of_chart if reason is None)
    raw = {*more, *_in_values(stack), *(name for item in stack.extra for name in _in_object(item))}
    here = {*packs, *chart, *raw, *(alert.alert for alert in stack.alerts)}
    off = {name: reason for name, reason in of_chart if reason is not None and name not in here}
    off |= {name: reason for _, name, reason in of_packs if reason is not None and name not in here}
    return KnownAlerts(frozenset(here), off, packs, chart, frozenset(raw))


def _of_packs(stack: Stack, site: Site) -> Iterator[tuple[str, str, str | None]]:
    """The pack, the alert, and why it is not rendered, if it is not."""
    rendered = {rules.name: rules.drop for rules in PACKS.contribute(None, site).rules}
    for pack, alerts in pack_alerts().items():
        for name in alerts:
            if pack in rendered and name not in rendered[pack]:
                yield pack, name, None
            else:
                yield pack, name, _why_no_pack(stack, site, pack, name)


def _why_no_pack(stack: Stack, site: Site, pack: str, name: str) -> str | None:
    key = pack.replace("-", "_")
    settings = getattr(stack.packs, key, None)
    if settings is not None and not settings.enabled:
        return f"packs.{key}.enabled is false"
    if settings is not None and name in settings.disabled:
        return f"packs.{key}.disabled switches it off"
    if stack.outpost is not None and ((pack == "probes" and stack.probes) or (pack == "cronjobs" and stack.heartbeats)):
        # The outpost tells of its own probes and heartbeats under the same names.
        return None
    if site.offer(METRICS) is None:
        return "nothing evaluates rules without the component prometheus"
    if pack == "load-balancer" and name in unseen(site):
        provider = site.cluster.load_balancer.provider
        return f"nobody scrapes what it looks at ({provider}, cluster.load_balancer.metrics)"
    return f"the pack {key} has nothing to watch here"


def _of_chart(stack: Stack, site: Site) -> Iterator[tuple[str, str | None]]:
    config = stack.components.prometheus
    if config is None:
        for alert in default_alerts():
            yield alert.name, "the chart's default rules come with the component prometheus"
        return
    scraped = control_plane(site)
    rules = _mapping(config.values, "defaultRules")
    for alert in default_alerts():
        missing = [need for need in alert.needs if not _scraped(need, scraped, config.values)]
        if alert.name in config.disabled_alerts:
            yield alert.name, "components.prometheus.disabled_alerts switches it off"
        elif alert.name in misfiring(site):
            yield alert.name, f"it makes no sense on {stack.cluster.nodes} nodes, so it is not rendered"
        elif missing:
            yield alert.name, f"{missing[0]} is not scraped here (cluster.control_plane)"
        elif alert.switch == "alertmanager" and not scrapes_alertmanager(site):
            yield alert.name, "it is about the chart's Alertmanager, which is not installed"
        elif (
            rules.get("create") is False
            or _mapping(rules, "rules").get(alert.switch) is False
            or _mapping(rules, "disabled").get(alert.name)
        ):
            yield alert.name, "components.prometheus.values switches it off"
        else:
            yield alert.name, None


def _scraped(need: str, scraped: Mapping[str, bool], values: Mapping[str, Any]) -> bool:
    said = _mapping(values, need).get("enabled")
    return said if isinstance(said, bool) else scraped.get(need, True)


def _mapping(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = data.get(key)
    return value if isinstance(value, dict) else {}


def _in_values(stack: Stack) -> Iterator[str]:
    for config in (stack.components.prometheus, stack.components.alertmanager, stack.components.grafana):
        if config is not None:
            for groups in _mapping(config.values, "additionalPrometheusRulesMap").values():
                yield from _in_groups(groups)


def _in_object(item: Mapping[str, Any]) -> Iterator[str]:
    """A PrometheusRule's alerts, and those in rule files that a ConfigMap holds (for Loki's ruler)."""
    if item.get("kind") == "PrometheusRule":
        yield from _in_groups(item.get("spec"))
    elif item.get("kind") == "ConfigMap":
        for text in _mapping(item, "data").values():
            if isinstance(text, str):
                yield from _IN_TEXT.findall(text)


def _in_groups(spec: object) -> Iterator[str]:
    groups = spec.get("groups") if isinstance(spec, dict) else None
    for group in groups if isinstance(groups, list) else ():
        rules = group.get("rules") if isinstance(group, dict) else None
        for rule in rules if isinstance(rules, list) else ():
            if isinstance(rule, dict) and isinstance(rule.get("alert"), str):
                yield rule["alert"]
