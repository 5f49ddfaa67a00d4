"""What probes and heartbeats were like, day by day: spans of one state on the disk, summed where nobody was blind.

``enter`` is told each change of state, in the transaction that noticed it; ``days`` is asked by the status page. Times
are Unix seconds, days are UTC's. May import: the standard library.
"""

from homelabmon.relay.history.model import Day, Interval, State, Windows, day_of, uptime
from homelabmon.relay.history.records import (
    Span,
    days,
    enter,
    gaps,
    leave,
    of_heartbeat,
    of_probe,
    roll,
    spans,
    states,
    steps,
)

__all__ = [
    "Day",
    "Interval",
    "Span",
    "State",
    "Windows",
    "day_of",
    "days",
    "enter",
    "gaps",
    "leave",
    "of_heartbeat",
    "of_probe",
    "roll",
    "spans",
    "states",
    "steps",
    "uptime",
]
