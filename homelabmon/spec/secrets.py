"""References to secrets. The package never holds a secret: it holds the name of the Kubernetes Secret and the key."""

import re
from functools import lru_cache
from typing import Annotated

from pydantic import BeforeValidator, StringConstraints

from homelabmon.spec import names
from homelabmon.spec.base import Model

_LITERAL = "a literal value does not belong into stack.yaml: put it into a Secret and write {secret: NAME, key: KEY}"

SECRET_SHAPES = (
    r"(?i:https?://[^\s/]*discord(?:app)?\.com/api/(?:v\d+/)?webhooks/\d+/[\w-]+)",
    r"(?i:https?://hooks\.slack\.com/services/\S+)",
    r"\bhttps?://[^\s/:@]+:[^\s/@]+@",
    r"(?i:https?://hc-ping\.com/[^\s\"']+)",
    r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{40,}|glpat-[\w-]{20,}|xox[abprs]-[\w-]{10,})",
    r"\b(?i:Bearer) +[\w.~+/-]{16,}=*",
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    r"\b[MNO][A-Za-z\d]{23,25}\.[\w-]{6}\.[\w-]{27,}\b",
    r"\bAKIA[0-9A-Z]{16}\b",
    r"(?<=[?&])(?i:api_?key|access_?token|auth|token|password|secret)=[^&\s\"']{8,}",
    r"\bsk-[A-Za-z0-9_-]{20,}",
)
"""What secrets look like: Discord and Slack webhooks, addresses to ping, user:password in URLs, code host tokens,
bearer tokens, keys."""


@lru_cache(maxsize=1)
def _shapes() -> re.Pattern[str]:
    return re.compile("|".join(SECRET_SHAPES))


def looks_secret(text: str) -> bool:
    """Whether a text holds something that looks like a credential. Errs towards yes only for unmistakable shapes."""
    return _shapes().search(text) is not None


def redact(text: str) -> str:
    """The text with everything that looks like a credential replaced by ``[redacted]``."""
    return _shapes().sub("[redacted]", text)


SecretName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", max_length=253)]
"""Name of a Kubernetes Secret."""
SecretKey = Annotated[str, StringConstraints(pattern=r"^[-._a-zA-Z0-9]+$", max_length=253)]
"""A key inside one."""


class SecretRef(Model):
    """A key of a Kubernetes Secret: ``{secret: discord-webhooks, key: ops}``. The Secret is yours to make."""

    secret: SecretName
    """Name of the Secret, in the namespace of the component that reads it."""
    key: SecretKey
    """Key inside the Secret."""

    @property
    def file(self) -> str:
        """Where the relay's pod finds it."""
        return f"{names.SECRETS_DIR}/{self.secret}/{self.key}"


def _reference(value: object) -> object:
    if isinstance(value, str):
        raise ValueError(_LITERAL)
    return value


Secret = Annotated[SecretRef, BeforeValidator(_reference)]
"""A secret by reference; a literal is refused with the way out."""
