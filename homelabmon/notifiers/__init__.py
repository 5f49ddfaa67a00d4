"""Places where people read. One file a kind; none of them does I/O.

- :mod:`~homelabmon.notifiers.message`: what a message shows
- :mod:`~homelabmon.notifiers.contract`: what a notifier is
- :mod:`~homelabmon.notifiers.facts`, :mod:`~homelabmon.notifiers.addresses`: what every kind says and links to
- :mod:`~homelabmon.notifiers.discord`: Discord
- :mod:`~homelabmon.notifiers.preview`: a payload as text for a terminal

:data:`NOTIFIERS` lists the kinds. Adding one is its file and one line there.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from homelabmon.notifiers.contract import Notifier
from homelabmon.notifiers.discord import Discord

NOTIFIERS: Final[Mapping[str, Notifier]] = MappingProxyType({"discord": Discord()})
"""Every kind of channel, by the name that a channel's entry in the relay's configuration gives as ``kind``."""
