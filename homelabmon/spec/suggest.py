"""Did-you-mean, in one voice for keys, channels, components and alert names."""

from __future__ import annotations

from collections.abc import Iterable

_LISTED = 12


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known name most like ``word``, or None when nothing is like it."""
    from difflib import get_close_matches

    by_fold = {name.casefold().replace("-", "_"): name for name in known}
    folded = word.casefold().replace("-", "_")
    if folded in by_fold:
        return by_fold[folded]
    return next((by_fold[match] for match in get_close_matches(folded, by_fold, n=1, cutoff=0.6)), None)


def suggest(word: str, known: Iterable[str], otherwise: str) -> str:
    """``did you mean 'x'?``, or ``otherwise`` and the known names (the first twelve)."""
    names = list(known)
    match = closest(word, names)
    if match is not None:
        return f"did you mean {match!r}?"
    listed = ", ".join(names[:_LISTED]) + (f" and {len(names) - _LISTED} more" if len(names) > _LISTED else "")
    return f"{otherwise}{listed}" if listed else ""
