"""Strict schemas of the custom resources that homelabmon renders, in our own words. Used by `gitops.catalogue`.

They are closed, and never accept what the CRD refuses; where they know less than the CRD, the user's own CRDs
(``--crds``) take their place. A family is built when one of its kinds is asked for.
"""

from __future__ import annotations

from homelabmon.gitops.schemas.dsl import Schema

GROUPS: dict[str, tuple[str, ...]] = {
    "helm.toolkit.fluxcd.io": ("v2/HelmRelease",),
    "source.toolkit.fluxcd.io": ("v1/OCIRepository", "v1/HelmRepository", "v1/GitRepository"),
    "kustomize.toolkit.fluxcd.io": ("v1/Kustomization",),
    "notification.toolkit.fluxcd.io": ("v1beta3/Provider", "v1beta3/Alert"),
    "monitoring.coreos.com": (
        "v1/PrometheusRule",
        "v1/ServiceMonitor",
        "v1/PodMonitor",
        "v1/Probe",
        "v1alpha1/ScrapeConfig",
    ),
    "metallb.io": ("v1beta1/IPAddressPool", "v1beta1/L2Advertisement"),
    "cilium.io": ("v2/CiliumLoadBalancerIPPool", "v2alpha1/CiliumL2AnnouncementPolicy"),
    "external-secrets.io": ("v1/ExternalSecret",),
    "kustomize.config.k8s.io": ("v1beta1/Kustomization", "v1alpha1/Component"),
}
"""Which kinds there are, by API group, as ``version/Kind``."""


def schema_for(api_version: str, kind: str) -> Schema | None:
    """The schema of a kind, or None when it is not one of ours."""
    group, _, version = api_version.partition("/")
    if f"{version}/{kind}" not in GROUPS.get(group, ()):
        return None
    return _family(group)[api_version, kind]


def _family(group: str) -> dict[tuple[str, str], Schema]:
    if group == "monitoring.coreos.com":
        from homelabmon.gitops.schemas.monitoring import KINDS
    elif group == "metallb.io":
        from homelabmon.gitops.schemas.metallb import KINDS
    elif group == "cilium.io":
        from homelabmon.gitops.schemas.cilium import KINDS
    elif group == "external-secrets.io":
        from homelabmon.gitops.schemas.external_secrets import KINDS
    elif group == "kustomize.config.k8s.io":
        from homelabmon.gitops.schemas.kustomize import KINDS
    else:
        from homelabmon.gitops.schemas.flux import KINDS
    return KINDS
