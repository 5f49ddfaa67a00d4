"""The service's container image, for whoever runs it. Asked by the relay and by the outpost. May import: spec."""

from typing import Annotated

from pydantic import Field, StringConstraints

import homelabmon
from homelabmon.spec.base import Model
from homelabmon.spec.secrets import SecretName

USER = 65532
"""The user and the group that it runs as."""


class Image(Model):
    """A container image."""

    repository: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._:/-]*[a-z0-9]$")] = (
        "ghcr.io/homelabmon/homelabmon"
    )
    """Where the image is pulled from."""
    tag: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$")] = homelabmon.__version__
    """Its tag. Default: the version of homelabmon that renders."""
    digest: str | None = Field(default=None, pattern=r"^sha256:[0-9a-f]{64}$")
    """Pins the image to its bytes."""
    pull_secret: SecretName | None = Field(default=None, examples=["registry-login"])
    """Name of the Secret (type `kubernetes.io/dockerconfigjson`) that opens a registry which asks for a password."""

    @property
    def reference(self) -> str:
        """As a container spec wants it."""
        return f"{self.repository}:{self.tag}" + (f"@{self.digest}" if self.digest else "")
