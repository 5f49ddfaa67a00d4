"""Metrics as Prometheus reads them: families of samples to text (exposition format 0.0.4).

Written by hand: the client library would cost 8 MiB of memory, and what is told here is mostly read from the disk.
May import: relay.delivery.figures, the standard library.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from homelabmon.relay.delivery.figures import Histogram

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

Labels = Mapping[str, str]
Sample = tuple[str, Labels, float]
"""Suffix of the name (for histograms), labels, value."""


@dataclass(frozen=True, slots=True)
class Family:
    """One metric with everything it says."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    samples: Sequence[Sample]


def gauge(name: str, help_: str, *samples: tuple[Labels, float]) -> Family:
    """Something that goes up and down."""
    return Family(name, "gauge", help_, [("", labels, value) for labels, value in samples])


def counter(name: str, help_: str, *samples: tuple[Labels, float]) -> Family:
    """Something that only grows."""
    return Family(name, "counter", help_, [("", labels, value) for labels, value in samples])


Key = tuple[()] | tuple[tuple[str, str]]
"""No label, or one with its value."""


def histogram(name: str, help_: str, found: Mapping[Key, Histogram]) -> Family:
    """Histograms by their labels."""
    samples: list[Sample] = []
    for key, one in found.items():
        labels, seen = dict(key), 0
        for bound, count in zip((*one.bounds, math.inf), one.counts, strict=True):
            seen += count
            samples.append(("_bucket", {**labels, "le": number(bound)}, seen))
        samples += [("_sum", labels, one.total), ("_count", labels, seen)]
    return Family(name, "histogram", help_, samples)


def exposition(families: Iterable[Family]) -> str:
    """Everything as text. Families without samples are left out."""
    lines = []
    for family in families:
        if family.samples:
            lines += [f"# HELP {family.name} {_escaped(family.help)}", f"# TYPE {family.name} {family.kind}"]
        for suffix, labels, value in family.samples:
            inside = ",".join(f'{name}="{_quoted(text)}"' for name, text in labels.items())
            lines.append(f"{family.name}{suffix}{f'{{{inside}}}' if inside else ''} {number(value)}")
    return "\n".join(lines) + "\n"


def number(value: float) -> str:
    """A number as Go writes and reads it."""
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value == int(value) and abs(value) < 2**53 else repr(float(value))


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _quoted(text: str) -> str:
    return _escaped(text).replace('"', '\\"')
