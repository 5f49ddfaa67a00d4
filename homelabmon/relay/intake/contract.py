"""What an intake is: a pure function from the bytes of a request to notices, or to the reason why there are none.

May import: the incidents' data, the standard library.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from homelabmon.relay.incidents.notice import Delivery, Notice


@dataclass(frozen=True, slots=True)
class Unread:
    """One piece of a good request that could not be read. ``body`` is a request that holds it alone."""

    reason: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a request told.

    ``unread``: the pieces that go to quarantine while the others go on. ``remarks``: what the sender says it left out.
    """

    notices: tuple[Notice, ...]
    route_key: str | None = None
    unread: tuple[Unread, ...] = ()
    remarks: tuple[str, ...] = ()

    def delivery(self, number: int, received_at: float) -> Delivery:
        """As the book takes it; ``number`` is its row in the inbox."""
        return Delivery(number, received_at, self.notices, self.route_key)


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing of the request could be read, and nothing ever will. ``reason`` is for the sender and quotes nothing."""

    reason: str
    status: Literal[400, 413, 422] = 400


Parse = Callable[[bytes, float], Parsed | Refused]
"""Body and time of arrival (Unix seconds). Same arguments, same result: the engine reads a stored request anew."""

Door = Literal["bearer", "path", "signature", "none"]
"""How a sender proves who it is: a token in a header, a secret in the path, or a signature over the body. ``none``: it
is the service itself, and nobody can come in here."""


@dataclass(frozen=True, slots=True)
class Intake:
    """One kind of sender."""

    name: str
    """Also the ``source`` that is stored with each of its requests."""
    path: str
    door: Door
    parse: Parse
