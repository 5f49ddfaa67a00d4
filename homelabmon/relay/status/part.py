"""The part of the service that keeps the status page: incidents that outages open, the page in memory, and as files.

It looks every few seconds whether anything that is public has changed. Nothing is made before somebody asks for it, and
nothing twice. The disk is the only truth: where it fails, the last page is shown, and says of when it is.
May import: relay.part, relay.exposition, its neighbours.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from aiohttp import hdrs, web

from homelabmon.errors import HomelabmonError
from homelabmon.relay import history
from homelabmon.relay.exposition import Family, gauge
from homelabmon.relay.history import Windows
from homelabmon.relay.part import Part, Tools
from homelabmon.relay.status import automatic, incidents
from homelabmon.relay.status.automatic import Now, Opening
from homelabmon.relay.status.export import export
from homelabmon.relay.status.gather import page_of
from homelabmon.relay.status.model import Page
from homelabmon.relay.status.serving import Shelf, answer, missing, path_of
from homelabmon.relay.status.setup import Setup, setup_of
from homelabmon.relay.status.site import outputs
from homelabmon.relay.store.trouble import StoreError
from homelabmon.relay.waiting import happens
from homelabmon.spec import names
from homelabmon.spec.relay_file import RelayFile

log = logging.getLogger(__name__)

LOOK_EVERY: Final = 5.0
"""Seconds between looks at what has changed."""
OLDEST: Final = 60.0
"""Seconds after which a page is made anew although nothing has changed: it says when it was checked."""
PRUNE_EVERY: Final = 86_400.0
SUMMED: Final = 12 * 86_400.0
"""Seconds that reach over all days of which the history keeps more than a sum."""
_Revision = tuple[Any, ...]
"""What differs as soon as something public does."""


class StatusPages(Part):
    """The status page of one configuration, or of none."""

    name = "status page"

    def __init__(self, file: RelayFile, tools: Tools) -> None:
        self._tools = tools
        self._setup = setup_of(file)
        self._wake = asyncio.Event()
        self._making = asyncio.Lock()
        self._revision: _Revision | None = None
        self._shelf: Shelf | None = None
        self._shelf_is_of: tuple[_Revision | None, float] = (None, 0.0)
        self._published_is_of: tuple[_Revision | None, float] = (None, -float("inf"))
        self._published_at: float | None = None
        self._complained = ""
        self._pruned = -float("inf")

    def reconfigure(self, file: RelayFile) -> None:
        """From now on another configuration holds."""
        self._setup = setup_of(file)
        self._shelf, self._revision = None, None
        self._published_is_of = (None, -float("inf"))
        self._wake.set()

    async def run(self) -> None:
        """Looks again and again; until it is cancelled."""
        while True:
            if self._setup is None:
                await self._wake.wait()
            else:
                try:
                    await self.look()
                except StoreError:
                    pass  # the store has said so itself
                except Exception:
                    log.exception("a bug: the status page could not be looked after")
                await happens(self._wake, self._tools.clock, LOOK_EVERY)
            self._wake.clear()

    async def look(self) -> None:
        """Does what is to be done about incidents and files by now. Raises StoreError."""
        setup = self._setup
        if setup is None:
            return
        now, monotonic = self._tools.clock.now(), self._tools.clock.monotonic()
        prune = monotonic - self._pruned >= PRUNE_EVERY

        def work(connection: sqlite3.Connection) -> _Revision:
            if setup.automatic:
                follow_outages(connection, setup, now)
            if prune:
                incidents.prune(connection, now)
            return _revision(connection, setup, now)

        self._revision = await self._tools.store.transact(work)
        if prune:
            self._pruned = monotonic
        if setup.directory is not None:
            await self._publish(setup, setup.directory)

    # Files ------------------------------------------------------------

    async def _publish(self, setup: Setup, directory: str) -> None:
        revision, made_at = self._published_is_of
        monotonic = self._tools.clock.monotonic()
        if revision == self._revision and monotonic - made_at < setup.every:
            return
        wanted = self._revision
        page = await self._page(setup)
        try:
            written = await asyncio.to_thread(_export, Path(directory), page)
        except (OSError, HomelabmonError) as error:
            reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
            if self._complained != reason:
                self._complained = reason
                log.error("the status page cannot be published", extra={"directory": directory, "reason": reason})
            return
        self._complained = ""
        self._published_is_of, self._published_at = (wanted, monotonic), page.fresh.made_at
        log.debug("published", extra={"directory": directory, "changed": written})

    async def _page(self, setup: Setup) -> Page:
        now = self._tools.clock.now()
        return await self._tools.store.transact(lambda connection: page_of(connection, setup, now))

    # Requests ------------------------------------------------------------

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse | None:
        """The page or one of its outputs; None for any other path."""
        if self._setup is None:
            return None
        try:
            shelf = await self._current(self._setup)
        except StoreError as error:
            if self._shelf is None:
                late = web.Response(status=503, text=f"{error}\n", headers={hdrs.RETRY_AFTER: "5"})
                return late if request.path == "/" else None
            shelf = self._shelf
        path = path_of(request)
        if path not in shelf:
            return None
        return answer(request, await asyncio.to_thread(shelf.get, path))

    def windows(self) -> Windows:
        """Public maintenance of the days that may still be summed anew, by the history's names."""
        now = self._tools.clock.now()
        return {} if self._setup is None else self._setup.openings(now - SUMMED, now)

    def missing(self, request: web.BaseRequest) -> web.Response | None:
        """The answer where there is nothing, for people who read the page; None where there is no page."""
        if self._setup is None or request.method not in (hdrs.METH_GET, hdrs.METH_HEAD):
            return None
        return missing(self._setup.title)

    async def _current(self, setup: Setup) -> Shelf:
        """The outputs as they are now: made anew when something has changed, or long ago. Raises StoreError."""
        async with self._making:
            shelf, (revision, made_at) = self._shelf, self._shelf_is_of
            monotonic = self._tools.clock.monotonic()
            if shelf is not None and revision == self._revision and monotonic - made_at < min(setup.every, OLDEST):
                return shelf
            wanted = self._revision
            shelf = Shelf(outputs(await self._page(setup)))
            if setup is self._setup:
                self._shelf, self._shelf_is_of = shelf, (wanted, monotonic)
            return shelf

    async def families(self) -> Iterable[Family]:
        """When the page was last written as files."""
        if self._setup is None or self._setup.directory is None:
            return ()
        at = 0.0 if self._published_at is None else self._published_at
        return (gauge(names.METRIC_STATUS_PUBLISHED, "When the status page was last written as files.", ({}, at)),)


def _export(directory: Path, page: Page) -> int:
    return export(directory, {path: output.make() for path, output in outputs(page).items()}).changed


# In one transaction, in the store's thread ------------------------------------------------------------------


def follow_outages(connection: sqlite3.Connection, setup: Setup, now: float) -> None:
    """Opens, continues and resolves incidents by what is so now; leaves all as it is while nobody sees."""
    what = _so(connection, setup, now)
    if what is None:
        return
    for step in automatic.steps(setup, incidents.since(connection, now - automatic.REOPENS), what):
        if isinstance(step, Opening):
            incidents.add(
                connection,
                step.title,
                step.impact,
                step.components,
                incidents.AUTOMATIC,
                step.since,
                "investigating",
                step.body,
                said_at=now,
            )
            log.info("the status page has a new incident", extra={"components": list(step.components)})
        else:
            wanted = incidents.Change(step.title, step.impact, step.components)
            incidents.change(connection, step.incident, wanted)
            incidents.say(connection, step.incident, now, step.status, step.body)


def _so(connection: sqlite3.Connection, setup: Setup, now: float) -> Now | None:
    """What is so; None while nobody sees."""
    if any(ended is None for _, ended, _ in history.gaps(connection, now)):
        return None
    spans = {}
    for component in setup.components.values():
        found = history.spans(connection, component.id, now)
        if found and found[-1].ended is None:
            spans[component.name] = found[-1]
    open_ = setup.openings(now, now + 1.0)
    excused = frozenset(
        component.name
        for component in setup.components.values()
        if any(began <= now < ended for began, ended in open_.get(component.id, ()))
    )
    return Now(now, spans, excused)


def _revision(connection: sqlite3.Connection, setup: Setup, now: float) -> _Revision:
    spans = tuple(
        (span.began, span.state)
        for component in setup.components.values()
        for span in history.spans(connection, component.id, now)[-1:]
    )
    open_ = tuple(
        tuple(began <= now < ended for began, ended in pairs) for pairs in setup.openings(now, now + 1.0).values()
    )
    gaps = tuple(history.gaps(connection, now - 86_400.0))
    return incidents.revision(connection), spans, open_, gaps
