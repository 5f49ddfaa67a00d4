"""How the rendered tree gets onto a cluster: the order in which Flux takes it, or the commands that do it by hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from homelabmon.render.flux import NAMESPACES_APP
from homelabmon.render.fold import Folded
from homelabmon.render.page.markdown import blocks, code, fenced, link, listed, plain, table
from homelabmon.render.yaml_io import dump
from homelabmon.spec.base import format_go_duration
from homelabmon.spec.contribution import App, Release
from homelabmon.stack import Stack

_FOR_FLUX_ALONE: Final = frozenset({"HelmRelease", "OCIRepository"})


def install(stack: Stack, folded: Folded) -> list[str]:
    """Charts and their versions, then the order."""
    apps = in_order(folded)
    charts = [
        (plain(release.name), code(release.namespace), code(release.chart.url), plain(release.chart.version))
        for release in folded.releases.values()
    ]
    how = _with_flux(stack, folded, apps) if stack.cluster.flux.enabled else _by_hand(folded, apps)
    return blocks(table(("Release", "Namespace", "Chart", "Version"), charts), how if apps else ())


def in_order(folded: Folded) -> list[App]:
    """The apps that hold something, each after what it waits for; where that leaves a choice, as contributed."""
    waiting = {NAMESPACES_APP: App(NAMESPACES_APP, "")} if folded.namespaces else {}
    waiting |= {name: app for name, app in folded.apps.items() if folded.objects.get(name) or _releases(app, folded)}
    ordered: list[App] = []
    while waiting:
        ready = [app for app in waiting.values() if not waiting.keys() & (set(app.after) - {app.name})]
        # Apps that wait for one another are no error of this page.
        app = next(iter(ready or waiting.values()))
        ordered.append(waiting.pop(app.name))
    return ordered


def _releases(app: App, folded: Folded) -> list[Release]:
    return [release for release in folded.releases.values() if release.app == app.name]


def _folder(app: App) -> str:
    return f"apps/{app.namespace}/{app.name}" if app.namespace else f"apps/{app.name}"


def _with_flux(stack: Stack, folded: Folded, apps: Sequence[App]) -> list[str]:
    flux = stack.cluster.flux
    rows = [
        (
            link(plain(app.name), f"../{_folder(app)}"),
            _waits_for(app, stack, {other.name for other in apps}),
            ", ".join(plain(release.name) for release in _releases(app, folded)),
        )
        for app in apps
    ]
    first = {
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
        "kind": "Kustomization",
        "metadata": {"name": "homelabmon", "namespace": flux.namespace},
        "spec": {
            "interval": format_go_duration(flux.interval),
            "path": f"{flux.path}/flux",
            "prune": True,
            "sourceRef": {"kind": flux.source.kind, "name": flux.source.name, "namespace": flux.source.namespace},
        },
    }
    return blocks(
        ["Flux starts an app when what it waits for is ready:"],
        table(("App", "Waits for", "Releases"), rows),
        ["This object hands the tree to Flux. Add it, once, to what Flux reconciles already:"],
        fenced("yaml", dump(first)),
        [f"Without Flux: set {code('cluster.flux.enabled: false')} and render; the commands then stand here."],
    )


def _waits_for(app: App, stack: Stack, present: set[str]) -> str:
    if app.name == NAMESPACES_APP:
        return listed([f"{code(item.name)} (yours)" for item in stack.cluster.flux.depends_on])
    after = [name for name in (NAMESPACES_APP, *app.after) if name in present and name != app.name]
    return listed([plain(name) for name in dict.fromkeys(after)])


def _by_hand(folded: Folded, apps: Sequence[App]) -> list[str]:
    return blocks(
        [
            "In this order, inside the rendered folder. The Secrets above come after the namespaces, and before what"
            " reads them:"
        ],
        fenced("sh", "\n".join(command for app in apps for command in _commands(app, folded))),
    )


def _commands(app: App, folded: Folded) -> Iterator[str]:
    for release in _releases(app, folded):
        yield (
            f"helm upgrade --install {release.name} {release.chart.url} --version {release.chart.version} \\\n"
            f"  --namespace {release.namespace} --values values/{release.name}.yaml --wait"
        )
    kinds = {item.get("kind") for objects in folded.objects.get(app.name, {}).values() for item in objects}
    if app.name == NAMESPACES_APP or kinds - _FOR_FLUX_ALONE:
        yield f"kubectl apply --server-side --kustomize {_folder(app)}"
