"""Falco's events, straight from its http_output or through a log shipper (userspace/engine/formats.cpp).

JSON with every part that can be switched off missing or there; several of them in a list, or one a line; or, where
``json_output`` is off, the line that Falco prints. What is neither is taken as such a line: nothing is turned away.

May import: contract, reading, spec.names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from homelabmon.relay.incidents.notice import Notice
from homelabmon.relay.intake.contract import Intake, Parsed, Refused
from homelabmon.relay.intake.reading import (
    UnreadableError,
    arrivals,
    fnv1a,
    json_of,
    plain,
    text_of,
    timestamp,
    written,
)
from homelabmon.spec import names

_SEVERITY: Final = {
    "emergency": "critical",
    "alert": "critical",
    "critical": "critical",
    "error": "warning",
    "warning": "warning",
    "notice": "info",
    "informational": "info",
    "info": "info",
    "debug": "none",
}
_FIELDS: Final = {
    "namespace": ("k8s.ns.name", "k8smeta.ns.name"),
    "pod": ("k8s.pod.name", "k8smeta.pod.name"),
    "container": ("container.name",),
    "image": ("container.image.repository",),
}
"""Labels, and the output fields they are taken from."""
_PRINTED: Final = re.compile(r"(?:\d\d:\d\d:\d\d\.\d+|\d{4}-\d\d-\d\dT\S+): ([A-Za-z]+) (.*)", re.DOTALL)
"""How Falco prints an event: time, priority, text."""
_WHAT: Final = re.compile(r"(.*?)(?: \(|\s+\||\s\w+=|$)", re.DOTALL)
"""What happened, without the values behind it: rules write them in brackets, behind a bar, or as name=value."""
_KNOWN: Final = frozenset({"rule", "output", "message", "priority", "output_fields"})
_LONGEST_NAME: Final = 120
_LONGEST_TEXT: Final = 4000
_UNNAMED: Final = "Falco event"


def parse(body: bytes, now: float) -> Parsed | Refused:
    """Every event as a notice. Events of one rule on one host are one line with a count."""
    text = text_of(body)
    notices = tuple(map(_notice, _events(text), arrivals(now)))
    return Parsed(notices) if notices else Refused("it is empty")


def _events(text: str) -> Iterator[Any]:
    """Each event: an object, or the text of one that is none."""
    try:
        data = json_of(text)
    except UnreadableError:
        for line in text.splitlines():
            if line.strip():
                yield from _line(line)
        return
    yield from data if isinstance(data, list) else (data,)


def _line(line: str) -> Iterator[Any]:
    try:
        data = json_of(line)
    except UnreadableError:
        data = line
    yield from data if isinstance(data, list) else (data,)


def _notice(event: Any, now: float) -> Notice:
    fields: Mapping[str, Any] = (
        event if isinstance(event, dict) and _KNOWN & event.keys() else {"output": _shown(event)}
    )
    printed = _PRINTED.fullmatch(_text(fields, "output").strip())
    said = _text(fields, "message") or (printed[2] if printed else _text(fields, "output").strip())
    rule = _text(fields, "rule") or _name(said)
    priority = (_text(fields, "priority") or (printed[1] if printed else "")).lower()
    found = fields.get("output_fields")
    values: Mapping[str, Any] = found if isinstance(found, dict) else {}
    hostname = _text(fields, "hostname") or _text(values, "evt.hostname")
    labels = {
        names.LABEL_ALERTNAME: rule,
        names.LABEL_SOURCE: names.SOURCE_FALCO,
        names.LABEL_SEVERITY: _SEVERITY.get(priority, "warning"),
        "rule": rule,
        "hostname": hostname,
        "priority": priority,
        **{label: next(filter(None, (_text(values, key) for key in keys)), "") for label, keys in _FIELDS.items()},
    }
    tags = fields.get("tags")
    annotations = {
        "summary": _name(said) or rule,
        "description": said,
        "tags": ", ".join(tag for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else "",
    }
    return Notice(
        source=names.SOURCE_FALCO,
        fingerprint=fnv1a((names.SOURCE_FALCO, rule, hostname)),
        labels={name: value for name, value in labels.items() if value},
        annotations={name: plain(value) for name, value in annotations.items() if value},
        firing=True,
        starts_at=_time(fields, values, now),
        event=True,
    )


def _time(fields: Mapping[str, Any], values: Mapping[str, Any], now: float) -> float:
    """When it happened; when it arrived where nothing, or nothing that can be read, says so."""
    try:
        told = timestamp(fields.get("time"))
    except UnreadableError:
        told = None
    nanoseconds = values.get("evt.time")
    if told is None and isinstance(nanoseconds, int) and 0 < nanoseconds < 2**63:
        told = nanoseconds / 1e9
    return now if told is None else told


def _text(mapping: Mapping[str, Any], key: str) -> str:
    """A value as text; nothing where it is none."""
    try:
        return plain(mapping.get(key))
    except UnreadableError:
        return ""


def _shown(value: Any) -> str:
    """Something that is no event, as the text of one."""
    try:
        return plain(value)
    except UnreadableError:
        return text_of(written(value)[:_LONGEST_TEXT])


def _name(said: str) -> str:
    match = _WHAT.match(said[:2000])
    name = " ".join((match[1] if match else said).split())
    return name[:_LONGEST_NAME] or _UNNAMED


INTAKE: Final = Intake(names.SOURCE_FALCO, names.PATH_FALCO, "path", parse)
