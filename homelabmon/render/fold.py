"""Folds the contributions of all components into one: apps, releases with merged values, objects, rules, files."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from homelabmon.components import enabled
from homelabmon.errors import RenderError
from homelabmon.render.merge import escape_tpl, merge
from homelabmon.render.templates import Templates
from homelabmon.spec.contribution import (
    App,
    Contribution,
    DocRow,
    Edge,
    NamespaceNeed,
    Node,
    Object,
    PlainFile,
    Release,
    ReleaseValues,
    SecretNeed,
    Site,
    Template,
)
from homelabmon.stack import Stack, site_of

_LEVELS = ("restricted", "baseline", "privileged")


class Folded:
    """All contributions, merged and rendered to data; nothing is text yet except plain files."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.apps: dict[str, App] = {}
        self.releases: dict[str, Release] = {}
        self.values: dict[str, dict[str, Any]] = {}
        """Values by release, merged, before escaping."""
        self.objects: dict[str, dict[str, list[Object]]] = {}
        """Objects by app and file name."""
        self.rules: dict[str, list[dict[str, Any]]] = {}
        """Rule groups by rule file."""
        self.files: dict[str, str | dict[str, Any]] = {}
        """Plain files by path: text, or data."""
        self.namespaces: dict[str, str] = {}
        """Pod-security level by namespace."""
        self.secrets: list[SecretNeed] = []
        self.nodes: dict[str, Node] = {}
        self.edges: list[Edge] = []
        self.docs: list[DocRow] = []

    def helm_values(self, release: str) -> dict[str, Any]:
        """A release's values as Helm must get them: braces escaped where the chart would evaluate them."""
        escaped: dict[str, Any] = escape_tpl(self.values[release], self.releases[release].chart.tpl)
        return escaped


def fold(stack: Stack, templates: Templates) -> Folded:
    """Everything the stack's components contribute. Raises RenderError for a template that cannot be rendered."""
    site = site_of(stack)
    folded = Folded(site)
    given = [component.contribute(config, site) for component, config in enabled(stack.components)]
    for contribution in given:
        _apps(folded, contribution)
    _values(folded, [values for contribution in given for values in contribution.values], templates)
    for contribution in given:
        _objects(folded, contribution, templates)
        _rules(folded, contribution, templates)
        _files(folded, contribution.files, templates)
        _namespaces(folded, contribution.namespaces)
        folded.secrets.extend(need for need in contribution.secrets if need not in folded.secrets)
        folded.nodes.update((node.id, node) for node in contribution.nodes)
        folded.edges.extend(edge for edge in contribution.edges if edge not in folded.edges)
        folded.docs.extend(contribution.docs)
    for contribution in given:
        for override in contribution.values:
            if override.override:
                folded.values[override.release] = merge(folded.values[override.release], override.override)
    return folded


def _apps(folded: Folded, contribution: Contribution) -> None:
    for app in contribution.apps:
        known = folded.apps.get(app.name)
        if known is None:
            folded.apps[app.name] = app
        else:
            after = dict.fromkeys((*known.after, *app.after))
            health = dict.fromkeys((*known.health, *app.health))
            folded.apps[app.name] = known._replace(after=tuple(after), health=tuple(health))
        folded.objects.setdefault(app.name, {})
    for release in contribution.releases:
        folded.releases.setdefault(release.name, release)
        folded.values.setdefault(release.name, {})


def _values(folded: Folded, values_of: Iterable[ReleaseValues], templates: Templates) -> None:
    """Values in the order contributed; what several components contribute alike (a chart's base) counts once."""
    done: list[Template] = []
    for values in values_of:
        if values.release not in folded.values:
            raise RenderError(f"values for the release {values.release!r}, which nothing contributes")
        if values.template is not None and values.template not in done:
            done.append(values.template)
            rendered = templates.mapping(values.template)
            folded.values[values.release] = merge(folded.values[values.release], rendered)


def _objects(folded: Folded, contribution: Contribution, templates: Templates) -> None:
    for manifest in contribution.manifests:
        files = folded.objects.get(manifest.app)
        if files is None:
            raise RenderError(f"{manifest.file}: objects for the app {manifest.app!r}, which nothing contributes")
        objects = files.setdefault(manifest.file, [])
        objects.extend(manifest.objects)
        if manifest.template is not None:
            objects.extend(templates.documents(manifest.template))


def _rules(folded: Folded, contribution: Contribution, templates: Templates) -> None:
    for rules in contribution.rules:
        groups = _groups(templates.mapping(rules.template), templates.origin(rules.template.path))
        kept = [
            dict(group, rules=[rule for rule in group["rules"] if rule.get("alert") not in rules.drop])
            for group in groups
        ]
        folded.rules.setdefault(rules.name, []).extend(group for group in kept if group["rules"])


def _groups(rendered: dict[str, Any], origin: str) -> list[dict[str, Any]]:
    groups = rendered.get("groups")
    if not isinstance(groups, list) or not all(isinstance(group, dict) and group.get("name") for group in groups):
        raise RenderError(f"{origin}: must render to `groups:`, a list of rule groups with names (or [])")
    for group in groups:
        rules = group.get("rules")
        if not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules):
            raise RenderError(f"{origin}: the group {group['name']} must have `rules:`, a list of rules")
    return groups


def _files(folded: Folded, files: Iterable[PlainFile], templates: Templates) -> None:
    for file in files:
        if file.template is not None:
            folded.files[file.path] = templates.text(file.template)
        elif file.data is not None:
            folded.files[file.path] = dict(file.data)


def _namespaces(folded: Folded, needs: Iterable[NamespaceNeed]) -> None:
    for need in needs:
        known = folded.namespaces.get(need.name, _LEVELS[0])
        folded.namespaces[need.name] = max(known, need.level, key=_LEVELS.index)
