"""What the custom resources share: metadata, names, selectors, references, durations."""

from __future__ import annotations

from homelabmon.gitops.schemas.dsl import (
    BOOL,
    DNS_LABEL,
    DNS_SUBDOMAIN,
    TEXT,
    Schema,
    items,
    mapping,
    obj,
    one_of,
    shared,
    text,
    when,
)

NAME = shared("name", text(pattern=DNS_SUBDOMAIN, longest=253, hint="lower case letters, digits, dashes and dots"))
NAMESPACE = shared("namespace", text(pattern=DNS_LABEL, longest=63, hint="lower case letters, digits and dashes"))
TEXTS = shared("texts", mapping(TEXT))
FILLED = shared("filled", text(shortest=1))

METADATA = obj({"name": TEXT, "namespace": TEXT, "labels": TEXTS, "annotations": TEXTS, "finalizers": items(TEXT)})
"""What belongs into Git; what the API server fills in does not. `gitops.metadata` judges the values, for all kinds."""

META_MAPS = obj({"annotations": TEXTS, "labels": TEXTS})

GO_DURATION = shared(
    "go_duration",
    text(pattern=r"^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$", hint="a Go duration such as 30s, 5m or 1h30m; 30d is 720h"),
)
PROMETHEUS_DURATION = shared(
    "prometheus_duration",
    text(
        pattern=r"^(0|([0-9]+y)?([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?)$",
        shortest=1,
        hint="a Prometheus duration such as 30s, 5m, 1h30m or 30d, largest unit first",
    ),
)


def resource(api_version: str, kind: str, spec: Schema) -> Schema:
    """A namespaced custom resource; ``status`` is the controller's and does not belong into Git."""
    return obj({"apiVersion!": one_of(api_version), "kind!": one_of(kind), "metadata!": METADATA, "spec!": spec})


def reference(*kinds: str) -> Schema:
    """A reference to another object: kind, name, and its namespace where that may differ."""
    return obj({"apiVersion": TEXT, "kind!": one_of(*kinds), "name!": NAME, "namespace": NAMESPACE})


LOCAL_REFERENCE = obj({"name!": NAME})
"""A Secret, ConfigMap or ServiceAccount in the same namespace."""

_OPERATOR = one_of("In", "NotIn", "Exists", "DoesNotExist")
SELECTOR = shared(
    "selector",
    obj(
        {
            "matchLabels": mapping(text(pattern=r"^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$", longest=63)),
            "matchExpressions": items(
                obj(
                    {"key!": FILLED, "operator!": _OPERATOR, "values": items(TEXT)},
                    when("operator", ["In", "NotIn"], require="values"),
                    when("operator", ["Exists", "DoesNotExist"], forbid="values"),
                )
            ),
        }
    ),
)
"""A label selector; ``{}`` selects everything."""

SECRET_KEY = shared(
    "secret_key", obj({"name!": NAME, "key!": text(pattern=r"^[-._a-zA-Z0-9]+$", longest=253), "optional": BOOL})
)
"""A key of a Secret or a ConfigMap in the same namespace."""
