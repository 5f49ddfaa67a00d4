"""Who may come in: secrets from files, looked at for each request, compared in constant time.

Used by the app. May import: intake.contract, relay.secrets, spec.relay_file, the standard library.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Final

from homelabmon.relay.intake.contract import Intake
from homelabmon.relay.secrets import SecretFile, SecretText
from homelabmon.spec import names, relay_file

_SIGNATURE: Final = re.compile(r"sha256=([0-9a-fA-F]{64})")


class Doors:
    """One door for each kind of sender; closed where the configuration names no file for it."""

    def __init__(self, intake: relay_file.Intake) -> None:
        self._files: dict[str, SecretFile] = {}
        self.reconfigure(intake)

    def reconfigure(self, intake: relay_file.Intake) -> None:
        """Other files. What has been read of those that stay is kept."""
        wanted = {
            names.SOURCE_ALERTMANAGER: intake.alertmanager_token_file,
            names.SOURCE_FALCO: intake.falco_path_file,
            names.SOURCE_FLUX: intake.flux_token_file,
            names.SOURCE_EVENT: intake.event_token_file,
        }
        old = {file.path: file for file in self._files.values()}
        self._files = {name: old.get(path) or SecretFile(path) for name, path in wanted.items() if path is not None}
        path = intake.scrape_token_file
        self._scrape = None if path is None else SecretFile(path)
        path = intake.page_password_file
        self._page = None if path is None else SecretFile(path)

    def secrets(self, intake: Intake) -> tuple[SecretText, ...] | None:
        """What a sender of this kind must know, any of it; None when the door is closed. Raises SecretError."""
        file = self._files.get(intake.name)
        return None if file is None else file.all()

    def scraper(self, headers: Mapping[str, str]) -> bool | None:
        """Whether whoever asks for the metrics may have them; None where the configuration asks nobody for a token.

        Raises SecretError.
        """
        if self._scrape is None:
            return None
        offered = _bearer(headers)
        compared = [secret.matches(offered) for secret in self._scrape.all()]
        return any(compared)

    def reader(self, headers: Mapping[str, str]) -> bool | None:
        """Whether whoever wants the owner's page shows its password; None where the configuration names none.

        Raises SecretError.
        """
        if self._page is None:
            return None
        offered = _basic(headers)
        compared = [secret.matches(offered) for secret in self._page.all()]
        return any(compared)


def signed(intake: Intake, headers: Mapping[str, str]) -> bool:
    """Whether the sender can be known only by what it sent."""
    return intake.door == "signature" and "X-Signature" in headers


def admits(intake: Intake, secrets: tuple[SecretText, ...], headers: Mapping[str, str], rest: str) -> bool:
    """Whether the headers, or what follows the intake's path, show one of the secrets."""
    offered = [_bearer(headers)]
    if intake.door == "path":
        offered += [rest.encode("utf-8", "surrogateescape"), _basic(headers)]
    compared = [
        secret.matches(found) for secret in secrets for found in offered if found
    ]  # all, whatever the first says
    return any(compared)


def verified(secrets: tuple[SecretText, ...], headers: Mapping[str, str], body: bytes) -> bool:
    """Whether the body was signed with one of the secrets (HMAC-SHA256, as Flux' ``generic-hmac`` does)."""
    match = _SIGNATURE.fullmatch(headers.get("X-Signature", "").strip())
    given = match[1].lower() if match else ""
    compared = [hmac.compare_digest(_hmac(secret, body), given) for secret in secrets]
    return any(compared)


def _hmac(secret: SecretText, body: bytes) -> str:
    return hmac.new(secret.reveal().encode(), body, hashlib.sha256).hexdigest()


def _bearer(headers: Mapping[str, str]) -> bytes:
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    return token.strip().encode("utf-8", "surrogateescape") if scheme.lower() == "bearer" else b""


def _basic(headers: Mapping[str, str]) -> bytes:
    """The password. The user's name is free: libcurl wants one in the address."""
    scheme, _, both = headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return b""
    try:
        return base64.b64decode(both.strip(), validate=True).partition(b":")[2]
    except (binascii.Error, ValueError):
        return b""
