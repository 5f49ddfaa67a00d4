"""Runs the service in this process until a signal stops it. Used by the command line. May import: the service."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import signal
from collections.abc import Callable
from pathlib import Path

from homelabmon.relay.clock import SystemClock
from homelabmon.relay.config import WatchedConfig
from homelabmon.relay.service import Options, Service


def run(config_file: Path, host: str | None, port: int, show: Callable[[str], None] | None) -> None:
    """Runs until SIGTERM or SIGINT. Raises what reading the configuration and opening the database raise."""
    config = WatchedConfig(config_file)
    _settle_memory()
    asyncio.run(_run(config, Options(host, port, show)))


async def _run(config: WatchedConfig, options: Options) -> None:
    service = Service(config, SystemClock(), options)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, service.stop)
    await service.run()


def _settle_memory() -> None:
    """A service lives for months: it collects garbage as usual, not like a command that ends at once.

    One arena for all threads, and large blocks given back at once: glibc would keep the memory of the largest request.
    """
    gc.set_threshold(2_000, 10, 10)
    gc.collect()
    gc.freeze()
    library = ctypes.CDLL(None)
    mallopt, trim = getattr(library, "mallopt", None), getattr(library, "malloc_trim", None)
    if mallopt is not None and trim is not None:
        trim(0)
        mallopt(-8, 1)  # M_ARENA_MAX
        mallopt(-3, 131_072)  # M_MMAP_THRESHOLD: stays there instead of growing with what is freed
        mallopt(-1, 1_048_576)  # M_TRIM_THRESHOLD
