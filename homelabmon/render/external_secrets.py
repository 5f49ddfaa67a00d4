"""ExternalSecret objects for every Secret that components read, when the owner names a store."""

from __future__ import annotations

from collections.abc import Iterable

from homelabmon.spec import names
from homelabmon.spec.base import format_go_duration
from homelabmon.spec.contribution import Object, SecretNeed
from homelabmon.spec.secret_store import SecretStore

APP = "secrets"


def external_secrets(needs: Iterable[SecretNeed], store: SecretStore) -> dict[str, list[Object]]:
    """File name to object: one ExternalSecret for each namespace and Secret, with exactly the keys that are read.

    A dot parts the two in the file name: no namespace holds one, so no two names meet.
    """
    wanted: dict[tuple[str, str], set[str]] = {}
    for need in needs:
        wanted.setdefault((need.namespace, need.secret), set()).add(need.key)
    return {
        f"{namespace}.{secret}.yaml": [_external_secret(namespace, secret, sorted(keys), store)]
        for (namespace, secret), keys in sorted(wanted.items())
    }


def _external_secret(namespace: str, secret: str, keys: list[str], store: SecretStore) -> Object:
    # The kubelet takes a registry's login from a Secret of its own type only.
    typed = {"template": {"type": "kubernetes.io/dockerconfigjson"}} if names.KEY_REGISTRY_LOGIN in keys else {}
    return {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": {"name": secret, "namespace": namespace},
        "spec": {
            "refreshInterval": format_go_duration(store.refresh_interval),
            "secretStoreRef": {"kind": store.kind, "name": store.store},
            "target": {"name": secret, "creationPolicy": "Owner", **typed},
            "data": [
                {"secretKey": key, "remoteRef": {"key": f"{store.prefix}{secret}", "property": key}} for key in keys
            ],
        },
    }
