"""Inhibit rules: the chart's own four (Helm replaces lists, so they must be written again), ours, and the owner's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from homelabmon.spec import names
from homelabmon.spec.contribution import METRICS, Site
from homelabmon.spec.matchers import Matcher
from homelabmon.spec.routes import Dependency, Match, matchers_of

_SAME_THING: Final = ["namespace", "alertname", "node", "probe", "heartbeat"]
"""The chart asks for namespace and alertname alone; then a critical probe or node would silence all the others."""
_CHART: Final[tuple[dict[str, Any], ...]] = (
    {
        "source_matchers": ['severity="critical"'],
        "target_matchers": ['severity=~"warning|info"'],
        "equal": _SAME_THING,
    },
    {
        "source_matchers": ['severity="warning"'],
        "target_matchers": ['severity="info"'],
        "equal": _SAME_THING,
    },
    {
        "source_matchers": [f'alertname="{names.INFO_INHIBITOR}"'],
        "target_matchers": ['severity="info"'],
        "equal": ["namespace"],
    },
    {"target_matchers": [f'alertname="{names.INFO_INHIBITOR}"']},
)
_NODE_DOWN: Final[dict[str, Any]] = {
    "source_matchers": ['alertname="NodeDown"'],
    "target_matchers": ['alertname=~"KubeNodeNotReady|KubeNodeUnreachable|KubeNodeReadinessFlapping"'],
    "equal": ["node"],
}


def inhibit_rules(site: Site) -> list[dict[str, Any]]:
    """All inhibit rules, in a fixed order: the chart's, ours, from ``depends_on``, the owner's."""
    rules = [dict(rule) for rule in _CHART]
    if site.offer(METRICS) is not None and site.packs.nodes.enabled and "NodeDown" not in site.packs.nodes.disabled:
        rules.append(dict(_NODE_DOWN))
    rules += _from_dependencies(site.depends_on)
    for rule in site.inhibit:
        written = {
            "source_matchers": [str(matcher) for matcher in rule.source.all_matchers],
            "target_matchers": [str(matcher) for matcher in rule.target.all_matchers],
        }
        rules.append({**written, "equal": list(rule.equal)} if rule.equal else written)
    return rules


def _from_dependencies(things: Mapping[str, Dependency]) -> list[dict[str, Any]]:
    """A rule for each thing and everything it stands on, however far down: an alert in between need not fire."""
    rules = []
    for name, thing in things.items():
        if not thing.match:
            continue
        for below in ancestors(name, things):
            source = _down(things[below])
            if source:
                rules.append(
                    {
                        "source_matchers": [str(matcher) for matcher in source],
                        "target_matchers": [str(matcher) for matcher in matchers_of(thing.match)],
                    }
                )
    return rules


def _down(thing: Dependency) -> tuple[Matcher, ...]:
    if thing.down:
        return matchers_of(thing.down)
    if not thing.match:
        return ()
    critical: Match = {names.LABEL_SEVERITY: ("critical",)}
    return matchers_of({**thing.match, **critical})


def ancestors(name: str, things: Mapping[str, Dependency]) -> Iterable[str]:
    """Everything ``name`` stands on, nearest first, each once, itself never (even in a cycle)."""
    seen: dict[str, None] = {}
    queue = list(things[name].on)
    while queue:
        below = queue.pop(0)
        if below != name and below not in seen and below in things:
            seen[below] = None
            queue.extend(things[below].on)
    return seen
