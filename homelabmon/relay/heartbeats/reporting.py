"""Tells the outpost of a run: at once where it can, later where it cannot, and never for longer than is given to it.

What cannot be delivered lies in a folder, a file a ping, with the time at which it was meant; it goes out before the
next ping of that heartbeat. Works with anything that answers pings as healthchecks does.
Used by ``homelabmon beat``. May import: the standard library.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import re
import signal
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from http.client import HTTPException, HTTPMessage
from pathlib import Path
from types import FrameType
from typing import IO, Any, Final, Literal
from urllib.parse import quote, urlencode, urlsplit

KEPT: Final = 100
"""Pings of one heartbeat that are kept for later; then the oldest go."""
_AGAIN: Final = frozenset({408, 425, 429})
"""Statuses that mean: later. So does every status from 500 on; any other is final."""
_WHAT: Final = re.compile(r"start|[0-9]{1,3}")
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

Outcome = Literal["delivered", "later", "refused"]


@dataclass(frozen=True, slots=True)
class Report:
    """One ping. ``what``: ``start``, or the exit code; ``body``: base64, as it lies in a file."""

    what: str
    at: float
    rid: str
    body: str = ""


def report(what: str, at: float, rid: str, body: bytes = b"") -> Report:
    """A ping with a body of bytes."""
    return Report(what, at, rid, base64.b64encode(body).decode())


def address_of(url: str, name: str) -> str:
    """A heartbeat's address: the one given, where it is that of one heartbeat; else with the name behind it.

    Raises ValueError, which does not quote the address.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("it is no address that begins with http:// or https://")
    if parts.query or parts.fragment:
        raise ValueError("it has something behind ? or #")
    base = url.rstrip("/")
    return base if _UUID.fullmatch(base.rpartition("/")[2]) else f"{base}/{quote(name, safe='')}"


class Reporter:
    """Reports of one heartbeat, sent by one thread in order. Nothing here raises, or lasts longer than it is given."""

    def __init__(self, address: str, spool: Path | None, complain: Callable[[str], None]) -> None:
        """``spool``: the folder for what is to be delivered later; None: it is lost."""
        self._address, self._spool, self._complain = address, spool, complain
        self._given_up = threading.Event()
        self._lock = threading.Lock()

    def send(self, *reports: Report, within: float, before: threading.Thread | None = None) -> threading.Thread:
        """Sends in the background what is kept and then these; gives the thread, which ends by itself in time.

        ``before``: another sending that has to have ended.
        """
        deadline = time.monotonic() + within
        pending = list(reports)
        thread = threading.Thread(target=self._work, args=(pending, deadline, before), daemon=True)
        thread.start()
        return thread

    def finish(self, *reports: Report, within: float, before: threading.Thread | None = None) -> None:
        """Sends, and returns when it is done, or when time is up, or when a signal says so: then the rest is kept.

        To be called in the main thread, which is the one that hears signals.
        """
        pending = list(reports)
        deadline = time.monotonic() + within
        thread = threading.Thread(target=self._work, args=(pending, deadline, before), daemon=True)
        thread.start()
        _wait(thread, within)
        with self._lock:
            self._given_up.set()
            if pending:
                self._keep(pending, "it does not answer in time")

    def _work(self, pending: list[Report], deadline: float, before: threading.Thread | None) -> None:
        if before is not None:
            before.join(max(deadline - time.monotonic(), 0.0))
        outcome, why = self._deliver_kept(deadline)
        while pending and outcome != "later":
            outcome, why = self._deliver(pending[0], deadline, late=False)
            with self._lock:
                if self._given_up.is_set():
                    return
                if outcome == "refused":
                    self._complain(f"a report is refused: {why}")
                if outcome != "later":
                    pending.pop(0)
        with self._lock:
            if pending and not self._given_up.is_set():
                self._keep(pending, why)
                pending.clear()

    def _deliver_kept(self, deadline: float) -> tuple[Outcome, str]:
        """What is kept, the oldest first. Where another process is about it already, nothing."""
        with self._alone() as alone:
            for path in self._kept() if alone else ():
                found = self._read(path)
                if found is None:
                    continue
                outcome, why = self._deliver(found, deadline, late=True)
                if outcome == "later":
                    return outcome, why
                if outcome == "refused":
                    self._complain(f"a report that was kept is refused: {why}")
                with suppress(OSError):  # then it is told again: the outpost knows it by its time
                    path.unlink(missing_ok=True)
        return "delivered", ""

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        """Whether no other process delivers what is kept."""
        if self._spool is None or not self._kept():
            yield False
            return
        try:
            lock = os.open(self._spool / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            yield True  # a folder that can only be read
            return
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield True
        except BlockingIOError:
            yield False
        finally:
            os.close(lock)

    def _read(self, path: Path) -> Report | None:
        """One that is kept; None where it cannot be read now, or at all: then it is gone."""
        try:
            found = Report(**json.loads(path.read_text()))
            base64.b64decode(found.body, validate=True)
            if not (_WHAT.fullmatch(found.what) and _UUID.fullmatch(found.rid) and isinstance(found.at, (int, float))):
                raise ValueError("it is no report")
        except OSError as error:
            self._complain(f"a report that was kept cannot be read: {error.strerror}")
        except (ValueError, TypeError):
            self._complain("a report that was kept is damaged, and lost")
            with suppress(OSError):
                path.unlink(missing_ok=True)
        else:
            return found
        return None

    def _deliver(self, one: Report, deadline: float, *, late: bool) -> tuple[Outcome, str]:
        seconds = deadline - time.monotonic()
        if seconds <= 0:
            return "later", "it does not answer in time"
        query = {"rid": one.rid}
        if late:
            query |= {"at": f"{one.at:.6f}", "sent": f"{time.time():.6f}"}
        request = urllib.request.Request(  # noqa: S310  # its scheme has been looked at
            f"{self._address}/{one.what}?{urlencode(query)}",
            data=base64.b64decode(one.body),
            headers={"Content-Type": "text/plain", "User-Agent": "homelabmon-beat"},
            method="POST",
        )
        try:
            with _OPENER.open(request, timeout=seconds):
                return "delivered", ""
        except urllib.error.HTTPError as error:
            error.close()
            later = error.code in _AGAIN or error.code >= 500
            return ("later" if later else "refused"), f"the answer is {error.code}"
        except (OSError, HTTPException, ValueError) as error:
            return "later", f"it cannot be reached ({type(error).__name__})"

    def _kept(self) -> list[Path]:
        try:
            return [] if self._spool is None else sorted(self._spool.glob("*.json"))
        except OSError:
            return []

    def _keep(self, reports: list[Report], why: str) -> None:
        """For the next time."""
        try:
            if self._spool is None:
                raise OSError("there is no folder for it")
            self._spool.mkdir(mode=0o700, parents=True, exist_ok=True)
            for one in reports:
                _put(self._spool / f"{one.at:017.6f}-{one.rid}-{one.what}.json", json.dumps(asdict(one)))
            for path in self._kept()[:-KEPT]:
                path.unlink(missing_ok=True)
        except OSError as error:
            self._complain(f"{why}, and what it was to be told is lost: {error.strerror or error}")
        else:
            self._complain(f"{why}: it is told later")


def _put(target: Path, text: str) -> None:
    """The whole file, or none. Raises OSError."""
    fresh = target.with_suffix(f".{os.getpid()}")
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)
        fresh.replace(target)
    except OSError:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)
        raise


class _HurryError(Exception):
    """Somebody wants us to end."""


def _wait(thread: threading.Thread, seconds: float) -> None:
    """Until it has ended, or time is up, or a signal wants us to end: whoever sends it has no time either."""

    waiting = threading.current_thread() is threading.main_thread()
    old: dict[signal.Signals, Any] = {}

    def hurry(_: int, __: FrameType | None) -> None:
        if waiting:
            raise _HurryError

    try:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP) if waiting else ():
            if signal.getsignal(number) is not signal.SIG_IGN:
                old[number] = signal.signal(number, hurry)
        thread.join(seconds)
    except _HurryError:
        pass
    finally:
        waiting = False
        for number, handler in old.items():
            signal.signal(number, handler)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Who answers pings never redirects them; a page to log in at does."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        """Follows nothing."""


_OPENER: Final = urllib.request.build_opener(_NoRedirect)
