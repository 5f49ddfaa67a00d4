"""kustomize's own files: Kustomization v1beta1 and Component v1alpha1. They are read by kustomize, never applied."""

from __future__ import annotations

from homelabmon.gitops.schemas.common import FILLED, TEXTS
from homelabmon.gitops.schemas.dsl import (
    ANY_OBJECT,
    BOOL,
    DNS_LABEL,
    TEXT,
    Schema,
    exactly_one,
    integer,
    items,
    obj,
    one_of,
    text,
)

_NAMESPACE = text(pattern=DNS_LABEL, longest=63, hint="lower case letters, digits and dashes")
_PAIR = text(pattern=r"^[^=]+=", hint="KEY=value")
_FILES = text(pattern=r"^[^=]+(=[^=]+)?$", hint="a path, or key=path")

_OPTIONS = obj({"labels": TEXTS, "annotations": TEXTS, "disableNameSuffixHash": BOOL, "immutable": BOOL})
_GENERATOR: dict[str, Schema] = {
    "name!": FILLED,
    "namespace": _NAMESPACE,
    "behavior": one_of("create", "replace", "merge"),
    "files": items(_FILES),
    "literals": items(_PAIR),
    "envs": items(FILLED),
    "options": _OPTIONS,
}
_TARGET = obj(
    dict.fromkeys(("group", "version", "kind", "name", "namespace", "labelSelector", "annotationSelector"), TEXT)
)
_FIELD = obj({"path!": FILLED, "group": TEXT, "version": TEXT, "kind": TEXT, "create": BOOL})
_REPLACED = obj(
    {
        "select!": _TARGET,
        "reject": items(_TARGET),
        "fieldPaths": items(FILLED),
        "options": obj({"delimiter": TEXT, "index": integer(), "encoding": TEXT, "create": BOOL}),
    }
)
_REPLACEMENT = obj(
    {
        "path": FILLED,
        "source": obj(
            {
                **dict.fromkeys(("group", "version", "kind", "name", "namespace", "fieldPath"), TEXT),
                "options": obj({"delimiter": TEXT, "index": integer(), "encoding": TEXT, "create": BOOL}),
            }
        ),
        "targets": items(_REPLACED),
    }
)

_FIELDS: dict[str, Schema] = {
    "metadata": obj({"name": FILLED, "namespace": _NAMESPACE, "labels": TEXTS, "annotations": TEXTS}),
    "resources": items(FILLED, distinct=True),
    "components": items(FILLED, distinct=True),
    "crds": items(FILLED),
    "configurations": items(FILLED),
    "generators": items(FILLED),
    "transformers": items(FILLED),
    "validators": items(FILLED),
    "namespace": _NAMESPACE,
    "namePrefix": FILLED,
    "nameSuffix": FILLED,
    "commonLabels": TEXTS,
    "commonAnnotations": TEXTS,
    "labels": items(
        obj(
            {"pairs": TEXTS, "includeSelectors": BOOL, "includeTemplates": BOOL, "fields": items(_FIELD)},
        )
    ),
    "generatorOptions": _OPTIONS,
    "configMapGenerator": items(obj(_GENERATOR), unique=["name", "namespace"]),
    "secretGenerator": items(obj({**_GENERATOR, "type": TEXT}), unique=["name", "namespace"]),
    "patches": items(
        obj(
            {
                "path": FILLED,
                "patch": FILLED,
                "target": _TARGET,
                "options": obj({"allowNameChange": BOOL, "allowKindChange": BOOL}),
            },
            exactly_one("path", "patch"),
        )
    ),
    "images": items(
        obj({"name!": FILLED, "newName": FILLED, "newTag": TEXT, "digest": TEXT, "tagSuffix": TEXT}),
    ),
    "replicas": items(obj({"name!": FILLED, "count!": integer(0)})),
    "replacements": items(_REPLACEMENT),
    "buildMetadata": items(one_of("managedByLabel", "originAnnotations", "transformerAnnotations")),
    "sortOptions": obj(
        {
            "order": one_of("legacy", "fifo"),
            "legacySortOptions": obj({"orderFirst": items(TEXT), "orderLast": items(TEXT)}),
        }
    ),
    "openapi": ANY_OBJECT,
    "helmCharts": items(ANY_OBJECT),
    "helmGlobals": ANY_OBJECT,
}


def _file(api_version: str, kind: str) -> Schema:
    return obj({"apiVersion!": one_of(api_version), "kind!": one_of(kind), **_FIELDS})


KINDS: dict[tuple[str, str], Schema] = {
    (version, kind): _file(version, kind)
    for version, kind in (
        ("kustomize.config.k8s.io/v1beta1", "Kustomization"),
        ("kustomize.config.k8s.io/v1alpha1", "Component"),
    )
}
