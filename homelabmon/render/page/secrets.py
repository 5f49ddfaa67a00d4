"""The Secrets that must exist, who reads them, and how to make them. Placeholders only: no value is ever known here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from homelabmon.render.fold import Folded
from homelabmon.render.page.markdown import blocks, code, fenced, listed, plain, table
from homelabmon.spec import names
from homelabmon.spec.contribution import ALERTS_DEADMAN, ALERTS_PEOPLE, EVENTS_FALCO, SecretNeed
from homelabmon.stack import Stack

Key = TypeVar("Key", bound=tuple[str, ...])

_TOKENS = ((ALERTS_PEOPLE, "token"), (ALERTS_DEADMAN, "token"), (EVENTS_FALCO, "path_secret"))
"""Offers whose senders prove who they are with a secret that anybody may make up."""


def secrets(stack: Stack, folded: Folded) -> list[str]:
    """A row for each key, then the commands, or the store they come from."""
    rows = [
        (code(namespace), code(secret), code(key), listed(list(dict.fromkeys(plain(need.reader) for need in needs))))
        for (namespace, secret, key), needs in _sorted_by(_key, folded.secrets).items()
    ]
    if not rows:
        return []
    store = stack.secrets
    if store is not None:
        how = [
            f"The {store.kind} {code(store.store)} gives them. Each is rendered as an ExternalSecret that reads the"
            f" item {code(f'{store.prefix}SECRET')}, a property a key."
        ]
    else:
        how = [
            "The stack only names them; making them is yours. By hand, with your values in place of the placeholders"
            " (a shell keeps in its history what you type; SOPS and External Secrets do not):",
            "",
            *fenced("sh", "\n".join(_commands(stack, folded))),
        ]
    return blocks(table(("Namespace", "Secret", "Key", "Read by"), rows), how)


def _key(need: SecretNeed) -> tuple[str, str, str]:
    return need.namespace, need.secret, need.key


def _object(need: SecretNeed) -> tuple[str, str]:
    return need.namespace, need.secret


def _sorted_by(key: Callable[[SecretNeed], Key], needs: Iterable[SecretNeed]) -> dict[Key, list[SecretNeed]]:
    found: dict[Key, list[SecretNeed]] = {}
    for need in needs:
        found.setdefault(key(need), []).append(need)
    return dict(sorted(found.items()))


def _commands(stack: Stack, folded: Folded) -> Iterator[str]:
    known = _placeholders(stack, folded)
    for (namespace, secret), needs in _sorted_by(_object, folded.secrets).items():
        keys = sorted({need.key for need in needs})
        if names.KEY_REGISTRY_LOGIN in keys:
            yield (
                f"kubectl --namespace {namespace} create secret docker-registry {secret} \\\n"
                "  --docker-server='<registry>' --docker-username='<user>' --docker-password='<password>'"
            )
            continue
        literals = [f"  --from-literal={key}='<{known.get((secret, key), key)}>'" for key in keys]
        yield " \\\n".join([f"kubectl --namespace {namespace} create secret generic {secret}", *literals])


def _placeholders(stack: Stack, folded: Folded) -> dict[tuple[str, str], str]:
    """What belongs into a key of a Secret, where the stack tells."""
    tokens = [offer.data.get(field) for capability, field in _TOKENS for offer in folded.site.offered(capability)]
    found = {(ref.secret, ref.key): "made up: openssl rand -hex 32" for ref in tokens if ref is not None}
    for name, channel in stack.channels.items():
        webhook = channel.discord.webhook
        found[(webhook.secret, webhook.key)] = f"webhook address of #{name}"
    return found
