"""External Secrets: ExternalSecret v1."""

from __future__ import annotations

from homelabmon.gitops.schemas.common import FILLED, META_MAPS, NAME, TEXTS, resource
from homelabmon.gitops.schemas.dsl import (
    BOOL,
    TEXT,
    Schema,
    at_least_one,
    at_most_one,
    exactly_one,
    items,
    obj,
    one_of,
    text,
    words,
)

_KEY = text(pattern=r"^[-._a-zA-Z0-9]+$", shortest=1, longest=253)
_INTERVAL = text(pattern=r"^(0|([0-9]+(\.[0-9]+)?(ms|s|m|h))+)$", hint="a Go duration such as 1h; 30d is 720h")
_STORE = obj({"name!": NAME, "kind": one_of("SecretStore", "ClusterSecretStore")})
_GENERATORS = words(
    "ACRAccessToken ClusterGenerator ECRAuthorizationToken Fake GCRAccessToken GithubAccessToken GitlabDeployToken "
    "Password QuayAccessToken SSHKey STSSessionToken UUID VaultDynamicSecret Webhook Grafana MFA"
)
_SOURCE = obj(
    {"storeRef": _STORE, "generatorRef": obj({"apiVersion": FILLED, "kind!": one_of(*_GENERATORS), "name!": NAME})},
    exactly_one("storeRef", "generatorRef"),
)
_DECODING: dict[str, Schema] = {
    "conversionStrategy": one_of("Default", "Unicode"),
    "decodingStrategy": one_of("Auto", "Base64", "Base64URL", "None"),
    "nullBytePolicy": one_of("Ignore", "Fail"),
}
_REMOTE = obj(
    {
        "key!": FILLED,
        "property": FILLED,
        "version": FILLED,
        "metadataPolicy": one_of("None", "Fetch"),
        **_DECODING,
    }
)
_REWRITE = obj(
    {
        "regexp": obj({"source!": TEXT, "target!": TEXT}),
        "transform": obj({"template!": FILLED}),
        "merge": obj(
            {
                "into": TEXT,
                "strategy": one_of("Extract", "JSON"),
                "conflictPolicy": one_of("Ignore", "Error"),
                "priority": items(TEXT),
                "priorityPolicy": one_of("IgnoreNotFound", "Strict"),
            }
        ),
    },
    exactly_one("regexp", "transform", "merge"),
)
_TEMPLATE_KEYS = obj(
    {
        "name!": NAME,
        "items!": items(obj({"key!": _KEY, "templateAs": one_of("Values", "KeysAndValues")})),
    }
)
_TEMPLATE = obj(
    {
        "type": TEXT,
        "engineVersion": one_of("v2"),
        "mergePolicy": one_of("Replace", "Merge"),
        "metadata": obj({**META_MAPS["properties"], "finalizers": items(TEXT)}),
        "data": TEXTS,
        "templateFrom": items(
            obj({"configMap": _TEMPLATE_KEYS, "secret": _TEMPLATE_KEYS, "literal": TEXT, "target": FILLED})
        ),
    }
)


def _refused(both: dict[str, list[str]]) -> Schema:
    """External Secrets' own webhook refuses the two together."""
    return {
        "not": {"required": list(both), "properties": {name: {"enum": values} for name, values in both.items()}},
        "rule": "External Secrets refuses this deletionPolicy with this creationPolicy",
    }


_EXTERNAL_SECRET = obj(
    {
        "secretStoreRef": _STORE,
        "refreshInterval": _INTERVAL,
        "refreshPolicy": one_of("CreatedOnce", "Periodic", "OnChange"),
        "target": obj(
            {
                "name": NAME,
                "creationPolicy": one_of("Owner", "Orphan", "Merge", "None", "CreateOrMerge"),
                "deletionPolicy": one_of("Delete", "Merge", "Retain"),
                "immutable": BOOL,
                "template": _TEMPLATE,
            },
            _refused({"creationPolicy": ["None", "Merge"], "deletionPolicy": ["Delete"]}),
            _refused({"creationPolicy": ["None"], "deletionPolicy": ["Merge"]}),
        ),
        "data": items(obj({"secretKey!": _KEY, "remoteRef!": _REMOTE, "sourceRef": _SOURCE})),
        "dataFrom": items(
            obj(
                {
                    "extract": _REMOTE,
                    "find": obj(
                        {"path": TEXT, "name": obj({"regexp": FILLED}), "tags": TEXTS, **_DECODING},
                        at_least_one("name", "tags", "path"),
                    ),
                    "rewrite": items(_REWRITE),
                    "sourceRef": _SOURCE,
                },
                at_least_one("extract", "find", "sourceRef"),
                at_most_one("extract", "find"),
            )
        ),
    },
    at_least_one("data", "dataFrom"),
)

KINDS: dict[tuple[str, str], Schema] = {
    ("external-secrets.io/v1", "ExternalSecret"): resource("external-secrets.io/v1", "ExternalSecret", _EXTERNAL_SECRET)
}
