"""How long the book waits for what. May import: the standard library. All values are seconds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """The defaults are what the relay runs with; tests and ``simulate`` may choose others."""

    slack: float = 10.0
    """How late the question "is it really gone?" may come and still prove that an alert was churn."""
    reopen: float = 3600.0
    """How long an ended incident can come back into its message; later, it is a new incident."""
    quiet: float = 3600.0
    """How long after its last event an event's incident takes more events."""
    gather: float = 1.0
    """How long an incident waits for alerts that come with it before it is posted."""
    edit_gap: float = 3.0
    """The least time between two changes of one message."""
    digest_from: int = 5
    """More incidents than this waiting in one channel are posted together."""
    silenced_again: float = 60.0
    """How often to ask again about an alert that is silenced when its hold is over."""
    stale: float = 120.0
    """How long after an end a firing notice may be an old one that was late."""
