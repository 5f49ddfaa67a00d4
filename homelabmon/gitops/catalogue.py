"""Which schema judges which object: the user's CRDs before ours, ours before nothing; Kubernetes' own for its kinds.

All schemas that a set of objects needs are compiled at once: kinds share most of their definitions (a pod is a pod).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from homelabmon.errors import HomelabmonError, MissingDependencyError
from homelabmon.gitops import core, schemas
from homelabmon.gitops.keywords import KEYWORDS
from homelabmon.gitops.schemas.dsl import SHARED, Schema

if TYPE_CHECKING:
    from jsonschema_rs import ValidationError, Validator

    from homelabmon.gitops.crds import CustomSchemas
    from homelabmon.gitops.objects import Item

Kind = tuple[str, str]
"""apiVersion and kind."""


class Catalogue(NamedTuple):
    """The compiled schemas of a set of objects. ``root`` is their source, for looking up what an error is about."""

    kubernetes: core.Core
    crds: CustomSchemas | None
    checks: dict[Kind, str]
    root: dict[str, Any]
    validator: Validator

    def knows(self, item: Item) -> bool:
        """Whether there is a schema for the object."""
        return (item.api_version, item.kind) in self.checks

    def check(self, item: Item) -> str:
        """The id of the check that the object's schema stands for."""
        return self.checks[item.api_version, item.kind]

    def errors(self, item: Item) -> Iterator[ValidationError]:
        """Everything its schema has against an object. Their ``instance_path`` starts with one part too many."""
        wrapped = {_key((item.api_version, item.kind)): item.data}
        if not self.validator.is_valid(wrapped):
            yield from self.validator.iter_errors(wrapped)


def compile_for(
    items: Iterable[Item], kubernetes: core.Core, crds: CustomSchemas | None, cache: Path | None = None
) -> Catalogue:
    """The catalogue for these objects. Raises HomelabmonError when a CRD holds something that is no schema."""
    try:
        from jsonschema_rs import Draft202012Validator
    except ImportError as error:
        raise MissingDependencyError("jsonschema_rs", "render") from error
    checks: dict[Kind, str] = {}
    properties: dict[str, Any] = {}
    rest: list[Kind] = []
    for kind in dict.fromkeys((item.api_version, item.kind) for item in items):
        custom = _custom(kind, crds)
        if custom is not None:
            checks[kind], properties[_key(kind)] = "custom-resource", custom
        else:
            rest.append(kind)
    own = kubernetes.subset(rest, cache)
    for kind, name in own.names.items():
        checks[kind], properties[_key(kind)] = "object", {"$ref": f"#/$defs/{name}"}
    root = {"$defs": {**SHARED, **own.definitions}, "properties": properties}
    try:
        validator = Draft202012Validator(root, validate_formats=True, formats={"byte": _is_base64}, keywords=KEYWORDS)
    except ValueError as error:
        if crds is None:
            raise
        raise HomelabmonError(f"--crds: a schema of {', '.join(kind for _, kind in checks)} is none: {error}") from None
    return Catalogue(kubernetes, crds, checks, root, validator)


def _custom(kind: Kind, crds: CustomSchemas | None) -> Schema | None:
    """The user's CRDs have the only word about the kinds they hold."""
    if crds is not None and crds.versions_of(kind[0].rpartition("/")[0], kind[1]):
        return crds.schema_for(*kind)
    return schemas.schema_for(*kind)


def _key(kind: Kind) -> str:
    return " ".join(kind)


def _is_base64(text: str) -> bool:
    """What Kubernetes accepts for ``format: byte``: standard base64, padded; line breaks are skipped (Go's decoder)."""
    try:
        base64.b64decode(text.replace("\n", "").replace("\r", ""), validate=True)
    except (binascii.Error, ValueError):
        return False
    return True
