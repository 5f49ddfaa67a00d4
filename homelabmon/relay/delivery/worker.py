"""One task per channel: asks what the channel is to be told next, sends it, and says what came of it.

What is to be told is asked for as late as possible, so that whatever happened while the webhook could not be called is
one message. A crash between the request and the commit repeats that message, and loses none.

Started by :class:`Dispatch`, which the service starts. May import: relay.engine, notifiers.contract, relay.clock,
relay.waiting, relay.store.trouble, and its neighbours.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final

from homelabmon.notifiers.contract import Notifier, Outcome, Rejected, Request, Retry, Sent, Style, Target
from homelabmon.relay.clock import Clock
from homelabmon.relay.delivery.channels import Channels, Way
from homelabmon.relay.delivery.figures import Figures
from homelabmon.relay.delivery.gate import Gate
from homelabmon.relay.delivery.limits import INVALID
from homelabmon.relay.delivery.memory import Memory
from homelabmon.relay.delivery.transport import Transport, TransportFailure
from homelabmon.relay.engine import Engine
from homelabmon.relay.incidents.telling import Sending
from homelabmon.relay.store.trouble import StoreError
from homelabmon.relay.waiting import happens

log = logging.getLogger(__name__)

BACKOFF_FIRST: Final = 1.0
BACKOFF_LAST: Final = 60.0
BACKOFF_LEAST: Final = 0.25
"""Seconds. Full jitter may come out as nothing, which would be no backing off."""
LONG: Final = 100
"""Alerts of a message that takes more than a few milliseconds to make."""
PLAIN_EVERY: Final = 8
"""Every so many failures in a row the message is tried plain: an error may be about the message, not the server."""
LOOK_AGAIN: Final = 5.0
"""Seconds between looks whether a webhook has come to life in its file, or a channel in the configuration."""


def backoff(failures: int, random: float) -> float:
    """Seconds to wait after so many failures in a row (1, 2, ...): full jitter, doubling, at most a minute."""
    return max(BACKOFF_LEAST, random * min(BACKOFF_LAST, BACKOFF_FIRST * 2.0 ** min(failures, 16)))


@dataclass(frozen=True, slots=True)
class Tools:
    """What every worker needs. ``random`` gives numbers from 0 (inclusive) to 1 (exclusive)."""

    engine: Engine
    notifier: Notifier
    channels: Channels
    gate: Gate
    memory: Memory
    transport: Transport
    clock: Clock
    random: Callable[[], float]
    figures: Figures


class _UnrenderableError(Exception):
    """The notifier cannot put a message into words, not even plain ones."""


_Attempt = tuple[Outcome, Mapping[str, Any], Style]
"""What came of a request, what was sent, and in which form."""


class Worker:
    """One channel's. Survives any exception."""

    def __init__(self, channel: str, tools: Tools) -> None:
        self.channel = channel
        self._tools = tools
        self._failures = 0
        self._complained = ""
        self._news = tools.engine.news(channel)

    async def run(self) -> None:
        """Sends, until it is cancelled; what is under way then is finished."""
        while True:
            try:
                await self._turn()
            except asyncio.CancelledError:
                raise
            except Exception:
                log.exception("a message could not be handled", extra={"channel": self.channel})
                await self._fail("internal_error", "")

    async def _turn(self) -> None:
        """Waits until there is something to tell and it may be told, and tells it."""
        self._news.clear()
        sending, again_at = await self._tools.engine.next(self.channel)
        if sending is None:
            seconds = None if again_at is None else max(again_at - self._tools.clock.now(), 0.05)
            await happens(self._news, self._tools.clock, seconds)
            return
        way = self._way(sending)
        self._complain()
        if way is None:
            await self._without_way(sending)
            return
        async with self._tools.gate.turn(way.target.url):
            if self._way(sending) != way:  # it died for another channel, which was sending just now
                return
            while await self._tools.gate.wait(way.target.url):
                sending, _ = await self._tools.engine.next(self.channel)
                if sending is None or self._way(sending) != way:
                    return
            attempt = asyncio.ensure_future(self._tell(sending, way))
            pause = await _to_its_end(attempt)
        if pause:
            await self._tools.clock.sleep(pause)

    def _way(self, sending: Sending) -> Way | None:
        """By which webhook: what stands already can be changed only by the one that posted it."""
        channels = self._tools.channels
        if sending.kind == "post":
            return channels.way(self.channel)
        via = sending.via or self.channel
        target = channels.own(via)
        return None if target is None else Way(via, channels.in_thread(target, sending.thread_id))

    def _complain(self) -> None:
        """Says once that the webhook's file is of no use, while something is to be told. It shows no secret."""
        own = self._tools.channels.disabled().get(self.channel)
        flaw = own.detail if own is not None and own.reason == "unreadable" else ""
        if flaw and flaw != self._complained:
            log.error("the webhook cannot be read", extra={"channel": self.channel, "reason": flaw})
        self._complained = flaw

    async def _without_way(self, sending: Sending) -> None:
        """No webhook can do it. A message that cannot be changed any more is posted anew where that can be done."""
        if sending.kind != "post" and self._tools.channels.way(self.channel) is not None:
            await self._tools.engine.act(lambda book, now: book.deleted(sending, now))
            return
        await self._tools.clock.sleep(LOOK_AGAIN)

    # One message ------------------------------------------------------------

    async def _tell(self, sending: Sending, way: Way) -> float:
        """Sends it, and notes what came of it; gives the seconds to wait before the next attempt."""
        try:
            outcome, payload, style = await self._try(sending, way)
        except _UnrenderableError as error:
            outcome, payload, style = Rejected("unrenderable", "forbidden", str(error)), {}, "plain"
        if isinstance(outcome, Sent):
            await self._delivered(replace(sending, plain=style == "plain"), outcome, way)
        elif isinstance(outcome, Rejected):
            await self._rejected(sending, outcome, way, payload)
        else:
            return self._retry(outcome)
        return 0.0

    async def _try(self, sending: Sending, way: Way) -> _Attempt:
        """As it should be; plain if it is refused like that, or was before, or if nothing has worked for a while."""
        if sending.plain:
            return await self._send(sending, way, "plain")
        if self._failures and self._failures % PLAIN_EVERY == 0 and sending.kind != "delete":
            return await self._send(sending, way, "plain")
        outcome, payload, style = await self._send(sending, way, "full")
        if isinstance(outcome, Rejected) and outcome.kind == "malformed" and sending.kind != "delete":
            log.warning("a message was refused, it is tried plain", extra=self._about(sending, outcome.detail))
            return await self._send(sending, way, "plain")
        return outcome, payload, style

    async def _send(self, sending: Sending, way: Way, style: Style) -> _Attempt:
        """One request. Whatever happens to it, the limits are told."""
        payload, style = await self._payload(sending, way, style)
        request = self._request(sending, way.target, payload)
        tools = self._tools
        status: int | None = None
        outcome: Outcome | None = None
        await tools.gate.wait(way.target.url)  # others may have begun since; nothing may come between this and begin
        ticket = tools.gate.begin(way.target.url)
        try:
            note = await tools.memory.expect(way.target.url)
            response = await tools.transport.send(request)
            if isinstance(response, TransportFailure):
                outcome = Retry(response.reason)
            else:
                status = response.status
                outcome = tools.notifier.judge(request, response)
        finally:
            tools.gate.end(ticket, status, outcome)
        await tools.memory.answered(way.target.url, note, invalid=status in INVALID)
        return outcome, payload, style

    async def _payload(self, sending: Sending, way: Way, style: Style) -> tuple[Mapping[str, Any], Style]:
        """What to send, and in which form. Long ones are made in a thread, so that senders do not wait for them."""
        if sending.message is None:
            return {}, style
        message = sending.message
        if way.via != self.channel:
            why = "whose webhook does not work" if self.channel in self._tools.channels.names() else "which is no more"
            message = replace(message, note=f"For #{self.channel}, {why}: #{way.via} stands in.")
        try:
            if sum(len(incident.alerts) for incident in message.incidents) > LONG:
                return await asyncio.to_thread(self._tools.notifier.render, message, style), style
            return self._tools.notifier.render(message, style), style
        except Exception as error:
            log.exception("a message cannot be rendered", extra=self._about(sending, style))
            if style == "full":
                return await self._payload(sending, way, "plain")
            raise _UnrenderableError(type(error).__name__) from error

    def _request(self, sending: Sending, target: Target, payload: Mapping[str, Any]) -> Request:
        notifier = self._tools.notifier
        if sending.kind == "post":
            return notifier.post(target, payload)
        if sending.kind == "edit":
            return notifier.edit(target, sending.remote_id, payload)
        return notifier.delete(target, sending.remote_id)

    # What came of it ------------------------------------------------------------

    async def _delivered(self, sending: Sending, sent: Sent, way: Way) -> None:
        tools, self._failures = self._tools, 0
        visible_at = tools.clock.now()
        if sending.kind == "delete":
            await tools.engine.act(lambda book, now: book.deleted(sending, now))
        else:
            await tools.engine.act(lambda book, now: book.told(sending, sent, way.via, now))
        tools.figures.delivered(self.channel, sending.kind, visible_at, visible_at - sending.since)

    async def _rejected(self, sending: Sending, rejected: Rejected, way: Way, payload: Mapping[str, Any]) -> None:
        tools, self._failures = self._tools, 0
        about = self._about(sending, rejected.detail)
        if rejected.kind == "channel_gone":
            log.error("the webhook is gone: it is not used until its file changes", extra={**about, "via": way.via})
            self._note_failure(rejected.reason, rejected.detail)
            await tools.memory.bury(way.target.url, rejected.reason)
            tools.channels.bury(way.target, rejected.reason)
        elif rejected.kind == "thread_gone" and sending.kind == "post":
            self._note_failure(rejected.reason, rejected.detail)
            await self._post_elsewhere(sending, rejected, way, payload)
        elif sending.kind == "delete" or rejected.kind in ("message_gone", "thread_gone"):
            await tools.engine.act(lambda book, now: book.deleted(sending, now))
        elif rejected.kind == "too_many_edits" and sending.kind == "edit":
            await tools.engine.act(lambda book, now: book.crowded(sending, now))
        else:
            await self._bury(sending, rejected, payload)

    async def _post_elsewhere(self, sending: Sending, rejected: Rejected, way: Way, payload: Mapping[str, Any]) -> None:
        """Its thread is gone: the channel itself takes it. If there was no thread, there is nowhere else."""
        if way.target.thread_id is None:
            await self._bury(sending, rejected, payload)
        else:
            self._tools.channels.thread_gone(way.target)

    async def _bury(self, sending: Sending, rejected: Rejected, payload: Mapping[str, Any]) -> None:
        """It will never be taken: a dead letter."""
        self._note_failure(rejected.reason, rejected.detail)
        log.error("a message was refused for good", extra=self._about(sending, rejected.detail))
        text = json.dumps(payload, ensure_ascii=False)
        await self._tools.engine.act(
            lambda book, now: book.refused(sending, rejected.reason, rejected.detail, text, now)
        )

    def _retry(self, outcome: Retry) -> float:
        """Not now. What a whole webhook has to wait for is the gate's business."""
        self._failures += 1
        self._note_failure(outcome.reason, "")
        if outcome.scope != "request" and outcome.after is not None:
            return 0.0
        return max(outcome.after or 0.0, backoff(self._failures, self._tools.random()))

    async def _fail(self, reason: str, detail: str) -> None:
        self._failures += 1
        self._note_failure(reason, detail)
        await self._tools.clock.sleep(backoff(self._failures, self._tools.random()))

    def _note_failure(self, reason: str, detail: str) -> None:
        self._tools.figures.failed(self.channel, self._tools.clock.now(), reason, detail)

    def _about(self, sending: Sending, detail: str) -> dict[str, Any]:
        return {"channel": self.channel, "kind": sending.kind, "incidents": list(sending.incidents), "detail": detail}


async def _to_its_end(attempt: asyncio.Future[float]) -> float:
    """Waits for a request and for its account to be saved, even when told to stop meanwhile."""
    try:
        return await asyncio.shield(attempt)
    except asyncio.CancelledError:
        await asyncio.wait([attempt])
        raise


class Dispatch:
    """The workers: one for each channel there is anything for."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._workers: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Runs until it is cancelled. Looks from time to time whether a channel has come into being, and whether an
        operator has found a webhook alive."""
        await self._recall()
        try:
            while True:
                book = self._tools.engine.book
                names = set(self._tools.channels.names()) | set(book.channels() if book is not None else ())
                for name in sorted(names - set(self._workers)):
                    self._workers[name] = asyncio.create_task(Worker(name, self._tools).run(), name=f"channel {name}")
                await self._tools.clock.sleep(LOOK_AGAIN)
                if self._tools.channels.dead:
                    with suppress(StoreError):
                        self._tools.channels.learn(await self._tools.memory.dead())
        finally:
            await self._stop()

    async def _recall(self) -> None:
        """Nothing is sent before it is known what must not be."""
        while True:
            try:
                remembered = await self._tools.memory.recall()
            except StoreError:
                await self._tools.clock.sleep(LOOK_AGAIN)
            else:
                self._tools.channels.learn(remembered.dead)
                self._tools.gate.recall(remembered.invalid)
                return

    async def _stop(self) -> None:
        """What is under way is finished; the engine must still run then."""
        for worker in self._workers.values():
            worker.cancel()
        await asyncio.gather(*self._workers.values(), return_exceptions=True)
