"""Flux: HelmRelease v2; OCIRepository, HelmRepository, GitRepository, Kustomization v1; Provider, Alert v1beta3."""

from __future__ import annotations

from homelabmon.gitops.schemas.common import (
    FILLED,
    GO_DURATION,
    LOCAL_REFERENCE,
    META_MAPS,
    NAME,
    NAMESPACE,
    TEXTS,
    reference,
    resource,
)
from homelabmon.gitops.schemas.dsl import (
    BOOL,
    DNS_SUBDOMAIN,
    TEXT,
    Schema,
    exactly_one,
    integer,
    items,
    obj,
    one_of,
    shared,
    text,
    when,
    words,
)

_SHORT = shared(
    "short", text(pattern=r"^([0-9]+(\.[0-9]+)?(ms|s|m))+$", hint="a Go duration such as 60s or 5m (no hours here)")
)
_PATCH_TARGET = shared(
    "patch_target",
    obj(dict.fromkeys(("annotationSelector", "group", "kind", "labelSelector", "name", "namespace", "version"), TEXT)),
)
_PATCH = obj({"patch!": FILLED, "target": _PATCH_TARGET})
_IMAGE = obj({"name!": FILLED, "newName": TEXT, "newTag": TEXT, "digest": TEXT})
_IGNORE = obj({"paths!": items(TEXT), "target": _PATCH_TARGET})
_DEPENDS_ON = items(obj({"name!": NAME, "namespace": NAMESPACE, "readyExpr": FILLED}))
_HEALTH_EXPRESSION = obj(
    {"apiVersion!": FILLED, "kind!": FILLED, "current!": FILLED, "inProgress": FILLED, "failed": FILLED}
)
_KUBE_CONFIG = obj(
    {"configMapRef": LOCAL_REFERENCE, "secretRef": obj({"name!": NAME, "key": FILLED})},
    exactly_one("configMapRef", "secretRef"),
)
_VERIFY = obj({"provider!": one_of("cosign", "notation"), "secretRef": LOCAL_REFERENCE})

# HelmRelease ----------------------------------------------------------------------------------------------------------

_STRATEGY = shared(
    "strategy",
    obj(
        {"name!": one_of("RemediateOnFailure", "RetryOnFailure"), "retryInterval": GO_DURATION},
        when("name", ["RemediateOnFailure"], forbid="retryInterval"),
    ),
)
_CRDS = one_of("Skip", "Create", "CreateReplace")
_SERVER_SIDE = one_of("enabled", "disabled", "auto")
_REMEDIATION: dict[str, Schema] = {
    "retries": integer(-1),
    "ignoreTestFailures": BOOL,
    "remediateLastFailure": BOOL,
}
_ACTION: dict[str, Schema] = {
    "timeout": GO_DURATION,
    "disableHooks": BOOL,
    "disableWait": BOOL,
}
_APPLY: dict[str, Schema] = {
    **_ACTION,
    "disableWaitForJobs": BOOL,
    "disableOpenAPIValidation": BOOL,
    "disableSchemaValidation": BOOL,
    "disableTakeOwnership": BOOL,
    "crds": _CRDS,
    "strategy": _STRATEGY,
}

_CHART = obj(
    {
        "metadata": META_MAPS,
        "spec!": obj(
            {
                "chart!": text(shortest=1, longest=2048),
                "version": FILLED,
                "sourceRef!": reference("HelmRepository", "GitRepository", "Bucket"),
                "interval": GO_DURATION,
                "reconcileStrategy": one_of("ChartVersion", "Revision"),
                "valuesFiles": items(TEXT),
                "ignoreMissingValuesFiles": BOOL,
                "verify": _VERIFY,
            }
        ),
    }
)

_VALUES_FROM = obj(
    {
        "kind!": one_of("Secret", "ConfigMap"),
        "name!": NAME,
        "valuesKey": text(pattern=r"^[\-._a-zA-Z0-9]+$", longest=253),
        "targetPath": text(pattern=r"^([a-zA-Z0-9_\-.\\\/]|\[[0-9]{1,5}\])+$", longest=250),
        "optional": BOOL,
        "literal": BOOL,
    }
)

_HELM_RELEASE = obj(
    {
        "interval!": GO_DURATION,
        "chart": _CHART,
        "chartRef": reference("OCIRepository", "HelmChart", "ExternalArtifact"),
        "releaseName": text(pattern=DNS_SUBDOMAIN, longest=53, hint="lower case letters, digits and dashes"),
        "targetNamespace": NAMESPACE,
        "storageNamespace": NAMESPACE,
        "serviceAccountName": NAME,
        "kubeConfig": _KUBE_CONFIG,
        "dependsOn": _DEPENDS_ON,
        "timeout": GO_DURATION,
        "suspend": BOOL,
        "maxHistory": integer(0),
        "persistentClient": BOOL,
        "commonMetadata": META_MAPS,
        "driftDetection": obj({"mode": one_of("enabled", "warn", "disabled"), "ignore": items(_IGNORE)}),
        "healthCheckExprs": items(_HEALTH_EXPRESSION),
        "waitStrategy": obj({"name!": one_of("poller", "legacy")}),
        "install": obj(
            {
                **_APPLY,
                "createNamespace": BOOL,
                "replace": BOOL,
                "serverSideApply": BOOL,
                "remediation": obj(_REMEDIATION),
            }
        ),
        "upgrade": obj(
            {
                **_APPLY,
                "chartNameChangeStrategy": one_of("InPlaceUpdate", "Reinstall"),
                "cleanupOnFail": BOOL,
                "force": BOOL,
                "preserveValues": BOOL,
                "serverSideApply": _SERVER_SIDE,
                "remediation": obj({**_REMEDIATION, "strategy": one_of("rollback", "uninstall")}),
            }
        ),
        "rollback": obj(
            {
                **_ACTION,
                "disableWaitForJobs": BOOL,
                "cleanupOnFail": BOOL,
                "force": BOOL,
                "recreate": BOOL,
                "serverSideApply": _SERVER_SIDE,
            }
        ),
        "uninstall": obj(
            {**_ACTION, "keepHistory": BOOL, "deletionPropagation": one_of("background", "foreground", "orphan")}
        ),
        "test": obj(
            {
                "enable": BOOL,
                "ignoreFailures": BOOL,
                "timeout": GO_DURATION,
                "filters": items(obj({"name!": text(shortest=1, longest=253), "exclude": BOOL})),
            }
        ),
        "postRenderStrategy": one_of("nohooks", "combined", "separate"),
        "postRenderers": items(obj({"kustomize!": obj({"patches": items(_PATCH), "images": items(_IMAGE)})})),
        "values": {"type": ["object", "null"]},
        "valuesFrom": items(_VALUES_FROM),
    },
    exactly_one("chart", "chartRef"),
)

# Sources --------------------------------------------------------------------------------------------------------------

_PROVIDER = one_of("generic", "aws", "azure", "gcp")

_OCI_REPOSITORY = obj(
    {
        "url!": text(pattern=r"^oci://[^\s/]+/[^\s]+$", hint="an address such as oci://ghcr.io/owner/charts/name"),
        "interval!": GO_DURATION,
        "ref": obj({"tag": FILLED, "semver": FILLED, "semverFilter": FILLED, "digest": FILLED}),
        "layerSelector": obj({"mediaType": FILLED, "operation": one_of("extract", "copy")}),
        "timeout": _SHORT,
        "provider": _PROVIDER,
        "secretRef": LOCAL_REFERENCE,
        "certSecretRef": LOCAL_REFERENCE,
        "proxySecretRef": LOCAL_REFERENCE,
        "serviceAccountName": NAME,
        "ignore": TEXT,
        "insecure": BOOL,
        "suspend": BOOL,
        "verify": obj(
            {
                "provider!": one_of("cosign", "notation"),
                "secretRef": LOCAL_REFERENCE,
                "trustedRootSecretRef": LOCAL_REFERENCE,
                "matchOIDCIdentity": items(obj({"issuer!": FILLED, "subject!": FILLED})),
            }
        ),
    }
)

_HELM_REPOSITORY = obj(
    {
        "url!": text(pattern=r"^(http|https|oci)://.+$", hint="an address that starts with https:// or oci://"),
        "interval": GO_DURATION,
        "type": one_of("default", "oci"),
        "timeout": _SHORT,
        "provider": _PROVIDER,
        "secretRef": LOCAL_REFERENCE,
        "certSecretRef": LOCAL_REFERENCE,
        "passCredentials": BOOL,
        "insecure": BOOL,
        "suspend": BOOL,
    }
)

_GIT_REPOSITORY = obj(
    {
        "url!": text(pattern=r"^(http|https|ssh)://.+$", hint="an address that starts with https:// or ssh://"),
        "interval!": GO_DURATION,
        "ref": obj({"branch": FILLED, "tag": FILLED, "semver": FILLED, "name": FILLED, "commit": FILLED}),
        "timeout": _SHORT,
        "secretRef": LOCAL_REFERENCE,
        "proxySecretRef": LOCAL_REFERENCE,
        "provider": one_of("generic", "aws", "azure", "github"),
        "serviceAccountName": NAME,
        "verify": obj({"secretRef!": LOCAL_REFERENCE, "mode": one_of("head", "HEAD", "Tag", "TagAndHEAD")}),
        "include": items(obj({"repository!": LOCAL_REFERENCE, "fromPath": TEXT, "toPath": TEXT})),
        "ignore": TEXT,
        "recurseSubmodules": BOOL,
        "sparseCheckout": items(FILLED),
        "suspend": BOOL,
    },
    {
        "if": {"required": ["serviceAccountName"]},
        "then": {"required": ["provider"], "properties": {"provider": {"enum": ["aws", "azure"]}}},
        "rule": "serviceAccountName needs the provider aws or azure",
    },
)

# Kustomization --------------------------------------------------------------------------------------------------------

_KUSTOMIZATION = obj(
    {
        "interval!": GO_DURATION,
        "prune!": BOOL,
        "sourceRef!": reference("OCIRepository", "GitRepository", "Bucket", "ExternalArtifact"),
        "path": TEXT,
        "retryInterval": GO_DURATION,
        "timeout": GO_DURATION,
        "targetNamespace": NAMESPACE,
        "serviceAccountName": NAME,
        "kubeConfig": _KUBE_CONFIG,
        "dependsOn": _DEPENDS_ON,
        "wait": BOOL,
        "force": BOOL,
        "suspend": BOOL,
        "deletionPolicy": one_of("MirrorPrune", "Delete", "WaitForTermination", "Orphan"),
        "healthChecks": items(
            obj({"apiVersion": TEXT, "kind!": FILLED, "name!": FILLED, "namespace": NAMESPACE}),
        ),
        "healthCheckExprs": items(_HEALTH_EXPRESSION),
        "commonMetadata": META_MAPS,
        "namePrefix": text(shortest=1, longest=200),
        "nameSuffix": text(shortest=1, longest=200),
        "components": items(FILLED),
        "ignoreMissingComponents": BOOL,
        "patches": items(_PATCH),
        "images": items(_IMAGE),
        "ignore": items(_IGNORE),
        "buildMetadata": items(one_of("originAnnotations", "transformerAnnotations")),
        "decryption": obj({"provider!": one_of("sops"), "secretRef": LOCAL_REFERENCE, "serviceAccountName": NAME}),
        "postBuild": obj(
            {
                "substitute": TEXTS,
                "substituteFrom": items(obj({"kind!": one_of("Secret", "ConfigMap"), "name!": NAME, "optional": BOOL})),
                "substituteStrategy": one_of("WithVariables", "Always"),
            }
        ),
    }
)

# Notifications --------------------------------------------------------------------------------------------------------

_PROVIDER_TYPES = words(
    "alertmanager azuredevops azureeventhub bitbucket bitbucketserver datadog discord generic generic-hmac gitea "
    "giteapullrequestcomment github githubdispatch githubpullrequestcomment gitlab gitlabmergerequestcomment "
    "googlechat googlepubsub grafana lark matrix msteams nats opsgenie otel pagerduty rocket sentry slack telegram "
    "webex zulip"
)

_NOTIFICATION_PROVIDER = obj(
    {
        "type!": one_of(*_PROVIDER_TYPES),
        "address": text(longest=2048),
        "channel": text(longest=2048),
        "username": text(longest=2048),
        "interval": GO_DURATION,
        "timeout": _SHORT,
        "secretRef": LOCAL_REFERENCE,
        "certSecretRef": LOCAL_REFERENCE,
        "proxySecretRef": LOCAL_REFERENCE,
        "serviceAccountName": NAME,
        "suspend": BOOL,
    }
)

_EVENT_SOURCES = words(
    "ArtifactGenerator Bucket ExternalArtifact GitRepository HelmChart HelmRelease HelmRepository ImagePolicy "
    "ImageRepository ImageUpdateAutomation Kustomization OCIRepository"
)

_NOTIFICATION_ALERT = obj(
    {
        "providerRef!": LOCAL_REFERENCE,
        "eventSources!": items(
            obj(
                {
                    "apiVersion": TEXT,
                    "kind!": one_of(*_EVENT_SOURCES),
                    "name!": text(shortest=1, longest=253, hint="a name, or * for all"),
                    "namespace": NAMESPACE,
                    "matchLabels": TEXTS,
                }
            )
        ),
        "eventSeverity": one_of("info", "error"),
        "eventMetadata": TEXTS,
        "inclusionList": items(FILLED),
        "exclusionList": items(FILLED),
        "summary": text(longest=255),
        "suspend": BOOL,
    }
)

KINDS: dict[tuple[str, str], Schema] = {
    (version, kind): resource(version, kind, spec)
    for version, kind, spec in (
        ("helm.toolkit.fluxcd.io/v2", "HelmRelease", _HELM_RELEASE),
        ("source.toolkit.fluxcd.io/v1", "OCIRepository", _OCI_REPOSITORY),
        ("source.toolkit.fluxcd.io/v1", "HelmRepository", _HELM_REPOSITORY),
        ("source.toolkit.fluxcd.io/v1", "GitRepository", _GIT_REPOSITORY),
        ("kustomize.toolkit.fluxcd.io/v1", "Kustomization", _KUSTOMIZATION),
        ("notification.toolkit.fluxcd.io/v1beta3", "Provider", _NOTIFICATION_PROVIDER),
        ("notification.toolkit.fluxcd.io/v1beta3", "Alert", _NOTIFICATION_ALERT),
    )
}
