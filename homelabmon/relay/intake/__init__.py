"""What senders send, turned into notices: one file a kind of sender, all of them pure.

- :mod:`~homelabmon.relay.intake.contract`: what an intake is
- :mod:`~homelabmon.relay.intake.reading`: JSON, texts, times and fingerprints

A new kind of sender is its file and one line below. May import: spec, and the incidents' data.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from homelabmon.relay.intake import alertmanager, event, falco, flux, own
from homelabmon.relay.intake.contract import Intake, Parsed, Refused, Unread

ALL: Final[tuple[Intake, ...]] = (alertmanager.INTAKE, falco.INTAKE, flux.INTAKE, event.INTAKE)
OWN: Final[tuple[Intake, ...]] = (own.INTAKE,)
"""What the service puts into its inbox itself."""
BY_NAME: Final[Mapping[str, Intake]] = {intake.name: intake for intake in (*ALL, *OWN)}
BY_PATH: Final[Mapping[str, Intake]] = {intake.path: intake for intake in ALL}

__all__ = ["ALL", "BY_NAME", "BY_PATH", "OWN", "Intake", "Parsed", "Refused", "Unread"]
