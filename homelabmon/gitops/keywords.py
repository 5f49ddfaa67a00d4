"""Two keywords beside JSON Schema's, in the form jsonschema-rs calls them: ``uniqueKeys`` and ``noLonger``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_DURATION = re.compile(r"(\d+)(ms|[ywdhms])")
_MILLISECONDS = {
    "ms": 1,
    "s": 1000,
    "m": 60_000,
    "h": 3_600_000,
    "d": 86_400_000,
    "w": 604_800_000,
    "y": 31_536_000_000,
}


class UniqueKeys:
    """No two items of a list agree in all of these fields, as Kubernetes demands of ``x-kubernetes-list-type: map``."""

    def __init__(self, parent_schema: dict[str, Any], value: list[str], schema_path: list[str | int]) -> None:
        self._keys = value

    def iter_errors(self, instance: Any) -> Iterator[Exception]:
        """One error a repeated item."""
        seen: dict[tuple[str, ...], int] = {}
        for index, item in enumerate(instance if isinstance(instance, list) else ()):
            if not isinstance(item, dict):
                continue
            key = tuple(repr(item.get(name)) for name in self._keys)
            first = seen.setdefault(key, index)
            if first != index:
                shown = ", ".join(f"{name} {item[name]!r}" for name in self._keys if name in item)
                yield ValueError(f"items {first} and {index} have the same {shown}")

    def validate(self, instance: Any) -> None:
        """Raise the first error."""
        for error in self.iter_errors(instance):
            raise error


class NoLonger:
    """The first of two Prometheus durations is not longer than the second."""

    def __init__(self, parent_schema: dict[str, Any], value: list[str], schema_path: list[str | int]) -> None:
        self._shorter, self._longer = value

    def validate(self, instance: Any) -> None:
        """Raise when it is longer; what is absent or no duration is not judged here."""
        if not isinstance(instance, dict):
            return
        short, long = _milliseconds(instance.get(self._shorter)), _milliseconds(instance.get(self._longer))
        if short is not None and long is not None and short > long > 0:
            raise ValueError(f"{self._shorter} is longer than {self._longer}")


def _milliseconds(duration: object) -> int | None:
    if not isinstance(duration, str) or not duration:
        return None
    return sum(int(number) * _MILLISECONDS[unit] for number, unit in _DURATION.findall(duration))


KEYWORDS: dict[str, Any] = {"uniqueKeys": UniqueKeys, "noLonger": NoLonger}
