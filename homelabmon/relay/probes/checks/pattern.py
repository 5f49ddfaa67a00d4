"""Regular expressions of probes: RE2, as with the blackbox exporter, found anywhere in the text. May import: re2."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache


@lru_cache(maxsize=4096)
def searcher(pattern: str) -> Callable[[str], object]:
    """What says whether a text holds the pattern. Raises ValueError where it is none."""
    import re2  # here, not above: most probes need none

    options = re2.Options()
    options.log_errors = False
    try:
        search: Callable[[str], object] = re2.compile(pattern, options).search
    except re2.error as error:
        why = error.args[0] if error.args else "it cannot be read"
        raise ValueError(why.decode("utf-8", "replace") if isinstance(why, bytes) else str(why)) from None
    return search
