"""The plan: every file to write, as path to text, from a stack. Pure: reads templates, writes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from homelabmon.render import external_secrets, flux
from homelabmon.render.fold import Folded, fold
from homelabmon.render.page import monitoring_page
from homelabmon.render.templates import Templates
from homelabmon.render.yaml_io import dump
from homelabmon.spec import names
from homelabmon.spec.contribution import App, Object
from homelabmon.stack import Stack

CONFIG_APP = "monitoring-config"
EXTRA_APP = "extra"
RULES_NAMESPACE = "monitoring"
HEADER = f"# {names.HEADER}\n"


class Plan(NamedTuple):
    """``files``: path (relative, ``/``-separated) to text, sorted. ``objects``: every object with its file."""

    files: dict[str, str]
    objects: tuple[tuple[str, Object], ...]
    folded: Folded


def make_plan(stack: Stack, override: Path | None = None, cache: Path | None = None) -> Plan:
    """Everything that the stack renders to.

    ``override`` is the user's templates folder, ``cache`` where compiled templates are kept. Same stack and
    templates, same bytes. Raises RenderError.
    """
    templates = Templates(override, cache)
    folded = fold(stack, templates)
    templates.keep()
    writer = _Writer(folded)
    writer.secrets()
    writer.namespaces()
    writer.releases()
    writer.rules()
    writer.apps()
    writer.plain()
    writer.files["docs/monitoring.md"] = monitoring_page(stack, folded)
    return Plan(dict(sorted(writer.files.items())), tuple(writer.objects), folded)


class _Writer:
    """Collects files; a method a kind."""

    def __init__(self, folded: Folded) -> None:
        self.folded = folded
        self.flux = folded.site.cluster.flux
        self.files: dict[str, str] = {}
        self.objects: list[tuple[str, Object]] = []

    def put(self, path: str, *objects: Object) -> None:
        self.files[path] = HEADER + dump(*objects)
        self.objects.extend((path, item) for item in objects)

    def secrets(self) -> None:
        """ExternalSecrets, when there is a store; everything that mounts a Secret starts once it is there."""
        store = self.folded.site.secrets
        if store is not None:
            self.folded.apps[external_secrets.APP] = App(external_secrets.APP, "")
            self.folded.objects[external_secrets.APP] = external_secrets.external_secrets(self.folded.secrets, store)

    def namespaces(self) -> None:
        app = App(flux.NAMESPACES_APP, "")
        self.folded.apps = {app.name: app, **self.folded.apps}
        needed = sorted(self.folded.namespaces.items())
        wanted = [(name, level) for name, level in needed if not _not_ours(name, self.flux.namespace)]
        self.folded.objects[app.name] = {f"{name}.yaml": [flux.namespace(name, level)] for name, level in wanted}

    def releases(self) -> None:
        for name, release in self.folded.releases.items():
            values = self.folded.helm_values(name)
            self.files[f"values/{name}.yaml"] = (
                f"{HEADER}{_install_hint(release.namespace, name, release.chart)}{dump(values)}"
            )
            if self.flux.enabled:
                objects = self.folded.objects[release.app]
                suffix = (
                    "" if len([r for r in self.folded.releases.values() if r.app == release.app]) == 1 else f"-{name}"
                )
                objects[f"ocirepository{suffix}.yaml"] = [flux.oci_repository(release, self.flux)]
                objects[f"helmrelease{suffix}.yaml"] = [flux.helm_release(release, values, self.flux)]

    def rules(self) -> None:
        config = self.folded.objects.get(CONFIG_APP)
        namespace = self.folded.apps[CONFIG_APP].namespace if CONFIG_APP in self.folded.apps else RULES_NAMESPACE
        for name, groups in self.folded.rules.items():
            if groups:
                self.files[f"rules/{name}.yaml"] = HEADER + dump({"groups": groups})
                if config is not None:
                    config[f"rules-{name}.yaml"] = [flux.prometheus_rule(name, namespace, groups)]

    def apps(self) -> None:
        present = [name for name, files in self.folded.objects.items() if files]
        for name in present:
            app = self.folded.apps[name]
            folder = f"apps/{app.namespace}/{name}" if app.namespace else f"apps/{name}"
            for file, objects in sorted(self.folded.objects[name].items()):
                safe = list(objects) if name == EXTRA_APP else flux.without_substitution(objects, self.flux)
                self.put(f"{folder}/{file}", *safe)
            self.put(f"{folder}/kustomization.yaml", flux.kustomization(self.folded.objects[name]))
            if self.flux.enabled:
                item = flux.flux_kustomization(app, f"{self.flux.path}/{folder}", present, self.flux)
                self.put(f"flux/{name}.yaml", item)
        if self.flux.enabled:
            self.put("flux/kustomization.yaml", flux.kustomization(f"{name}.yaml" for name in present))

    def plain(self) -> None:
        for path, content in self.folded.files.items():
            self.files[path] = content if isinstance(content, str) else HEADER + dump(content)


def _not_ours(namespace: str, flux_namespace: str) -> bool:
    """Namespaces that every cluster has, with things in them that a pod-security level of ours would stop."""
    return namespace.startswith("kube-") or namespace in ("default", flux_namespace)


def _install_hint(namespace: str, release: str, chart: Any) -> str:
    return (
        f"# Without Flux: helm upgrade --install {release} {chart.url} --version {chart.version}"
        f" --namespace {namespace} --values {release}.yaml\n"
    )
