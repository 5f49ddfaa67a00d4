"""The cluster's relay tells the outpost how it is: each minute, and soon after something has opened or ended.

Not stored and not repeated: a report that did not arrive is followed by another one, soon. What it says is for the
owner's own eyes, so it names alerts by a few of their labels and by the title that people read.
Started by the service. May import: relay.part, relay.engine, relay.delivery, relay.secrets, notifiers, its neighbours.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Final

from homelabmon.notifiers.contract import Request
from homelabmon.relay.delivery.channels import Channels
from homelabmon.relay.delivery.transport import HttpTransport, Transport, TransportFailure
from homelabmon.relay.engine import Engine
from homelabmon.relay.exposition import Family, gauge
from homelabmon.relay.incidents.model import Episode, Incident
from homelabmon.relay.incidents.views import incident_view, rank
from homelabmon.relay.part import Part, Tools
from homelabmon.relay.secrets import SecretError, SecretFile
from homelabmon.relay.vigil.reports import EVERY, MOST_OPEN, OpenAlert, Report, body_of
from homelabmon.spec import names
from homelabmon.spec.relay_file import RelayFile, Upstream

log = logging.getLogger(__name__)

LOOK_EVERY: Final = 2.0
"""Seconds between looks at what is open."""
AT_LEAST: Final = 10.0
"""Seconds between two reports, however much happens, and after one that was not taken."""
PATIENCE: Final = 5.0
"""Seconds that the outpost has to answer."""
SHOWN: Final[tuple[str, ...]] = (
    names.LABEL_ALERTNAME,
    names.LABEL_PROBE,
    names.LABEL_HEARTBEAT,
    "namespace",
    "node",
    "instance",
    "job",
    "pod",
)
"""Labels that are told."""


class Reporter(Part):
    """Reports where the configuration names an outpost."""

    name = "reporter"

    def __init__(self, file: RelayFile, tools: Tools, engine: Engine, channels: Channels) -> None:
        self._file, self._store, self._clock = file, tools.store, tools.clock
        self._engine, self._channels = engine, channels
        self._token: SecretFile | None = None
        self._started_at = tools.clock.now()
        self._sent_mono = -EVERY
        self._last: object = None
        self.trouble = ""
        """Why the outpost did not take the last one."""
        self.accepted_at: float | None = None
        """When the outpost last took a report; Unix seconds."""

    async def run(self) -> None:
        """Reports, until it is cancelled."""
        async with HttpTransport(timeout=PATIENCE) as transport:
            while True:
                upstream = self._file.upstream
                if upstream is not None and upstream.report:
                    try:
                        await self._look(upstream, transport)
                    except Exception:
                        log.exception("a bug: the relay could not report to the outpost")
                await self._clock.sleep(LOOK_EVERY)

    def reconfigure(self, file: RelayFile) -> None:
        """From now on another configuration holds."""
        self._file = file

    async def families(self) -> Iterable[Family]:
        """When the outpost last took a report."""
        sent = [] if self.accepted_at is None else [(dict[str, str](), self.accepted_at)]
        return (gauge(names.METRIC_REPORT_SENT, "When the outpost last took a report of this relay.", *sent),)

    async def _look(self, upstream: Upstream, transport: Transport) -> None:
        passed = self._clock.monotonic() - self._sent_mono
        if passed < AT_LEAST:
            return
        report = self.report()
        seen = (report.open, report.more, report.stored, report.failing, report.watchdog_missing)
        if passed >= EVERY or seen != self._last or self.trouble:
            self._sent_mono, self._last = self._clock.monotonic(), seen
            self._note(await self._send(upstream, report, transport))

    def report(self) -> Report:
        """How the relay is now."""
        book = self._engine.book
        going = [] if book is None else [pair for pair in book.incidents() if _goes_on(pair[0])]
        open_ = sorted((one for incident, episodes in going for one in _alerts(incident, episodes)), key=_worst_first)
        failing = {name for name, why in self._channels.disabled().items() if why is not None}
        return Report(
            name=self._file.name,
            at=self._clock.now(),
            started_at=self._started_at,
            stored=self._store.trouble is None,
            watchdog_missing=self._engine.watchdog_missing,
            open=tuple(open_[:MOST_OPEN]),
            more=max(len(open_) - MOST_OPEN, 0),
            failing=tuple(sorted(failing | set(self._engine.figures.troubles))),
        )

    async def _send(self, upstream: Upstream, report: Report, transport: Transport) -> str:
        """Why it was not taken; empty when it was."""
        if self._token is None or self._token.path != upstream.token_file:
            self._token = SecretFile(upstream.token_file)
        try:
            token = self._token.all()[0].reveal()
        except SecretError as error:
            return str(error)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        url = upstream.url.rstrip("/") + names.PATH_REPORT
        response = await transport.send(Request("POST", url, body_of(report), headers))
        if isinstance(response, TransportFailure):
            return f"no answer ({response.reason})"
        return "" if response.status == 200 else f"it answers {response.status}"

    def _note(self, trouble: str) -> None:
        """Once, until it is another trouble."""
        if not trouble:
            self.accepted_at = self._clock.now()
        if trouble != self.trouble:
            if trouble:
                log.warning("the outpost does not take reports", extra={"reason": trouble})
            else:
                log.info("the outpost takes reports again")
        self.trouble = trouble


def _goes_on(incident: Incident) -> bool:
    return incident.closed_at is None and incident.ended_at is None and not incident.event


def _alerts(incident: Incident, episodes: Iterable[Episode]) -> Iterable[OpenAlert]:
    known = tuple(episodes)
    title = incident_view(incident, known).title
    for episode in known:
        if episode.firing and not episode.event:
            labels = {name: episode.labels[name] for name in SHOWN if name in episode.labels}
            yield OpenAlert(labels, episode.severity, episode.starts_at, title)


def _worst_first(alert: OpenAlert) -> tuple[int, float, str]:
    return rank(alert.severity), alert.since, alert.title
