"""What a HelmRelease's names become in the cluster. Its chart names Services and label values after the release."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from homelabmon.gitops.objects import Item
from homelabmon.spec.findings import Finding, Severity

_LONGEST = 53


def judge(items: Iterable[Item]) -> Iterator[Finding]:
    """Findings about release names (helm-controller: with targetNamespace alone the release is ``<target>-<name>``)."""
    taken: dict[tuple[str, str], Item] = {}
    for item in items:
        spec = item.data.get("spec")
        if item.kind != "HelmRelease" or not isinstance(spec, dict):
            continue
        target, given = spec.get("targetNamespace"), spec.get("releaseName")
        name = given or (f"{target}-{item.name}" if target else item.name)
        if not given and (target or len(name) > _LONGEST):
            said = item.finding(
                "helm-names",
                f"without releaseName the release is called {_shortened(name)!r}, and its Services after that",
                f"add releaseName: {item.name}",
                ("spec",),
            )
            yield said._replace(severity=Severity.WARNING)
        first = taken.setdefault((str(spec.get("storageNamespace") or target or item.namespace), str(name)), item)
        if first is not item:
            message = f"{first.label} in {first.file} is the same Helm release {name!r}"
            yield item.finding("helm-names", message, "give one of them another releaseName", ("spec", "releaseName"))


def _shortened(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[:40]}-<hash>"
