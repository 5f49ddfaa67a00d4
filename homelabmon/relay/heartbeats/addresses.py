"""Where heartbeats are pinged. Each address holds a secret: a UUID of its own, or the key that opens all by name.

They are derived from one key, so that none has to be kept: HMAC-SHA256 over the heartbeat's name. Addresses that exist
already, because they moved here from elsewhere, can be listed in a file. Used by the ping API and the command line.
May import: relay.secrets, spec.relay_file, the standard library.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable
from typing import Final
from uuid import UUID

from homelabmon.relay.secrets import SecretError, SecretFile, SecretText
from homelabmon.spec.relay_file import Intake

_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_KEY: Final = re.compile(r"[-a-zA-Z0-9_]{8,}")
_SHORTEST_KEY: Final = 16


def derived_uuid(key: SecretText, name: str) -> str:
    """The UUID of a heartbeat. The same key and name always give the same one."""
    return str(UUID(bytes=_hmac(key, f"heartbeat:{name}")[:16], version=4))


def derived_ping_key(key: SecretText) -> str:
    """The key that opens every heartbeat by its name: 22 letters, digits, dashes and underscores."""
    return base64.urlsafe_b64encode(_hmac(key, "ping-key")[:16]).decode().rstrip("=")


def _hmac(key: SecretText, text: str) -> bytes:
    return hmac.new(key.reveal().encode(), text.encode(), hashlib.sha256).digest()


class FixedKey:
    """A key that does not lie in a file."""

    def __init__(self, path: str, key: SecretText) -> None:
        """``path``: what it is called where it is wrong."""
        self.path, self._key = path, key

    def refresh(self) -> int:
        """It never changes."""
        return 1

    def all(self) -> tuple[SecretText, ...]:
        """It alone."""
        return (self._key,)


class Addresses:
    """The addresses of a configuration's heartbeats. While a key changes, its file may hold several, one a line."""

    def __init__(self, intake: Intake, names: Iterable[str], keys: SecretFile | FixedKey | None = None) -> None:
        """``keys``: in place of the configuration's own file and list."""
        self._given = keys
        self._key: SecretFile | FixedKey | None = None
        self._ids: SecretFile | None = None
        self._names: tuple[str, ...] = ()
        self.reconfigure(intake, names)

    def reconfigure(self, intake: Intake, names: Iterable[str]) -> None:
        """Other files, and other heartbeats."""
        self._key = self._given or _file(intake.heartbeat_key_file, self._key)
        self._ids = None if self._given is not None else _file(intake.heartbeat_ids_file, self._ids)
        self._names = tuple(names)
        self._version: tuple[int, int] | None = None
        self._by_uuid: dict[str, str] = {}
        self._ping_keys: tuple[SecretText, ...] = ()

    @property
    def open(self) -> bool:
        """Whether the configuration names a file at all."""
        return self._key is not None or self._ids is not None

    def by_uuid(self, uuid: str) -> str | None:
        """The heartbeat of a UUID; None when there is none. Raises SecretError."""
        self._read()
        return self._by_uuid.get(uuid)

    def knows_key(self, offered: str) -> bool:
        """Whether this is the key that opens heartbeats by their names. Raises SecretError."""
        self._read()
        compared = [key.matches(offered.encode()) for key in self._ping_keys]
        return any(compared)

    def of(self, name: str) -> str | None:
        """A heartbeat's UUID, of the first key; None when it has none. Raises SecretError."""
        self._read()
        return next((uuid for uuid, owner in self._by_uuid.items() if owner == name), None)

    def ping_key(self) -> str | None:
        """The first key that opens heartbeats by their names. Raises SecretError."""
        self._read()
        return self._ping_keys[0].reveal() if self._ping_keys else None

    def _read(self) -> None:
        """Reads the files anew where one has changed."""
        version = tuple(0 if file is None else file.refresh() for file in (self._ids, self._key))
        if version == self._version:
            return
        by_uuid, ping_keys = _listed(self._ids)
        for key in () if self._key is None else self._key.all():
            if len(key.reveal()) < _SHORTEST_KEY:
                raise SecretError(
                    f"{self._key.path if self._key else ''}: holds a key of less than {_SHORTEST_KEY} characters"
                )
            ping_keys.append(SecretText(derived_ping_key(key)))
            for name in self._names:
                by_uuid.setdefault(derived_uuid(key, name), name)
        self._by_uuid, self._ping_keys = by_uuid, tuple(ping_keys)
        self._version = (version[0], version[1])


def _file(path: str | None, old: SecretFile | FixedKey | None) -> SecretFile | None:
    if path is None:
        return None
    return old if isinstance(old, SecretFile) and old.path == path else SecretFile(path)


def _listed(file: SecretFile | None) -> tuple[dict[str, str], list[SecretText]]:
    by_uuid: dict[str, str] = {}
    ping_keys = []
    for number, line in enumerate(() if file is None else file.all(), 1):
        name, _, value = line.reveal().partition("=")
        if name == "*" and _KEY.fullmatch(value):
            ping_keys.append(SecretText(value))
        elif name != "*" and _UUID.fullmatch(value):
            by_uuid[value] = name
        else:
            kind = "a key of eight or more letters, digits, - and _" if name == "*" else "a UUID in lower case"
            raise SecretError(
                f"{file.path if file else ''}: entry {number} is no NAME=UUID: behind the = stands {kind}"
            )
    return by_uuid, ping_keys
