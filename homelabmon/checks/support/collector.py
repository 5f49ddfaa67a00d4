"""Garbage collection put off for a moment."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def put_off() -> Iterator[None]:
    """No collection of reference cycles inside.

    A run of checks makes many small values and no cycles. Going through all of them, and the stack, again and again
    takes half of the time on large stacks, and more than in proportion to their size.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
