"""What is alerted on: the owner's own rules, the packs, and what is changed in the chart's."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from homelabmon.render.fold import Folded
from homelabmon.render.page.markdown import blocks, code, link, plain, table
from homelabmon.spec import names
from homelabmon.spec.packs import Pack, Packs
from homelabmon.stack import Stack

Groups = Iterable[Mapping[str, Any]]

_OWN: Final = "own"


def own(stack: Stack, folded: Folded) -> list[str]:  # noqa: ARG001 - sections are alike
    """The owner's own alerts."""
    groups = folded.rules.get(_OWN)
    return blocks(_alerts(groups), [_rules(_OWN)]) if groups else []


def packs(stack: Stack, folded: Folded) -> list[str]:
    """Every pack with its alerts; what is left out of them; what is changed in the chart's own alerts."""
    found = {name: groups for name, groups in folded.rules.items() if name != _OWN and groups}
    parts = [_pack(name, groups, stack.packs) for name, groups in found.items()]
    return blocks(*parts, _left_out(stack.packs), _chart(stack, folded))


def _pack(name: str, groups: Groups, chosen: Packs) -> list[str]:
    pack = getattr(chosen, name.replace("-", "_"), None)
    about = [plain(type(pack).__doc__)] if isinstance(pack, Pack) and type(pack) is not Pack else []
    return blocks([f"### Pack {plain(name)}"], about, _alerts(groups), [_rules(name)])


def _rules(name: str) -> str:
    return f"Rules: {link(code(f'rules/{name}.yaml'), f'../rules/{name}.yaml')}"


def _alerts(groups: Groups) -> list[str]:
    """A row for each alert; rules that differ in their expressions alone share one."""
    rows = [_row(rule) for group in groups for rule in group.get("rules", ()) if "alert" in rule]
    return table(("Alert", "Severity", "After", "Says"), dict.fromkeys(rows))


def _row(rule: Mapping[str, Any]) -> tuple[str, str, str, str]:
    labels, annotations = rule.get("labels") or {}, rule.get("annotations") or {}
    name, runbook = code(rule["alert"]), annotations.get("runbook_url")
    return (
        link(name, str(runbook)) if runbook else name,
        plain(labels.get(names.LABEL_SEVERITY, "")),
        plain(rule.get("for") or "at once"),
        plain(_without_templates(str(annotations.get("summary") or annotations.get("description") or ""))),
    )


def _without_templates(text: str) -> str:
    """A summary for reading: ``{{ $labels.node }}`` as ``{node}``, ``{{ $value | humanize }}`` as ``{value}``."""
    text = re.sub(r"\{\{-?\s*\$(?:labels\.)?(\w+)[^{}]*\}\}", r"{\1}", text)
    return re.sub(r"\{\{.*?\}\}", "{…}", text)


def _left_out(chosen: Packs) -> list[str]:
    lines = []
    for field in Packs.model_fields:
        pack: Pack = getattr(chosen, field)
        name = field.replace("_", "-")
        if not pack.enabled:
            lines.append(f"- The pack {name} is switched off.")
        elif pack.disabled:
            lines.append(f"- Left out of the pack {name}: {', '.join(code(alert) for alert in pack.disabled)}.")
    return ["### Left out", "", *lines] if lines else []


def _chart(stack: Stack, folded: Folded) -> list[str]:
    """What the values change in the alerts that the chart kube-prometheus-stack brings."""
    if stack.components.prometheus is None or names.KPS_RELEASE not in folded.values:
        return []
    values = folded.values[names.KPS_RELEASE]
    off = [code(name) for name, dropped in _at(values, "defaultRules", "disabled").items() if dropped]
    changed = [
        f"{code(name)} ({', '.join(f'{key} {plain(value)}' for key, value in change.items())})"
        for name, change in _at(values, "customRules").items()
    ]
    lines = [f"- Switched off: {', '.join(off)}."] if off else []
    lines += [f"- Changed: {', '.join(changed)}."] if changed else []
    about = f"The chart {names.KPS_RELEASE} brings alerts for nodes, pods, the control plane and itself."
    return blocks(["### The chart's own alerts"], [about], lines)


def _at(values: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    """A mapping inside values that may be overridden with anything."""
    found: Any = values
    for key in path:
        found = found.get(key) if isinstance(found, Mapping) else None
    return {key: item for key, item in found.items() if item} if isinstance(found, Mapping) else {}
