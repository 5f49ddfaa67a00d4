"""Events of scripts: one JSON object, or a list of them. docs/reference/events.md is for those who write the scripts.

::

    {"title": "Backup of nas failed", "message": "restic: no space left", "severity": "critical",
     "status": "firing", "key": "backup/nas", "labels": {"host": "nas"}, "links": {"runbook": "https://..."}}

May import: contract, reading, spec.names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from homelabmon.relay.incidents.notice import Notice
from homelabmon.relay.intake.contract import Intake, Parsed, Refused, Unread
from homelabmon.relay.intake.reading import (
    UnreadableError,
    arrivals,
    fnv1a,
    json_of,
    plain,
    text_of,
    texts,
    timestamp,
    written,
)
from homelabmon.spec import names

_STATUSES: Final = ("event", "firing", "resolved")
_OWN: Final = (names.LABEL_ALERTNAME, names.LABEL_SEVERITY, names.LABEL_SOURCE)
"""Labels that follow from other keys."""
_WEB: Final = re.compile(r"https?://[^\s<>\"]+")


def parse(body: bytes, now: float) -> Parsed | Refused:
    """Each object as a notice."""
    try:
        data = json_of(text_of(body))
    except UnreadableError as error:
        return Refused(str(error))
    if not isinstance(data, list):
        try:
            return Parsed((_notice(data, now),))
        except UnreadableError as error:
            return Refused(str(error), 422)
    notices, unread = [], []
    for item, at in zip(data, arrivals(now), strict=False):
        try:
            notices.append(_notice(item, at))
        except UnreadableError as error:
            unread.append(Unread(f"an event could not be read: {error}", written(item)))
    return Parsed(tuple(notices), unread=tuple(unread)) if data else Refused("the list is empty", 422)


def _notice(data: Any, now: float) -> Notice:
    if not isinstance(data, dict):
        raise UnreadableError("it is JSON, but no object")
    title, message = _text(data, "title"), _text(data, "message")
    if not title:
        raise UnreadableError("title is missing: say in a few words what happened")
    status = _choice(data, "status", _STATUSES)
    labels = texts(data.get("labels"), "labels")
    if taken := [name for name in _OWN if name in labels]:
        raise UnreadableError(f"the label {taken[0]} is set by the relay: use title, severity, or another label")
    links = texts(data.get("links"), "links")
    if not all(_WEB.fullmatch(link) for link in links.values()):
        raise UnreadableError("links: each is an address with http:// or https://")
    at = timestamp(data.get("time"))
    at = now if at is None else at
    return Notice(
        source=names.SOURCE_EVENT,
        fingerprint=fnv1a((names.SOURCE_EVENT, _text(data, "key") or title)),
        labels={
            **labels,
            names.LABEL_ALERTNAME: title,
            names.LABEL_SOURCE: names.SOURCE_EVENT,
            names.LABEL_SEVERITY: _choice(data, "severity", ("info", *names.SEVERITIES)),
        },
        annotations={
            "summary": title,
            **({"description": message} if message else {}),
            **{f"{name}_url": link for name, link in links.items()},
        },
        firing=status != "resolved",
        starts_at=at,
        ends_at=at if status == "resolved" else None,
        event=status == "event",
        keyed=status != "event",
    )


def _text(data: Mapping[str, Any], key: str) -> str:
    try:
        return plain(data.get(key)).strip()
    except UnreadableError:
        raise UnreadableError(f"{key} is no text") from None


def _choice(data: Mapping[str, Any], key: str, choices: tuple[str, ...]) -> str:
    """One of the choices, in any case; the first where nothing is said."""
    said = _text(data, key).lower()
    if not said:
        return choices[0]
    if said not in choices:
        raise UnreadableError(f"{key} is none of {', '.join(dict.fromkeys(choices))}")
    return said


INTAKE: Final = Intake(names.SOURCE_EVENT, names.PATH_EVENT, "bearer", parse)
