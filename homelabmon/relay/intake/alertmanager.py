"""Alertmanager's webhook, version 4 (notify/webhook/webhook.go, template/template.go).

Every request is the whole group, not a delta; the book compares. What is not known is ignored, as later versions add to
it. One bad alert does not lose the others: it goes to quarantine by itself, and the rest goes on.

May import: contract, reading, spec.names.
"""

from __future__ import annotations

import re
from typing import Any, Final

from homelabmon.relay.incidents.notice import Notice
from homelabmon.relay.intake.contract import Intake, Parsed, Refused, Unread
from homelabmon.relay.intake.reading import (
    UnreadableError,
    fingerprint,
    json_of,
    plain,
    text_of,
    texts,
    timestamp,
    written,
)
from homelabmon.spec import names

VERSION: Final = "4"
_LONGEST_KEY: Final = 65_536
_FINGERPRINT: Final = re.compile(r"[0-9a-f]{16}")
_LABEL: Final = r'(?:[^\s"{}=,]+|"(?:[^"\\]|\\.)*+")="(?:[^"\\]|\\.)*+"'
_GROUP_LABELS: Final = re.compile(rf":\{{(?:{_LABEL}(?:, ?{_LABEL})*+)?+\}}\Z", re.DOTALL)
"""The labels at the end of a group key, as Go writes a label set: values, and names that are no identifiers, quoted."""


def parse(body: bytes, now: float) -> Parsed | Refused:
    """Every alert of the group as a notice."""
    try:
        data = json_of(text_of(body))
    except UnreadableError as error:
        return Refused(str(error))
    if not isinstance(data, dict):
        return Refused("it is JSON, but no object")
    if str(data.get("version")) != VERSION:
        return Refused(f"it is not version {VERSION} of Alertmanager's webhook", 422)
    alerts = data.get("alerts")
    if not isinstance(alerts, list):
        return Refused("alerts is not a list", 422)
    notices, unread, seen = [], [], dict[str, str]()
    for alert in alerts:
        try:
            notices.append(_notice(alert, now, seen))
        except UnreadableError as error:
            unread.append(Unread(f"an alert could not be read: {error}", _alone(data, alert)))
    return Parsed(tuple(notices), route_key(data.get("groupKey")), tuple(unread), _remarks(data))


def _notice(alert: Any, now: float, seen: dict[str, str]) -> Notice:
    if not isinstance(alert, dict):
        raise UnreadableError("it is no object")
    labels = _shared(texts(alert.get("labels"), "labels"), seen)
    if not labels:
        raise UnreadableError("it has no labels")
    starts_at, ends_at = timestamp(alert.get("startsAt")), timestamp(alert.get("endsAt"))
    if starts_at is None:
        raise UnreadableError("it has no startsAt")
    status = alert.get("status")
    if status not in ("firing", "resolved"):
        raise UnreadableError("its status is neither firing nor resolved")
    firing = status == "firing"
    given = alert.get("fingerprint")
    known = isinstance(given, str) and _FINGERPRINT.fullmatch(given)
    generator = alert.get("generatorURL")
    return Notice(
        source=names.SOURCE_ALERTMANAGER,
        fingerprint=str(given) if known else fingerprint(labels),
        labels=labels,
        annotations=_shared(texts(alert.get("annotations"), "annotations"), seen),
        firing=firing,
        starts_at=starts_at,
        ends_at=None if firing else max(ends_at if ends_at is not None else now, starts_at),
        generator_url=plain(generator) if isinstance(generator, str) else "",
    )


def _shared(mapping: dict[str, str], seen: dict[str, str]) -> dict[str, str]:
    """The same mapping with each text held once for the whole request: alerts of a group repeat most of them."""
    return {seen.setdefault(name, name): seen.setdefault(text, text) for name, text in mapping.items()}


def _alone(data: dict[str, Any], alert: Any) -> bytes:
    """A request that holds one alert only, so that it can be looked at and sent again."""
    return written({"version": VERSION, "groupKey": data.get("groupKey"), "alerts": [alert]})


def _remarks(data: dict[str, Any]) -> tuple[str, ...]:
    cut = data.get("truncatedAlerts")
    if isinstance(cut, int) and cut > 0:
        return (f"Alertmanager left out {cut} alerts: its receiver has max_alerts, which should be 0",)
    return ()


def route_key(group_key: Any) -> str | None:
    """Alertmanager's name of the route: the group key (``{}/{severity="critical"}:{alertname="Down"}``) without the
    group's labels, which may hold any character. None where there is no group key, or none that can be taken apart.

    Between the two stands ``:{``, which matchers and label values may hold as well; but inside those every quote is
    escaped, so that only the right one begins a label set that reaches to the end.
    """
    if not isinstance(group_key, str) or len(group_key) > _LONGEST_KEY:
        return None
    match = _GROUP_LABELS.search(group_key)
    return plain(group_key[: match.start()]) if match else None


INTAKE: Final = Intake(names.SOURCE_ALERTMANAGER, names.PATH_ALERTMANAGER, "bearer", parse)
