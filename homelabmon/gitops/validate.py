"""Judges every rendered Kubernetes object before anything is written. Called by `render` and by `check`.

Nothing here reaches out: Kubernetes' own kinds are judged by the schemas of ``kubernetes-validate``, custom resources
by the user's CRDs where given, else by the schemas in `gitops.schemas`. CEL rules of CRDs are not evaluated.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from homelabmon.gitops import core, kustomize_files, metadata, releases, schemas
from homelabmon.gitops import substitution as flux
from homelabmon.gitops.catalogue import Catalogue, compile_for
from homelabmon.gitops.explain import explain
from homelabmon.gitops.objects import Item, read
from homelabmon.spec.findings import Finding, Severity
from homelabmon.spec.suggest import suggest

if TYPE_CHECKING:
    from homelabmon.gitops.crds import CustomSchemas

CHECKS: Final = {
    "object": "an object of Kubernetes' own kinds that the API server would refuse or strip",
    "custom-resource": "a custom resource that its CRD would refuse or strip",
    "unknown-kind": "a kind that does not exist, or of which nothing is known",
    "metadata": "a name, label or annotation that the API server would refuse",
    "string-values": "a label or annotation that is no text",
    "substitution": "an object that Flux's post-build substitution would damage",
    "duplicate-object": "the same object twice",
    "helm-names": "a Helm release that is not called what one expects",
    "kustomize-files": "a kustomization that names what is not there, or an object that none names",
}
"""The ids of the checks whose findings `validate` returns, and what each finds."""

_ALIKE = 0.9


def validate(
    objects: Iterable[tuple[str, Mapping[str, Any]]],
    *,
    kubernetes: str,
    crds: Sequence[Path] = (),
    substitution: flux.Mode = "disabled",
    files: Collection[str] | None = None,
    cache: Path | None = None,
) -> list[Finding]:
    """Every finding: about each object, in their order, then about several. ``objects`` are rendered file and object.

    ``kubernetes`` is the cluster's minor version (``1.34``), ``crds`` are folders or files with CRDs of the cluster,
    ``substitution`` is ``cluster.flux.substitution``. With ``files`` (the paths of all rendered files) what
    kustomizations name is looked up among them. ``cache`` is a folder to keep schemas in. ``Finding.file`` is the
    rendered file, ``Finding.path`` the way inside its object. Raises HomelabmonError when the CRDs cannot be read.
    """
    items, findings = read(objects)
    schemas_of_core = core.load(kubernetes)
    findings += _version(kubernetes, schemas_of_core)
    catalogue = compile_for(items, schemas_of_core, _custom(crds, items), cache)
    for item in items:
        own = metadata.judge(item)
        said = {finding.path for finding in own}
        findings += own
        if catalogue.knows(item):
            findings += [finding for finding in explain(item, catalogue) if finding.path not in said]
        else:
            findings.append(_unknown(item, catalogue))
    findings += releases.judge(items)
    findings += flux.judge(items, substitution)
    findings += _duplicates(items)
    if files is not None:
        findings += kustomize_files.judge(items, files)
    return findings


def _custom(places: Sequence[Path], items: Iterable[Item]) -> CustomSchemas | None:
    if not places:
        return None
    from homelabmon.gitops import crds

    return crds.read(places, {item.kind for item in items})


def _version(kubernetes: str, used: core.Core) -> Iterator[Finding]:
    place = ("cluster", "kubernetes")
    wanted, judged = core.minor(kubernetes), core.minor(used.version)
    if wanted < judged:
        message = f"Kubernetes {kubernetes} is too old to be checked: the oldest schemas are for {used.version}"
        yield Finding("object", message, f"write {used.version} or newer", place)
    elif wanted > judged:
        message = f"there are no schemas for Kubernetes {kubernetes} yet: objects are checked against {used.version}"
        yield Finding("object", message, "", place, Severity.INFO)


def _unknown(item: Item, catalogue: Catalogue) -> Finding:
    """A kind that no schema is known for: an error when it is plainly a mistake, else a remark."""
    place = ("kind",)
    served = catalogue.crds.versions_of(item.group, item.kind) if catalogue.crds else []
    if not served:
        served = [kind.split("/")[0] for kind in schemas.GROUPS.get(item.group, ()) if kind.endswith(f"/{item.kind}")]
    if served:
        fix = f"write apiVersion: {item.group}/{served[-1]}, or give your cluster's CRDs: --crds DIR"
        return item.finding("unknown-kind", f"{item.kind} is not served as {item.api_version}", fix, ("apiVersion",))
    if item.group in catalogue.kubernetes.groups:
        return _unknown_in_core(item, catalogue.kubernetes)
    from difflib import SequenceMatcher

    ours = [kind.split("/")[1] for kind in schemas.GROUPS.get(item.group, ())]
    alike = [kind for kind in ours if SequenceMatcher(None, kind.lower(), item.kind.lower()).ratio() >= _ALIKE]
    if alike:
        return item.finding("unknown-kind", f"there is no kind {item.kind!r}", f"did you mean {alike[0]!r}?", place)
    message = f"{item.api_version} {item.kind} is not checked: no schema is known for it"
    fix = "give your cluster's CRDs: --crds DIR"
    return item.finding("unknown-kind", message, fix, place)._replace(severity=Severity.INFO)


def _unknown_in_core(item: Item, kubernetes: core.Core) -> Finding:
    version = f"Kubernetes {kubernetes.version}"
    if served := kubernetes.versions_of(item.kind):
        message = f"{version} does not serve {item.kind} as {item.api_version}"
        return item.finding("unknown-kind", message, f"write apiVersion: {served[-1]}", ("apiVersion",))
    kinds = [kind for api_version, kind in kubernetes.names if api_version == item.api_version]
    fix = suggest(item.kind, kinds or [kind for _, kind in kubernetes.names], f"{item.api_version} has ")
    return item.finding("unknown-kind", f"{version} has no kind {item.kind!r} in {item.api_version}", fix, ("kind",))


def _duplicates(items: Iterable[Item]) -> Iterator[Finding]:
    """The same object twice: whichever Flux applies last wins, and the two fight."""
    seen: dict[tuple[str, str, str, str], Item] = {}
    for item in items:
        if item.group == metadata.KUSTOMIZE or not item.name:
            continue
        first = seen.setdefault((item.group, item.kind, item.namespace, item.name), item)
        if first is not item:
            message = f"the same object stands in {first.file} already"
            yield item.finding("duplicate-object", message, "remove or rename one of them", ("metadata", "name"))
