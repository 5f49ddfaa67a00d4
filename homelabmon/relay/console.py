"""The owner's page and its buttons: gathers what it shows, and does what is asked for.

A relay has it at ``/``, where anybody who reaches the port may look, unless the configuration names a password; nothing
on it is a secret. An outpost is public, and has it at ``/console``, for those alone who know the password: without one
nobody is told that there is such a page. The buttons want the token that the page itself
carries, so that no other site can press them for a reader. Wired by the service. May import: everything in the relay.
"""

from __future__ import annotations

import hmac
import logging
import secrets
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Final, TypeVar
from urllib.parse import parse_qs

from aiohttp import hdrs, web

import homelabmon
from homelabmon.relay import bodies
from homelabmon.relay.bodies import TooLargeError
from homelabmon.relay.clock import Clock
from homelabmon.relay.config import WatchedConfig
from homelabmon.relay.delivery.channels import Channels
from homelabmon.relay.doors import Doors
from homelabmon.relay.engine import Engine
from homelabmon.relay.heartbeats.keeper import Keeper, Row
from homelabmon.relay.incidents.model import DeadLetter, Episode, Incident
from homelabmon.relay.incidents.views import incident_view
from homelabmon.relay.page.data import (
    ChannelRow,
    DeadLetterRow,
    HeartbeatRow,
    HeldRow,
    OpenIncident,
    PageData,
    ProbeRow,
    QuarantineRow,
    WatchRow,
)
from homelabmon.relay.page.overview import overview
from homelabmon.relay.probes.keeper import Keeper as Probes
from homelabmon.relay.probes.keeper import Row as ProbeKept
from homelabmon.relay.secrets import SecretError
from homelabmon.relay.store import queries
from homelabmon.relay.store.queries import Counts
from homelabmon.relay.store.store import Store
from homelabmon.relay.store.trouble import StoreError
from homelabmon.spec import names

log = logging.getLogger(__name__)

T = TypeVar("T")
R = TypeVar("R")

MOST: Final = 50
"""Rows of each kind that are shown."""
RECENT: Final = 20
BEHIND: Final = 30.0
"""Seconds after which news that nobody has been told makes a channel one that waits."""
_FORM_BYTES: Final = 4_096
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self';"
    " frame-ancestors 'none'; base-uri 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Console:
    """The page of one service."""

    def __init__(
        self,
        store: Store,
        engine: Engine,
        channels: Channels,
        config: WatchedConfig,
        doors: Doors,
        clock: Clock,
        keeper: Keeper,
        probes: Probes,
        watch: Callable[[], Awaitable[Sequence[WatchRow]]],
        *,
        dry_run: bool,
    ) -> None:
        """``watch``: who watches whom; raises StoreError."""
        self._doors, self._complained = doors, False
        self._keeper, self._probes, self._watch = keeper, probes, watch
        self._store, self._engine, self._channels = store, engine, channels
        self._config, self._clock, self._dry_run = config, clock, dry_run
        self._started_at = clock.now()
        self._token = secrets.token_urlsafe(24)

    @property
    def _base(self) -> str:
        return names.PATH_CONSOLE if self._config.file.role == "outpost" else ""

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """The page, what a button does, or why not."""
        base, path = self._base, request.path
        if path != base and not path.startswith(f"{base}/"):
            return _nothing_here()
        return self._kept_out(request) or await self._admitted(request, path.removeprefix(base))

    def _kept_out(self, request: web.BaseRequest) -> web.Response | None:
        """The answer to those who may not look."""
        try:
            admitted = self._doors.reader(request.headers)
        except SecretError as error:
            if not self._complained:
                log.error("a secret cannot be read", extra={"source": "page", "reason": str(error)})
            self._complained = True
            return web.Response(status=503, text="the password of this page cannot be read; the log says why\n")
        self._complained = False
        if admitted is None:
            return _nothing_here() if self._base else None
        if admitted:
            return None
        asks = {hdrs.WWW_AUTHENTICATE: 'Basic realm="homelabmon", charset="UTF-8"', hdrs.CONNECTION: "close"}
        return web.Response(status=401, text="not with this password; the user's name is free\n", headers=asks)

    async def _admitted(self, request: web.BaseRequest, path: str) -> web.StreamResponse:
        if path in ("", "/") and request.method in (hdrs.METH_GET, hdrs.METH_HEAD):
            text = overview(await self.data(), self._token)
            return web.Response(text=text, content_type="text/html", headers=_HEADERS)
        kind, _, rest = path.removeprefix("/").partition("/")
        number, _, verb = rest.partition("/")
        if (kind, verb) not in _BUTTONS or not number.isdecimal() or len(number) > 18:
            return _nothing_here()
        if request.method != hdrs.METH_POST:
            return web.Response(status=405, text="press the button\n", headers={hdrs.ALLOW: hdrs.METH_POST})
        return await self._pressed(request, kind, verb, int(number))

    async def _pressed(self, request: web.BaseRequest, kind: str, verb: str, number: int) -> web.Response:
        try:
            form = parse_qs((await bodies.read(request, _FORM_BYTES)).decode("ascii", "replace"))
        except TooLargeError:
            return web.Response(status=413, text="this is no button\n", headers={hdrs.CONNECTION: "close"})
        if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
            return web.Response(status=403, text="press the buttons of the relay's own page\n")
        given = form.get("csrf", [""])[0]
        if not hmac.compare_digest(given.encode("utf-8", "replace"), self._token.encode()):
            return web.Response(status=403, text="the page was too old: go back, load it anew, and press again\n")
        try:
            done = await self._do(kind, verb, number)
        except StoreError as error:
            return web.Response(status=503, text=f"{error}\n", headers={hdrs.RETRY_AFTER: "5"})
        if not done:
            return web.Response(status=404, text="it is not there any more, or nothing was kept of it\n")
        return web.Response(status=303, headers={hdrs.LOCATION: self._base or "/"})

    async def _do(self, kind: str, verb: str, number: int) -> bool:
        if kind == "dead-letters":
            return await self._store.want(number, self._clock.now())
        if verb == "drop":
            return await self._store.drop(number)
        done = await self._store.replay(number, self._clock.now())
        self._engine.nudge()
        return done

    # What is shown ------------------------------------------------------------

    async def data(self) -> PageData:
        """Everything on the page. What the disk does not give is left out, and said."""
        now, store = self._clock.now(), self._store
        counts, closed = Counts(), list[tuple[Incident, list[Episode]]]()
        quarantine, letters = list[queries.QuarantineRow](), list[DeadLetter]()
        beats, all_beats = list[Row](), 0
        probes, watch = list[ProbeKept](), list[WatchRow]()
        with suppress(StoreError):
            counts, closed = await store.counts(), await store.recent(RECENT)
            quarantine, letters = await store.quarantine(MOST), await store.dead_letters(MOST)
            beats, all_beats = await self._keeper.worst(MOST)
            watch = list(await self._watch())
            probes = sorted(await self._probes.rows(), key=lambda row: (_PROBES.index(row.state.status), row.name))
        book = self._engine.book
        known = [pair for pair in book.incidents() if pair[0].closed_at is None] if book is not None else []
        open_ = sorted((pair for pair in known if pair[0].ended_at is None), key=_worst_first)
        over = [*(pair for pair in known if pair[0].ended_at is not None), *closed]
        recent = sorted(over, key=lambda pair: pair[0].ended_at or pair[0].changed_at, reverse=True)
        held = sorted(book.held(), key=lambda one: one.due) if book is not None else []
        return PageData(
            name=self._config.file.name,
            version=homelabmon.__version__,
            now=now,
            started_at=self._started_at,
            channels=tuple(self._channel(name, counts, now) for name in self._channels.names()),
            open=_shown(open_, MOST, _open),
            held=_shown(held, MOST, _held),
            recent=_shown(recent, RECENT, _open),
            quarantine=_shown(quarantine, MOST, _quarantined),
            dead_letters=_shown(letters, MOST, _dead),
            heartbeats=_shown(beats, MOST, _beat),
            probes=_shown(probes, MOST, _probe),
            watch=tuple(watch),
            troubles=tuple(self._troubles()),
            dry_run=self._dry_run,
            base=self._base,
            hidden={
                "open": max(0, len(open_) - MOST),
                "held": max(0, len(held) - MOST),
                "heartbeats": max(0, all_beats - MOST),
                "probes": max(0, len(probes) - MOST),
                "quarantine": max(0, counts.quarantine - MOST),
                "dead_letters": max(0, counts.dead_letters - MOST),
            },
        )

    def _troubles(self) -> list[str]:
        found = []
        if self._store.trouble is not None:
            found.append(f"Nothing can be stored, so nothing is taken: {StoreError(self._store.trouble)}.")
        elif self._engine.book is None:
            found.append("What was remembered cannot be read yet.")
        if not self._config.ok:
            found.append("The new configuration is not accepted; the log says why. The old one stays in effect.")
        if self._engine.watchdog_missing:
            found.append("The Watchdog is missing: what Alertmanager calls resolved proves nothing.")
        found += [f"A damaged database was replaced; it lies at {path}." for path in self._store.damaged]
        return found

    def _channel(self, name: str, counts: Counts, now: float) -> ChannelRow:
        disabled = self._channels.disabled().get(name)
        way = self._channels.way(name)
        since, trouble = counts.waiting_since.get(name), self._engine.figures.troubles.get(name)
        behind = trouble is not None or (since is not None and now - since > BEHIND)
        return ChannelRow(
            name=name,
            state="disabled" if disabled is not None else "waiting" if behind else "delivering",
            queued=counts.queued.get(name, 0),
            oldest=since,
            last_delivered=self._engine.figures.delivered_at.get(name),
            last_error="" if trouble is None else f"{trouble.reason} {trouble.detail}".strip(),
            last_error_at=None if trouble is None else trouble.at,
            stand_in=way.via if way is not None and way.via != name else None,
            accounts={account: total for (channel, account), total in counts.accounts.items() if channel == name},
        )


_PROBES: Final = ("down", "degraded", "unknown", "new", "up")
_BUTTONS: Final = {("quarantine", "replay"), ("quarantine", "drop"), ("dead-letters", "replay")}


def _nothing_here() -> web.Response:
    return web.Response(status=404, text="there is nothing here\n")


def _shown(items: Sequence[T], most: int, row: Callable[[T], R]) -> tuple[R, ...]:
    return tuple(row(item) for item in items[:most])


def _worst_first(item: tuple[Incident, Sequence[Episode]]) -> tuple[bool, bool, float]:
    incident, _ = item
    return incident.event, incident.worst != "critical", -incident.opened_at


def _open(item: tuple[Incident, Sequence[Episode]]) -> OpenIncident:
    incident, episodes = item
    return OpenIncident(
        incident_view(incident, episodes), incident.channel, incident.told_revision >= incident.revision
    )


def _held(episode: Episode) -> HeldRow:
    return HeldRow(episode.labels, episode.severity, episode.channel, episode.starts_at, episode.due, episode.silenced)


def _beat(row: Row) -> HeartbeatRow:
    known = row.state
    return HeartbeatRow(
        row.name, row.shown, known.since, known.last_start, known.last_success, row.expected, known.duration
    )


def _probe(row: ProbeKept) -> ProbeRow:
    known = row.state
    return ProbeRow(
        name=row.name,
        address=row.shown,
        state=known.status,
        since=known.since,
        failing=known.failing,
        reason=known.reason,
        checked=known.checked_at,
        latency=known.latency,
        timing=row.timing,
        certificate_until=known.certificate_until,
        theirs=row.their_word,
    )


def _quarantined(row: queries.QuarantineRow) -> QuarantineRow:
    return QuarantineRow(row.id, row.last_at, row.source, row.reason, row.size, row.times, row.kept)


def _dead(letter: DeadLetter) -> DeadLetterRow:
    return DeadLetterRow(
        letter.id, letter.at, letter.channel, letter.reason, letter.detail, letter.notices, letter.replayed_at
    )
