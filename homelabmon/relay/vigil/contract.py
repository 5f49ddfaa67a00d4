"""What the other parts ask of the vigil: may a failure that was just seen be believed?

Who misses something, or sees something fail, asks :meth:`Sight.sure` before it says so. While the answer is no, it
throws away what it saw and changes nothing; what it could not see meanwhile is no outage of others.
May import: the standard library.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Sight(Protocol):
    """Whether this machine reaches the world."""

    @property
    def blind_since(self) -> float | None:
        """The moment (Unix seconds) after which nothing proves that it saw; None while it sees, as far as is known."""
        ...

    async def sure(self) -> bool:
        """Whether a failure that was seen just now may be believed. Takes some seconds at most, and never raises."""
        ...

    def on_return(self, callback: Callable[[], None]) -> None:
        """From now on ``callback`` is called each time it sees again. It must not raise, and must not take long."""
        ...


class Clear:
    """Always sees: where no anchors are named, and inside the cluster."""

    blind_since: None = None

    async def sure(self) -> bool:
        """Yes."""
        return True

    def on_return(self, callback: Callable[[], None]) -> None:
        """It never returns, as it never goes."""


CLEAR = Clear()
