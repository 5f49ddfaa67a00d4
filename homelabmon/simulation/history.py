"""What has happened, from Prometheus: a range query over ``ALERTS``, saved to a file or asked for by HTTP.

Asked by ``simulate --history``. May import: errors, spec, routing, and its neighbours; of the standard library also
urllib, as this is the one place that asks a Prometheus. Source: Prometheus' HTTP API (``/api/v1/query_range``, which
gives at most 11,000 points a series), rules/alerting.go (``ALERTS`` has a sample at each evaluation).
"""

from __future__ import annotations

import json
import math
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.client import HTTPException
from itertools import pairwise
from pathlib import Path
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.parse import quote, unquote, urlencode, urlsplit, urlunsplit
from urllib.request import HTTPRedirectHandler, OpenerDirector, Request, build_opener

from homelabmon.errors import HomelabmonError
from homelabmon.routing.timing.evaluation import Episode, puts
from homelabmon.simulation.story import AFTERWARDS, Firing, Story, in_order
from homelabmon.spec import names
from homelabmon.spec.base import parse_duration
from homelabmon.spec.secrets import redact

QUERY: Final = 'ALERTS{alertstate="firing"}'
MOST_POINTS: Final = 10_000
"""Points a series that one request asks for; Prometheus refuses more than 11,000."""
MOST_BYTES: Final = 256 * 1024 * 1024
"""Bytes of one answer, or of a file."""
MOST_REQUESTS: Final = 1_000
TIMEOUT: Final = 60.0
"""Seconds for one request."""
_HIDDEN: Final = ("__name__", "alertstate")

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class History:
    """The alerts that fired from ``start`` to ``end`` (seconds since the epoch), and when."""

    start: float
    end: float
    alerts: tuple[tuple[Labels, tuple[Episode, ...]], ...]

    @property
    def transitions(self) -> int:
        """How often an alert began or ceased to fire."""
        episodes = [episode for _, known in self.alerts for episode in known]
        return len(episodes) + sum(episode.resolves_at is not None for episode in episodes)


def story_of_history(history: History) -> Story:
    """The history as a story: each alert with the labels it had, when it fired."""
    heard = [put for labels, known in history.alerts for put in puts(dict(labels), {}, known)]
    firings = tuple(
        Firing(dict(labels).get(names.LABEL_ALERTNAME, "?"), dict(labels), known) for labels, known in history.alerts
    )
    return Story(history.start, history.end - history.start + AFTERWARDS, in_order(heard), firings=firings)


def read_history(
    where: str, since: str | None, until: str | None, step: str | None, usual_step: float, now: float
) -> History:
    """The history of a file or an address. ``now`` and ``usual_step`` are seconds; the texts as written by the owner.

    Raises HomelabmonError for what cannot be asked or read.
    """
    seconds = _step(step)
    if not where.startswith(("http://", "https://")):
        series = _file(Path(where))
        begin = _moment(since, now) if since is not None else None
        end = _moment(until, now) if until is not None else None
        return history_of(series, seconds or _usual(series) or usual_step, begin, end)
    begin, end = _moment(since or "1d", now), _moment(until, now) if until is not None else now
    if begin >= end:
        raise HomelabmonError("--from must be earlier than --to")
    asked = seconds or usual_step
    return history_of(_ask(where, begin, end, asked), asked, begin, end)


# Series to episodes ------------------------------------------------------------------------------------------------

Samples = Sequence[float]
"""The times at which an alert fired, sorted."""
Series = Mapping[Labels, Samples]


def history_of(series: Series, step: float, start: float | None = None, end: float | None = None) -> History:
    """Alerts from samples that are ``step`` seconds apart. What fires at the last sample fires on.

    An alert ends a step after its last sample: that is the evaluation which found it gone.
    """
    first = min((times[0] for times in series.values() if times), default=0.0)
    last = max((times[-1] for times in series.values() if times), default=0.0)
    begin, end = first if start is None else start, last + step if end is None else end
    alerts = []
    for labels, times in sorted(series.items()):
        known = tuple(_episodes([at for at in times if begin <= at <= end], step, end))
        if known:
            alerts.append((labels, known))
    return History(begin, end, tuple(alerts))


def _episodes(times: Samples, step: float, end: float) -> Iterator[Episode]:
    began: float | None = None
    before = -math.inf
    for at in times:
        if began is None or at - before > 1.5 * step:
            if began is not None:
                yield Episode(began, began, before + step)
            began = at
        before = at
    if began is not None:
        over = before + step
        yield Episode(began, began, over if over < end else None)


def _usual(series: Series) -> float | None:
    """How far apart samples are: the shortest distance that is seen."""
    gaps = (later - at for times in series.values() for at, later in pairwise(times))
    return min((gap for gap in gaps if gap > 0), default=None)


def series_of(data: Any) -> dict[Labels, list[float]]:
    """The series of an answer of Prometheus', or of its ``data`` or ``result`` alone.

    Raises ValueError, in words for the owner, for anything else.
    """
    if isinstance(data, dict) and data.get("status") == "error":
        raise ValueError(f"Prometheus says: {redact(str(data.get('error', 'an error')))[:200]}")
    for key in ("data", "result"):
        if isinstance(data, dict) and key in data:
            data = data[key]
    if not isinstance(data, list):
        raise ValueError("this is no answer of Prometheus' to a range query")
    found: dict[Labels, list[float]] = {}
    for item in data:
        metric, values = (item.get("metric"), item.get("values")) if isinstance(item, dict) else (None, None)
        if not isinstance(metric, dict) or not isinstance(values, list):
            raise ValueError("a series without metric and values: save the answer to a range query (query_range)")
        if metric.get("alertstate", "firing") != "firing":
            continue
        labels = tuple(sorted((str(name), str(text)) for name, text in metric.items() if name not in _HIDDEN))
        found.setdefault(labels, []).extend(_times(values))
    return {labels: sorted(set(times)) for labels, times in found.items()}


def _times(values: Iterable[Any]) -> Iterator[float]:
    for pair in values:
        try:
            at = float(pair[0])
        except (TypeError, ValueError, LookupError, OverflowError):
            at = math.nan
        if not math.isfinite(at) or not 0 <= at < 1e11:
            raise ValueError("a sample without a time: values are pairs of seconds and text")
        yield at


# Files and addresses -----------------------------------------------------------------------------------------------


def _file(path: Path) -> dict[Labels, list[float]]:
    try:
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise HomelabmonError(f"{path}: no such file; name a saved answer, or an address with http://") from None
    except OSError as error:
        raise HomelabmonError(f"{path}: cannot be read: {error.strerror}") from None
    return _series(raw, str(path))


def _series(raw: bytes, where: str) -> dict[Labels, list[float]]:
    if len(raw) > MOST_BYTES:
        raise HomelabmonError(
            f"{where}: more than {MOST_BYTES // 2**20} MiB: ask for a shorter time, or a longer --step"
        )
    try:
        return series_of(json.loads(raw))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError):
        raise HomelabmonError(f"{where}: this is no JSON; save what /api/v1/query_range answers") from None
    except ValueError as error:
        raise HomelabmonError(f"{where}: {error}") from None


def _ask(address: str, start: float, end: float, step: float) -> dict[Labels, list[float]]:
    """The whole range, piece by piece."""
    base, headers, shown = _address(address)  # http or https, nothing else
    opener = build_opener(_NoRedirects())
    pieces = math.ceil((end - start) / (MOST_POINTS * step))
    if pieces > MOST_REQUESTS:
        raise HomelabmonError(f"this would be {pieces} requests: ask for a shorter time, or a longer --step")
    found: dict[Labels, list[float]] = {}
    for piece in range(max(1, pieces)):
        begin = start + piece * MOST_POINTS * step
        query = {"query": QUERY, "start": begin, "end": min(end, begin + (MOST_POINTS - 1) * step), "step": step}
        request = Request(f"{base}/api/v1/query_range?{urlencode(query)}", headers=headers)  # noqa: S310 - see above
        raw = _get(opener, request, shown)
        for labels, times in _series(raw, shown).items():
            found.setdefault(labels, []).extend(times)
    return {labels: sorted(set(times)) for labels, times in found.items()}


def _address(address: str) -> tuple[str, dict[str, str], str]:
    """The address without a login, the headers with it, and the address to show."""
    try:
        parts = urlsplit(address)
        port = f":{parts.port}" if parts.port is not None else ""
    except ValueError:
        raise HomelabmonError("--history: this is no address: write for example http://192.168.1.230:9090") from None
    host = parts.hostname or ""
    if not host:
        raise HomelabmonError("--history: this is no address: write for example http://192.168.1.230:9090")
    host = f"[{host}]" if ":" in host else host
    path = parts.path.rstrip("/").removesuffix("/api/v1/query_range").removesuffix("/graph").rstrip("/")
    base = urlunsplit((parts.scheme, f"{host}{port}", quote(unquote(path)), "", ""))
    headers = {"Accept": "application/json"}
    if parts.username is not None:
        login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Authorization"] = "Basic " + b64encode(login.encode()).decode()
    return base, headers, base


class _NoRedirects(HTTPRedirectHandler):
    """A login must not follow to another address."""

    def redirect_request(self, *_: object, **__: object) -> None:
        return None


def _get(opener: OpenerDirector, request: Request, shown: str) -> bytes:
    try:
        with opener.open(request, timeout=TIMEOUT) as response:
            raw: bytes = response.read(MOST_BYTES + 1)
            return raw
    except HTTPError as error:
        with error:
            raise HomelabmonError(f"{shown}: {_said(error)}") from None
    except (URLError, HTTPException, OSError) as error:
        reason = error.reason if isinstance(error, URLError) else error
        said = getattr(reason, "strerror", None) or ("no answer in time" if isinstance(reason, TimeoutError) else "")
        raise HomelabmonError(f"{shown}: Prometheus does not answer{f': {said}' if said else ''}") from None


def _said(error: HTTPError) -> str:
    """What Prometheus says about a refusal."""
    try:
        data = json.loads(error.read(65536))
        return f"HTTP {error.code}: {redact(str(data['error']))[:200]}"
    except (ValueError, LookupError, TypeError, OSError):
        return f"HTTP {error.code}; is this the address of Prometheus?"


# Times -------------------------------------------------------------------------------------------------------------


def _moment(text: str, now: float) -> float:
    """``7d`` ago, or a day and a time (UTC unless it says otherwise), in seconds since the epoch."""
    ago = _duration(text)
    if ago is not None:
        return now - ago
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise HomelabmonError(f"{text!r} is no time: write 7d for seven days ago, or 2026-11-22T03:30") from None
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()


def _step(text: str | None) -> float | None:
    if text is None:
        return None
    seconds = _duration(text)
    if not seconds:
        raise HomelabmonError(f"--step {text!r} is no length of time: write for example 30s")
    return seconds


def _duration(text: str) -> float | None:
    try:
        found = parse_duration(text)
    except ValueError:
        return None
    return found.total_seconds() if isinstance(found, timedelta) else None
