"""Which keys are those of credentials, by their names alone."""

from __future__ import annotations

import re
from typing import Final

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_SECRET_ENDINGS: Final = (
    ("password",),
    ("passwd",),
    ("passphrase",),
    ("token",),
    ("webhook",),
    ("apikey",),
    ("webhookurl",),
    ("secretaccesskey",),
    ("api", "key"),
    ("access", "key"),
    ("secret", "key"),
    ("private", "key"),
    ("signing", "key"),
    ("encryption", "key"),
    ("client", "secret"),
    ("signing", "secret"),
    ("webhook", "url"),
    ("api", "secret"),
)


def names_a_secret(key: str) -> bool:
    """Whether a key's name ends as keys of credentials do: ``adminPassword``, ``API_TOKEN``, ``webhook_url``."""
    words = tuple(word.lower() for word in _WORD.findall(key))
    return any(words[-len(ending) :] == ending for ending in _SECRET_ENDINGS)
