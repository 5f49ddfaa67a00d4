"""Did-you-mean with a bound on its cost: comparing names is slow, and a broken file may hold thousands of them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from homelabmon.spec.suggest import suggest

MOST_COMPARISONS: Final = 20_000
"""How many pairs of names are compared in one run, well under a second; beyond it the known names are listed."""


class Suggester:
    """Asked by every check of one run. Same questions in the same order, same answers."""

    def __init__(self, left: int = MOST_COMPARISONS) -> None:
        self.left = left
        self._answers: dict[tuple[str, str, int], str] = {}

    def suggest(self, word: str, known: Collection[str], otherwise: str) -> str:
        """As :func:`homelabmon.spec.suggest.suggest`; the names are sorted, so that any collection may be given."""
        affordable = len(known) <= self.left
        # What is listed for a word that nothing is like is the same for all such words.
        key = (word, otherwise, len(known))
        if key not in self._answers and not affordable:
            key = ("", otherwise, len(known))
        if key not in self._answers:
            self.left -= len(known) if affordable else 0
            self._answers[key] = suggest(key[0], sorted(known), otherwise)
        return self._answers[key]
