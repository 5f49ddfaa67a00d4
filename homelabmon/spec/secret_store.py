"""The ``secrets:`` section: rendering ExternalSecret objects for every Secret the stack refers to."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from homelabmon.spec.base import Model, PositiveDuration


class SecretStore(Model):
    """An External Secrets store. For each Secret referred to in the stack one ExternalSecret is rendered."""

    store: Annotated[str, StringConstraints(min_length=1, max_length=253)] = Field(examples=["onepassword"])
    """Name of the SecretStore or ClusterSecretStore."""
    kind: Literal["ClusterSecretStore", "SecretStore"] = "ClusterSecretStore"
    """Whether the store is for the whole cluster or for one namespace."""
    prefix: str = ""
    """Put before the Secret's name to get the item's name in the store."""
    refresh_interval: PositiveDuration = timedelta(hours=1)
    """How often the store is read again."""
