"""What the metrics page says: the accounts as the disk has them, and what this process has seen.

The accounts come from one read of the disk, so that they balance at every look, and grow over restarts: a counter that
had been ahead of the disk would seem to start anew after a crash. Names are those of spec.names, which the rules use.

Asked by the app. May import: its neighbours, spec.names, the standard library.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import homelabmon
from homelabmon.relay.app import App
from homelabmon.relay.clock import Clock
from homelabmon.relay.config import WatchedConfig
from homelabmon.relay.delivery.channels import Channels
from homelabmon.relay.delivery.figures import Figures
from homelabmon.relay.exposition import Family, counter, exposition, gauge, histogram
from homelabmon.relay.inbox import Inbox
from homelabmon.relay.incidents.model import ACCOUNTS, Account
from homelabmon.relay.part import Part
from homelabmon.relay.store.queries import Counts
from homelabmon.relay.store.trouble import StoreError
from homelabmon.spec import names

_TOTALS: Final[dict[Account, tuple[str, str]]] = {
    "received": (names.METRIC_RECEIVED, "Notices that came in: each word of a sender about an alert, by channel."),
    "posted": (names.METRIC_POSTED, "Notices that readers have been told of."),
    "suppressed": (names.METRIC_SUPPRESSED, "Notices about alerts that were over before their hold was."),
    "deduplicated": (names.METRIC_DEDUPLICATED, "Notices that said nothing new."),
    "dead_lettered": (names.METRIC_DEAD_LETTERED, "Notices in messages that were refused for good."),
}
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


class Metrics:
    """Everything that is told, gathered anew for each look."""

    def __init__(
        self,
        inbox: Inbox,
        channels: Channels,
        figures: Figures,
        config: WatchedConfig,
        clock: Clock,
        parts: Sequence[Part],
    ) -> None:
        self._parts = parts
        self._told: dict[str, tuple[Family, ...]] = {}
        self._inbox, self._channels, self._figures, self._config = inbox, channels, figures, config
        self._clock = clock
        self._counts = Counts()
        self._started = time.time()

    async def text(self, app: App) -> str:
        """The page. While the disk fails, the accounts are those of the last look."""
        with suppress(StoreError):
            self._counts = await self._inbox.store.counts()
        for part in self._parts:
            with suppress(StoreError):
                self._told[part.name] = tuple(await part.families())
        told = [family for families in self._told.values() for family in families]
        return exposition((*self._accounts(), *self._state(), *self._traffic(app), *told, *_process(self._started)))

    def _accounts(self) -> Iterator[Family]:
        counts = self._counts
        channels = sorted({*self._channels.names(), *(channel for channel, _ in counts.accounts), *counts.queued})
        for account in ACCOUNTS:
            name, text = _TOTALS[account]
            samples = [({"channel": one}, counts.accounts.get((one, account), 0)) for one in channels]
            yield counter(name, text, *samples)
        queued = [({"channel": one}, counts.queued.get(one, 0)) for one in channels]
        yield gauge(names.METRIC_QUEUED, "Notices that wait: for the end of a hold, or to be posted.", *queued)
        now = self._clock.now()
        ages = [({"channel": one}, _age(counts.waiting_since.get(one), now)) for one in channels]
        yield gauge(names.METRIC_QUEUE_AGE, "How long the oldest news has been due that nobody has been told.", *ages)

    def _state(self) -> Iterator[Family]:
        counts, store, now = self._counts, self._inbox.store, self._clock.now()
        disabled = [({"channel": name}, int(why is not None)) for name, why in self._channels.disabled().items()]
        yield gauge(names.METRIC_CHANNEL_DISABLED, "1: the channel's own webhook is not used.", *disabled)
        yield gauge(names.METRIC_STORE_WRITABLE, "1: what comes in can be stored.", ({}, int(store.trouble is None)))
        yield gauge(names.METRIC_STORE_BYTES, "Size of the database.", ({}, counts.bytes))
        yield counter(names.METRIC_STORE_REPLACED, "Damaged databases that were replaced.", ({}, len(store.damaged)))
        yield gauge(
            names.METRIC_CONFIG_RELOAD_OK, "1: the configuration file is in effect.", ({}, int(self._config.ok))
        )
        yield gauge(names.METRIC_QUARANTINED, "Requests in quarantine.", ({}, counts.quarantine))
        yield gauge(names.METRIC_DEAD_LETTERS, "Messages among the dead letters.", ({}, counts.dead_letters))
        yield gauge(names.METRIC_OPEN_INCIDENTS, "Incidents that are not closed.", ({}, counts.open_incidents))
        yield gauge(names.METRIC_INBOX, "Requests that are stored and not yet looked at.", ({}, counts.inbox))
        yield gauge(names.METRIC_INBOX_AGE, "Age of the oldest of them.", ({}, _age(counts.inbox_oldest, now)))
        build = {"version": homelabmon.__version__, "python": platform.python_version()}
        yield gauge(names.METRIC_BUILD, "What runs.", (build, 1))

    def _traffic(self, app: App) -> Iterator[Family]:
        answers = [({"source": name, "code": str(code)}, count) for (name, code), count in sorted(app.answers.items())]
        yield counter(names.METRIC_REQUESTS, "Requests of senders, by answer.", *answers)
        yield histogram(
            names.METRIC_ACKNOWLEDGE, "From the head of a request until it was on disk.", {(): app.acknowledged}
        )
        yield gauge(names.METRIC_CONNECTIONS, "Connections of clients.", ({}, len(app.house)))
        unread = [({"source": name}, count) for name, count in sorted(self._inbox.unread.items())]
        yield counter(names.METRIC_UNREAD, "Requests, or pieces of them, put into quarantine.", *unread)
        left_out = [({"source": name}, count) for name, count in sorted(self._inbox.left_out.items())]
        yield counter(names.METRIC_LEFT_OUT, "Requests from which the sender left something out.", *left_out)
        yield histogram(names.METRIC_HOLD, "How long alerts were held back, by what followed.", self._inbox.holds)
        figures = self._figures
        latency = ((("channel", name), one) for name, one in sorted(figures.latency.items()))
        due = "From when news was due until it stood in the channel."
        yield histogram(names.METRIC_DELIVERY, due, {(label,): one for label, one in latency})
        sent = [({"channel": name, "kind": kind}, count) for (name, kind), count in sorted(figures.sent.items())]
        yield counter(names.METRIC_MESSAGES, "Messages that were posted, edited or deleted.", *sent)
        failures = [
            ({"channel": name, "reason": why}, count) for (name, why), count in sorted(figures.failures.items())
        ]
        yield counter(names.METRIC_DELIVERY_FAILURES, "Attempts to deliver that failed.", *failures)
        yield counter(names.METRIC_COMMITS_FAILED, "Commits that failed.", ({}, figures.commits_failed))


def _age(since: float | None, now: float) -> float:
    return 0.0 if since is None else max(now - since, 0.0)


def _process(started: float) -> Iterator[Family]:
    """What Prometheus' own clients tell of the process, where the system has it."""
    try:
        resident = int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE
        files = sum(1 for _ in Path("/proc/self/fd").iterdir())
    except (OSError, ValueError, IndexError):
        return
    times = os.times()
    yield gauge("process_resident_memory_bytes", "Memory in use.", ({}, resident))
    yield gauge("process_open_fds", "Open files and connections.", ({}, files))
    yield counter("process_cpu_seconds_total", "Time on processors.", ({}, times.user + times.system))
    yield gauge("process_start_time_seconds", "When it was started.", ({}, started))
