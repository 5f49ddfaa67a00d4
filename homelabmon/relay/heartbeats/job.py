"""Runs a command as if nobody watched: its output goes on as it comes, signals reach it, its exit code is ours.

Used by ``homelabmon beat``. May import: the standard library.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import FrameType
from typing import IO, Final

TAIL: Final = 10_000
"""Bytes of its output that are kept, the last ones."""
_DRAIN: Final = 2.0
"""Seconds for output that is still on its way when it has ended. Who goes on in the background may hold it open."""
_PIECE: Final = 65_536
_FORWARDED: Final = (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGINT, signal.SIGQUIT)
_FROM_THE_TERMINAL: Final = (signal.SIGINT, signal.SIGQUIT)
"""These reach it by themselves where both of us are in the foreground of a terminal."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How it ended. ``code``: as a shell gives it, 128 and the signal's number where one ended it."""

    code: int
    tail: bytes


class _Tail:
    def __init__(self) -> None:
        self._kept = bytearray()
        self._lock = threading.Lock()

    def add(self, piece: bytes) -> None:
        with self._lock:
            self._kept += piece
            del self._kept[:-TAIL]

    def text(self) -> bytes:
        with self._lock:
            return bytes(self._kept)


def run(command: Sequence[str], started: Callable[[], None]) -> Ended:
    """Runs it to its end. ``started`` is called once it runs, and must not wait for anything.

    A command that cannot be run ends with 127 (there is none) or 126, as in a shell. Signals stay in our hands when it
    has ended: whoever reports it decides what they mean then.
    """
    signals = _Signals()
    try:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    except OSError as error:
        words = f"{command[0]}: {error.strerror}"
        print(words, file=sys.stderr)
        return Ended(127 if isinstance(error, FileNotFoundError) else 126, f"{words}\n".encode())
    signals.go_to(process)
    tail = _Tail()
    assert process.stdout is not None
    assert process.stderr is not None
    threads = [_copy(process.stdout, 1, tail), _copy(process.stderr, 2, tail)]
    started()
    code = process.wait()
    for thread in threads:
        thread.join(_DRAIN)
    return Ended(code if code >= 0 else 128 - code, tail.text())


class _Signals:
    """Hands signals on from before the command runs, so that none is lost. What we were told to ignore stays ignored,
    for the command as well: it inherits that."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._early: list[int] = []
        caught = [number for number in _FORWARDED if signal.getsignal(number) is not signal.SIG_IGN]
        for number in caught:
            signal.signal(number, self._take)

    def go_to(self, process: subprocess.Popen[bytes]) -> None:
        """From now on to this process, and what came before."""
        self._process = process
        while self._early:
            self._take(self._early.pop(0), None)

    def _take(self, number: int, _: FrameType | None) -> None:
        if number in _FROM_THE_TERMINAL and _in_the_foreground():
            return
        if self._process is None:
            self._early.append(number)
            return
        with suppress(ProcessLookupError):
            self._process.send_signal(number)


def _in_the_foreground() -> bool:
    """Whether what is typed at a terminal reaches our process group, wherever our input comes from."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)


def _copy(source: IO[bytes], target: int, tail: _Tail) -> threading.Thread:
    """Copies until nobody can write any more. Where nobody reads what we write, it reads on: the job must not stop."""

    def copy() -> None:
        open_ = True
        while piece := os.read(source.fileno(), _PIECE):
            tail.add(piece)
            open_ = open_ and _written(target, piece)

    thread = threading.Thread(target=copy, daemon=True)
    thread.start()
    return thread


def _written(target: int, piece: bytes) -> bool:
    """Writes all of it, also where somebody has made our output one that does not wait; False: nobody reads it."""
    while piece:
        try:
            piece = piece[os.write(target, piece) :]
        except BlockingIOError:
            select.select([], [target], [])
        except OSError:
            return False
    return True
