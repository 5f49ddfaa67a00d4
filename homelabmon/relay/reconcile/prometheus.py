"""What fired and ended while the relay was down, from Prometheus' own record of alerts: the series ``ALERTS``.

Alertmanager never tells of an alert that fired and ended while nobody took its notifications: at its next flush there
is nothing firing that was ever told, and the end is dropped (dispatch, notify/dedup_stage.go). Prometheus keeps it.
Asked by reconcile.backfill. May import: relay.incidents.notice, its neighbours, spec.names and the standard library.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from homelabmon.relay.delivery.transport import Transport
from homelabmon.relay.incidents.notice import Notice
from homelabmon.relay.reconcile.answers import get_json
from homelabmon.spec import names

STEP: Final = 15.0
"""Seconds between two looks at the past. What fires for less may be missed; it is less than any usual hold."""
PIECE: Final = 3600.0
"""Seconds of the past in one request: 240 points a series, far below Prometheus' limit of 11,000."""
LEAD: Final = 60.0
"""Seconds before the gap at which looking begins. What fires there already was told to the relay."""
FURTHEST: Final = 24 * 3600.0
"""Seconds. Of a longer gap, only so much is looked at."""
SAID: Final = "It fired and ended while the relay was down; Prometheus has the record."
_QUERY: Final = 'ALERTS{alertstate="firing"}'
_OWN: Final = ("__name__", "alertstate")
_FNV_OFFSET, _FNV_PRIME = 14695981039346656037, 1099511628211


@dataclass(frozen=True, slots=True)
class Firing:
    """One stretch of time in which one alert fired. ``over``: it does not fire any more."""

    labels: Mapping[str, str]
    """Without Prometheus' external labels, which it adds only towards Alertmanager."""
    began: float
    """At most ``STEP`` seconds after it began; never before."""
    ended: float
    """At most ``STEP`` seconds after it ended; never before. While it is not over: when it was last looked at."""
    over: bool
    from_the_first: bool
    """It fired when the looking began, so that its begin is not known."""


async def history(transport: Transport, base: str, start: float, end: float) -> list[Firing] | None:
    """Everything that fired between two moments; None when Prometheus does not answer. At most 24 hours back."""
    start = max(start, end - FURTHEST)
    record = _Record(start)
    while True:
        until = min(start + PIECE, end)
        query = (("query", _QUERY), ("start", f"{start:.3f}"), ("end", f"{until:.3f}"), ("step", f"{STEP:g}"))
        answer = await get_json(transport, base, "/api/v1/query_range", query)
        series = None if answer is None else _series(answer.data)
        if series is None:
            return None
        for labels, moments in series:
            record.add(labels, moments)
        looked = start + (until - start) // STEP * STEP
        if looked + STEP > end:
            return record.firings(looked)
        start = looked + STEP


class _Record:
    """Puts the points of all pieces together into stretches of time."""

    def __init__(self, start: float) -> None:
        self._start = start
        self._runs: dict[tuple[tuple[str, str], ...], list[list[float]]] = {}

    def add(self, labels: Mapping[str, str], moments: Iterable[float]) -> None:
        runs = self._runs.setdefault(tuple(sorted(labels.items())), [])
        for moment in moments:
            if runs and moment - runs[-1][1] <= 1.5 * STEP:
                runs[-1][1] = moment
            else:
                runs.append([moment, moment])

    def firings(self, looked: float) -> list[Firing]:
        found = []
        for labels, runs in self._runs.items():
            for began, last in runs:
                over = last < looked - STEP / 2
                first = began < self._start + STEP / 2
                found.append(Firing(dict(labels), began, min(last + STEP, looked) if over else looked, over, first))
        return sorted(found, key=lambda firing: (firing.began, sorted(firing.labels.items())))


def _series(data: Any) -> list[tuple[dict[str, str], list[float]]] | None:
    """The series of an answer, by their labels; None when it is not one."""
    try:
        if data["status"] != "success":
            return None
        return [
            (
                {str(name): str(value) for name, value in one["metric"].items() if name not in _OWN},
                [float(moment) for moment, _ in one["values"]],
            )
            for one in data["data"]["result"]
        ]
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


# From Prometheus' labels to Alertmanager's -------------------------------------------------------------------------


def external_labels(firings: Iterable[Firing], known: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """The labels that Prometheus adds towards Alertmanager: what most alerts there have more than here.

    ``known``: the labels of alerts that Alertmanager lists. Without any that are here as well: none.
    """
    here = [firing.labels for firing in firings if not firing.over]
    extras: Counter[tuple[tuple[str, str], ...]] = Counter()
    for labels in known:
        same = [one for one in here if one.items() <= labels.items()]
        if same:
            closest = max(same, key=len)
            extras[tuple(sorted(labels.items() - closest.items()))] += 1
    return dict(extras.most_common(1)[0][0]) if extras else {}


def fingerprint(labels: Mapping[str, str]) -> str:
    """Alertmanager's name for an alert (prometheus/common, model/signature.go: FNV-1a over the sorted labels)."""
    number = _FNV_OFFSET
    for name in sorted(labels):
        for byte in b"\xff".join((name.encode(), labels[name].encode(), b"")):
            number = (number ^ byte) * _FNV_PRIME % 2**64
    return f"{number:016x}"


def missed(firings: Sequence[Firing], external: Mapping[str, str]) -> list[Notice]:
    """What nobody told the relay: all that began after the looking did, and is over.

    What the stack's Alertmanager tells nobody, or tells without the relay, is left out.
    """
    return [
        Notice(
            names.SOURCE_ALERTMANAGER,
            fingerprint(labels),
            labels,
            firing=False,
            starts_at=firing.began,
            ends_at=firing.ended,
            annotations={"description": SAID},
        )
        for firing in firings
        if firing.over and not firing.from_the_first and not _elsewhere(firing.labels)
        for labels in ({**external, **firing.labels},)
    ]


def _elsewhere(labels: Mapping[str, str]) -> bool:
    """Watchdog and InfoInhibitor are for machines; what is about the relay does not travel through it."""
    alertname = labels.get(names.LABEL_ALERTNAME)
    return alertname in (names.WATCHDOG, names.INFO_INHIBITOR) or labels.get(names.LABEL_COMPONENT) == "relay"
