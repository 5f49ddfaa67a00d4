"""Is an alert really gone? Every Alertmanager replica is asked, and only what all agree on counts as proof.

Asked by the engine when a hold is over, when something is in doubt, and each minute about all that stands as firing.
May import: relay.incidents, relay.delivery.transport, spec.names and the standard library.

Sources of the rules: Alertmanager api/v2/api.go (alerts whose end has passed are not listed; silenced and inhibited
ones are, with their state), dispatch and HA documents (replicas hear of alerts by themselves and share silences; after
a start a replica knows nothing until Prometheus has sent again, which takes up to a minute).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from homelabmon.relay.delivery.transport import Transport
from homelabmon.relay.incidents.book import Question, Verdict
from homelabmon.relay.reconcile.answers import get_json, unix
from homelabmon.spec import names

SETTLED: Final = 180.0
"""Seconds after its start for which what a replica does not list proves nothing."""
STALE: Final = 5 / 8
"""Of the time for which an alert holds once renewed: a Watchdog that has not been renewed for so long is missing.

Prometheus lets an alert hold for four times the interval at which it renews it (rules/alerting.go, 4 minutes as a
rule), and may be late by one. When it dies, all its alerts expire within one interval: a Watchdog that counted until
then would vanish together with the alerts whose false end it should give away.
"""
HOLDS: Final = 480.0
"""Seconds for which an alert holds of which that is not told."""
MOST_NAMES: Final = 40
"""Questions about more alert names than this are one request for everything."""
_EVERY_STATE: Final = tuple((state, "true") for state in ("active", "silenced", "inhibited", "unprocessed"))


@dataclass(frozen=True, slots=True)
class ListedAlert:
    """One alert as a replica lists it."""

    fingerprint: str
    labels: Mapping[str, str]
    suppressed: bool
    """Silenced, inhibited or muted."""
    updated_at: float | None
    starts_at: float | None = None
    ends_at: float | None = None
    """Until when it holds if nobody renews it."""
    annotations: Mapping[str, str] = field(default_factory=dict)
    generator_url: str = ""
    receivers: tuple[str, ...] = ()
    """Names of the receivers that hear of it."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What one replica listed. ``settled``: it has run for long enough that what it does not list is not there."""

    alerts: Mapping[str, ListedAlert]
    """By fingerprint."""
    settled: bool
    date: float | None


class Asks(Protocol):
    """What the engine wants of Alertmanager. Tests have one without a network."""

    async def ask(self, questions: Sequence[Question]) -> Mapping[int, Verdict]:
        """A verdict for every question, by episode."""
        ...

    async def watchdog(self) -> bool | None:
        """Whether the Watchdog is there; None: nobody knows."""
        ...


class AlertmanagerApi:
    """All replicas. ``transport`` should give up soon (2 s) and read long answers. Raises nothing."""

    def __init__(
        self, replicas: Sequence[str], transport: Transport, *, settled: float = SETTLED, watchdog: str = names.WATCHDOG
    ) -> None:
        self._replicas = tuple(replicas)
        self._transport = transport
        self._settled = settled
        self._watchdog = watchdog

    async def ask(self, questions: Sequence[Question]) -> Mapping[int, Verdict]:
        """One request per replica for all questions. Without any replica every verdict is ``unknown``."""
        if not questions:
            return {}
        listings = await self._listings(_filter({question.labels.get(names.LABEL_ALERTNAME) for question in questions}))
        return {question.episode: verdict(question.fingerprint, listings) for question in questions}

    async def watchdog(self) -> bool | None:
        """True: a replica has a Watchdog that was renewed lately. False: none has, and one has settled. None: else."""
        return watchdog_there(await self._listings(_filter({self._watchdog})))

    async def labels(self) -> Sequence[Mapping[str, str]]:
        """The labels of every alert that any replica lists."""
        return [alert.labels for alert in _every(await self._listings(()))]

    async def active(self, receiver: str) -> tuple[Sequence[ListedAlert], bool]:
        """The alerts that fire and go to a receiver; and whether all replicas answered and have settled.

        An alert that any replica lists as silenced, inhibited or muted is left out: they share what silences.
        """
        listings = await self._listings(())
        found: dict[str, ListedAlert] = {}
        quiet = {alert.fingerprint for alert in _every(listings) if alert.suppressed}
        for alert in _every(listings):
            if receiver in alert.receivers and alert.fingerprint not in quiet:
                found.setdefault(alert.fingerprint, alert)
        settled = all(listing is not None and listing.settled for listing in listings)
        return list(found.values()), settled

    async def _listings(self, query: Sequence[tuple[str, str]]) -> list[Listing | None]:
        return list(await asyncio.gather(*(self._listing(replica, query) for replica in self._replicas)))

    async def _listing(self, replica: str, query: Sequence[tuple[str, str]]) -> Listing | None:
        status, alerts = await asyncio.gather(
            get_json(self._transport, replica, "/api/v2/status"),
            get_json(self._transport, replica, "/api/v2/alerts", (*_EVERY_STATE, *query)),
        )
        listed = None if alerts is None else _listed(alerts.data)
        if alerts is None or listed is None:
            return None
        started = None if status is None or not isinstance(status.data, dict) else unix(status.data.get("uptime"))
        since = None if started is None or status is None or status.date is None else status.date - started
        return Listing(listed, since is not None and since >= self._settled, alerts.date)


def _every(listings: Sequence[Listing | None]) -> Iterator[ListedAlert]:
    return (alert for listing in listings if listing is not None for alert in listing.alerts.values())


def verdict(fingerprint: str, listings: Sequence[Listing | None]) -> Verdict:
    """What the replicas know of one alert; None stands for a replica that did not answer.

    Whatever its start: a replica does not notify again about an alert that ended and came back between two of its
    flushes, so a listed alert with another start is alive as well. A silence is proof even where another replica is
    down; that an alert is gone is proof only if all of them say so.
    """
    found = [listing.alerts[fingerprint] for listing in listings if listing and fingerprint in listing.alerts]
    if found:
        return "silenced" if all(alert.suppressed for alert in found) else "alive"
    certain = bool(listings) and all(listing is not None and listing.settled for listing in listings)
    return "gone" if certain else "unknown"


def watchdog_there(listings: Sequence[Listing | None]) -> bool | None:
    """Whether any replica has a Watchdog that is renewed; None when there is no proof either way.

    One settled replica without it is enough: what it calls an end may be none. And the node that died may have carried
    both Prometheus and the other replica.
    """
    answered = [listing for listing in listings if listing is not None]
    if any(_fresh(alert, listing.date) for listing in answered for alert in listing.alerts.values()):
        return True
    return False if any(listing.settled for listing in answered) else None


def _fresh(alert: ListedAlert, date: float | None) -> bool:
    if alert.updated_at is None or date is None:
        return True
    holds = HOLDS if alert.ends_at is None else alert.ends_at - alert.updated_at
    return date - alert.updated_at <= STALE * holds


def _filter(alertnames: set[str | None]) -> tuple[tuple[str, str], ...]:
    """The query that lists the alerts of these names, or of all when one is not known."""
    known = sorted(name for name in alertnames if name)
    if len(known) != len(alertnames) or len(known) > MOST_NAMES:
        return ()
    pattern = "|".join(_literal(name) for name in known)
    return (("filter", f'{names.LABEL_ALERTNAME}=~"{_quoted(pattern)}"'),)


def _literal(text: str) -> str:
    """As a regular expression (RE2) that matches the text only."""
    return re.sub(r"([\\.+*?()|\[\]{}^$])", r"\\\1", text)


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _listed(data: Any) -> dict[str, ListedAlert] | None:
    """The alerts of an answer; None when it is not one."""
    if not isinstance(data, list):
        return None
    found = {}
    for item in data:
        if not isinstance(item, dict) or not isinstance(item.get("fingerprint"), str):
            return None
        status = item.get("status")
        state = status.get("state") if isinstance(status, dict) else None
        muted = isinstance(status, dict) and bool(status.get("mutedBy"))
        found[item["fingerprint"]] = ListedAlert(
            item["fingerprint"],
            _texts(item.get("labels")),
            state == "suppressed" or muted,
            unix(item.get("updatedAt")),
            unix(item.get("startsAt")),
            unix(item.get("endsAt")),
            _texts(item.get("annotations")),
            str(item.get("generatorURL") or ""),
            tuple(_names(item.get("receivers"))),
        )
    return found


def _texts(data: Any) -> dict[str, str]:
    return {str(name): str(value) for name, value in data.items()} if isinstance(data, dict) else {}


def _names(data: Any) -> Iterator[str]:
    for item in data if isinstance(data, list) else ():
        if isinstance(item, dict) and isinstance(item.get("name"), str):
            yield item["name"]
