"""Alerts as Alertmanager keeps them.

Used by its neighbours in timing. May import: the standard library, and its neighbours in routing.
Sources: Alertmanager alert/alert.go, provider/mem/mem.go; Prometheus common model/labelset.go, model/signature.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, cmp_to_key
from math import inf
from typing import Final

Labels = Mapping[str, str]

OPEN: Final = inf
"""The end of an alert of which no end is known yet."""


class Subject:
    """Whom alerts are about: one set of labels. There is one object for each set; it is compared by identity."""

    def __init__(self, labels: Labels) -> None:
        self.labels: dict[str, str] = dict(labels)

    @cached_property
    def fingerprint(self) -> str:
        """The name Alertmanager gives the labels."""
        return fingerprint(self.labels)

    @cached_property
    def order(self) -> tuple[object, ...]:
        """Sorts alerts as they stand in a notification: by job, by instance, the rest as Prometheus orders labels."""
        job, instance = self.labels.get("job"), self.labels.get("instance")
        rest = _RestOfLabels(sorted(self.labels.items()))
        return (job is None, job or "", instance is None, instance or "", rest)


@dataclass(frozen=True, slots=True, eq=False)
class Alert:
    """What was last heard about a subject. It is over once ``ends_at`` is reached."""

    subject: Subject
    annotations: Labels
    starts_at: float
    ends_at: float

    def resolved_at(self, now: float) -> bool:
        """Whether it is over; an end that is now counts as over."""
        return self.ends_at <= now

    def merged(self, newer: Alert, now: float) -> Alert:
        """What a newer word about the same subject makes of it.

        Where the two overlap the earlier start is kept. Of two ends the later one is, unless the newer word says that
        it is over and the older one did not.
        """
        overlaps = (self.starts_at < newer.ends_at < self.ends_at) or (self.starts_at < newer.starts_at < self.ends_at)
        if not overlaps:
            return newer
        ends_at = newer.ends_at
        if self.resolved_at(now) or not newer.resolved_at(now):
            ends_at = max(ends_at, self.ends_at)
        return Alert(self.subject, newer.annotations, min(self.starts_at, newer.starts_at), ends_at)


_FNV_START: Final = 14695981039346656037
_FNV_PRIME: Final = 1099511628211
_FNV_MASK: Final = 2**64 - 1


def fingerprint(labels: Labels) -> str:
    """The fingerprint of labels as 16 hexadecimal digits: FNV-1a over names and values, each followed by 0xff."""
    value = _FNV_START
    for name, text in sorted(labels.items()):
        for byte in b"%s\xff%s\xff" % (name.encode(), text.encode()):
            value = ((value ^ byte) * _FNV_PRIME) & _FNV_MASK
    return f"{value:016x}"


def _compare(one: list[tuple[str, str]], other: list[tuple[str, str]]) -> int:
    """Fewer labels first; then the first label that differs decides, and the one that lacks it is first."""
    if len(one) != len(other):
        return len(one) - len(other)
    for (name, value), (other_name, other_value) in zip(one, other, strict=True):
        if name != other_name:
            return 1 if name < other_name else -1
        if value != other_value:
            return -1 if value < other_value else 1
    return 0


_RestOfLabels = cmp_to_key(_compare)
