"""The owner's own manifests, as they stand in ``extra:``. Nothing is changed in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import ClassVar

from homelabmon.spec import names
from homelabmon.spec.contribution import App, ComponentConfig, Contribution, Manifest, Object, Offer, Site

APP = "extra"


class Extra:
    """Contributes an app with one file an object."""

    name: ClassVar[str] = "extra"
    config: ClassVar[type[ComponentConfig] | None] = None

    def offers(self, config: None, site: Site) -> tuple[Offer, ...]:
        """Nothing."""
        return ()

    def contribute(self, config: None, site: Site) -> Contribution:
        """The objects, after everything else, so that kinds other apps bring exist."""
        if not site.extra:
            return Contribution()
        app = App(APP, "", after=(names.KPS_RELEASE, "monitoring-config"))
        pairs = zip(files(site.extra), site.extra, strict=True)
        return Contribution(apps=(app,), manifests=tuple(Manifest(APP, file, objects=(dict(o),)) for file, o in pairs))


def files(objects: Sequence[Object]) -> list[str]:
    """The name of each object's file, in the order of the stack: kind and name, numbered where they stand twice."""
    taken: Counter[str] = Counter()
    found = []
    for item in objects:
        stem = _stem(item)
        taken[stem] += 1
        found.append(f"{stem}.yaml" if taken[stem] == 1 else f"{stem}-{taken[stem]}.yaml")
    return found


def _stem(item: Object) -> str:
    metadata = item.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    raw = f"{item.get('kind', 'object')}-{name or 'unnamed'}".lower()
    return "".join(char if char.isalnum() or char in "-." else "-" for char in raw)


EXTRA = Extra()
