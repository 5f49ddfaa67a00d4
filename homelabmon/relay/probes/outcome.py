"""What one check found. Made by the checks, taken by the state. May import: the standard library."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal

Verdict = Literal["ok", "failed", "unknown"]
"""``unknown``: it could not be asked here at all, which says nothing of the endpoint."""
Indicator = Literal["none", "minor", "major", "critical", "maintenance"]
"""Atlassian's Statuspage: how bad it is, in their own opinion."""


@dataclass(slots=True)
class Timing:
    """How long each step took, in seconds; of the last request, behind redirects. None: it came not so far."""

    dns: float | None = None
    connect: float | None = None
    tls: float | None = None
    first_byte: float | None = None
    """From the request until the head of its answer."""

    def words(self) -> str:
        """``dns 3 ms, connect 20 ms``: for the detail."""
        known = ((field.name, getattr(self, field.name)) for field in fields(self))
        return ", ".join(f"{name.replace('_', ' ')} {took * 1000:.0f} ms" for name, took in known if took is not None)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One check. ``words``: what came instead of what was expected, or why it cannot be asked; no secret in it."""

    verdict: Verdict
    words: str = ""
    latency: float | None = None
    """Seconds for everything. Of a failure: until it was one."""
    certificate_until: float | None = None
    """When the first certificate of the chain runs out."""
    timing: str = ""


@dataclass(frozen=True, slots=True)
class Theirs:
    """What a third party says of itself. ``parts``: what of it is not well, the first few."""

    indicator: Indicator
    description: str
    at: float
    """When it was read."""
    parts: tuple[str, ...] = ()
