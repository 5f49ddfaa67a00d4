"""Waiting for whichever comes first. Used by the engine and by delivery.

May import: relay.clock and the standard library.
"""

from __future__ import annotations

import asyncio

from homelabmon.relay.clock import Clock


async def happens(event: asyncio.Event, clock: Clock, seconds: float | None) -> bool:
    """Waits until the event is set, and at most so many seconds (None: for ever); whether it was set."""
    if event.is_set() or seconds is None:
        await event.wait()
        return True
    waits = {asyncio.ensure_future(event.wait()), asyncio.ensure_future(clock.sleep(seconds))}
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)
    return event.is_set()
