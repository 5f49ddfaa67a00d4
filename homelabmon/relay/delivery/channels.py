"""Which webhook a channel uses now: its own, or that of a channel that stands in for it.

A webhook that the other side no longer knows is dead until its file holds another address. Asked by delivery.worker
and by the metrics page. May import: notifiers.contract, spec.relay_file, delivery.memory and the standard library.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from homelabmon.notifiers.contract import Target
from homelabmon.relay.delivery.memory import digest_of
from homelabmon.spec.relay_file import ChannelEntry

Reads = Callable[[str], str]
"""The secret in a file; raises an exception, whose text shows no secret, where it cannot be had."""


@dataclass(frozen=True, slots=True)
class Way:
    """How a channel is reached. ``via``: the channel whose webhook it is, the channel itself mostly."""

    via: str
    target: Target


@dataclass(frozen=True, slots=True)
class Disabled:
    """Why a channel's own webhook is not used: ``unknown_webhook`` and the like, or ``unreadable``."""

    reason: str
    detail: str = ""


class Channels:
    """All channels of a configuration. Addresses are read from their files each time: a new one works at once."""

    def __init__(self, entries: Mapping[str, ChannelEntry], reads: Reads, *, last_resort: str | None = None) -> None:
        """``last_resort``: takes what is left for a channel that the configuration does not name any more."""
        self._entries, self._reads, self._last_resort = dict(entries), reads, last_resort
        self._dead: dict[str, str] = {}
        """Reason, by digest of the address."""
        self._threads_gone: set[tuple[str, str]] = set()

    def reconfigure(self, entries: Mapping[str, ChannelEntry], *, last_resort: str | None = None) -> None:
        """Another configuration. What is dead stays dead."""
        self._entries, self._last_resort = dict(entries), last_resort

    def names(self) -> tuple[str, ...]:
        """Every channel."""
        return tuple(self._entries)

    def way(self, channel: str) -> Way | None:
        """How to reach a channel: the first along its fallbacks whose webhook is alive; None when there is none."""
        seen: set[str] = set()
        name: str | None = channel if channel in self._entries else self._last_resort
        while name is not None and name not in seen and (entry := self._entries.get(name)) is not None:
            if (target := self.own(name)) is not None:
                return Way(name, target)
            seen.add(name)
            name = entry.fallback
        return None

    def own(self, channel: str) -> Target | None:
        """A channel's own webhook; None while it is dead, or cannot be read, or the channel is not known."""
        entry = self._entries.get(channel)
        if entry is None or (url := self._url(entry)) is None or digest_of(url) in self._dead:
            return None
        thread = entry.thread_id
        if thread is not None and (url, thread) in self._threads_gone:
            thread = None
        return Target(url, thread_id=thread, forum=entry.forum)

    def in_thread(self, target: Target, thread_id: str | None) -> Target:
        """The target, for a message that stands in a thread of its own."""
        return target if thread_id is None else replace(target, thread_id=thread_id)

    def bury(self, target: Target, reason: str) -> None:
        """The webhook is dead."""
        self._dead[digest_of(target.url)] = reason

    @property
    def dead(self) -> Mapping[str, str]:
        """Reasons, by digest of the address; addresses that no file holds any more included."""
        return self._dead

    def learn(self, dead: Mapping[str, str]) -> None:
        """These are dead, and no others."""
        self._dead = dict(dead)

    def thread_gone(self, target: Target) -> None:
        """The thread that the channel posts into is gone: from now on it posts into the channel itself."""
        if target.thread_id is not None:
            self._threads_gone.add((target.url, target.thread_id))

    def disabled(self) -> Mapping[str, Disabled | None]:
        """For every channel why its own webhook is not used; None where it is."""
        return {name: self._disabled(entry) for name, entry in self._entries.items()}

    def _disabled(self, entry: ChannelEntry) -> Disabled | None:
        try:
            url = self._reads(entry.webhook_file)
        except Exception as error:
            return Disabled("unreadable", str(error))
        reason = self._dead.get(digest_of(url))
        return None if reason is None else Disabled(reason)

    def _url(self, entry: ChannelEntry) -> str | None:
        try:
            return self._reads(entry.webhook_file)
        except Exception:
            return None
