"""What the log says of a disk that fails: when it begins, at most once a minute while it lasts, and when it is over.

However often a failing disk is asked, and by however many, the log is left readable, and it never fills the disk.
Used by the writer. May import: store.trouble, the standard library.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

from homelabmon.relay.store.trouble import ADVICE, WORDS, Reason

log = logging.getLogger(__name__)

SAY_EVERY: Final = 60.0
"""Seconds between lines about something that lasts, or that comes and goes."""


class Outage:
    """One database's. ``monotonic`` gives seconds. Told by the writer's thread, and by others while that one hangs."""

    def __init__(self, path: str, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._path, self._monotonic = path, monotonic
        self._since: float | None = None
        self._said_at: float | None = None
        self._announced = False

    def failed(self, reason: Reason) -> None:
        """An attempt to store something has failed."""
        now = self._monotonic()
        begins, self._since = self._since is None, now if self._since is None else self._since
        if self._said_at is not None and now - self._said_at < SAY_EVERY:
            return
        again = "" if begins or not self._announced else f" for {now - self._since:.0f} s"
        log.error(
            "nothing can be stored%s: %s; %s",
            again,
            WORDS[reason],
            ADVICE[reason],
            extra={"path": self._path, "reason": reason},
        )
        self._said_at, self._announced = now, True

    def over(self) -> None:
        """Something was stored."""
        since, announced = self._since, self._announced
        self._since, self._announced = None, False
        if since is not None and announced:
            seconds = round(self._monotonic() - since, 1)
            log.warning("the store can be written again", extra={"path": self._path, "seconds": seconds})
