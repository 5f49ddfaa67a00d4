"""Tells the outpost of a run: at once where it can, later where it cannot, and never for longer than is given to it.

What cannot be delivered lies in a folder, a file a ping, with the time at which it was meant; it goes out before the
next ping of that heartbeat. Works with anything that answers pings as healthchecks does.
Used by ``homelabmon beat``. May import: the standard library.
"""

from __future__ import annotations

import base64
import json
import os
import re
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import asdict, dataclass
from http.client import HTTPException, HTTPMessage
from pathlib import Path
from typing import IO, Final, Literal
from urllib.parse import urlencode, urlsplit

KEPT: Final = 100
"""Pings of one heartbeat that are kept for later; then the oldest go."""
_AGAIN: Final = frozenset({408, 425, 429})
"""Statuses that mean: later. So does every status from 500 on; any other is final."""
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
    return base if _UUID.fullmatch(base.rpartition("/")[2]) else f"{base}/{name}"


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
        """Sends, and returns when it is done, or when time is up: then what is not delivered is kept."""
        pending = list(reports)
        deadline = time.monotonic() + within
        thread = threading.Thread(target=self._work, args=(pending, deadline, before), daemon=True)
        thread.start()
        thread.join(within)
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
        for path in self._kept():
            try:
                found = Report(**json.loads(path.read_text()))
            except (OSError, ValueError, TypeError):
                path.unlink(missing_ok=True)
                continue
            outcome, why = self._deliver(found, deadline, late=True)
            if outcome == "later":
                return outcome, why
            path.unlink(missing_ok=True)
        return "delivered", ""

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
                target = self._spool / f"{one.at:017.6f}-{one.rid}-{one.what}.json"
                fresh = target.with_suffix(".new")
                with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                    json.dump(asdict(one), file)
                fresh.replace(target)
            for path in self._kept()[:-KEPT]:
                path.unlink(missing_ok=True)
        except OSError as error:
            self._complain(f"{why}, and what it was to be told is lost: {error.strerror or error}")
        else:
            self._complain(f"{why}: it is told later")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Who answers pings never redirects them; a page to log in at does."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        """Follows nothing."""


_OPENER: Final = urllib.request.build_opener(_NoRedirect)
