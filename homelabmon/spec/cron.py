"""What everybody who reads a cron expression agrees on: the short names. May import: the standard library."""

from __future__ import annotations

from typing import Final

ALIASES: Final = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}


def cron_of(schedule: str) -> str:
    """A schedule with its alias written out."""
    return ALIASES.get(schedule.strip().lower(), schedule.strip())
