"""What a notifier is: it turns messages into requests, and responses into outcomes. It does no I/O.

Sending, retrying, limiting and queueing happen once, in the relay. May import: notifiers.message, the standard library.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from homelabmon.notifiers.message import IncidentView, Message


@dataclass(frozen=True, slots=True)
class Target:
    """Where a channel posts. The address is a secret: it is left out of ``repr``."""

    url: str = field(repr=False)
    thread_id: str | None = None
    forum: bool = False
    """Each message opens a thread of its own, and needs a name for it."""


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. The address and the headers are left out of ``repr``, as they may hold secrets."""

    method: Literal["POST", "PATCH", "DELETE", "GET"]
    url: str = field(repr=False)
    body: bytes = field(default=b"", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Response:
    """What came back. Header names are lower case. ``body`` may be cut, but not within its first 256 KiB: Discord
    answers with the whole message, and its id comes late."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Budget:
    """What the other side says about the requests it still takes: ``remaining`` more within ``reset_after`` seconds."""

    remaining: int
    reset_after: float


@dataclass(frozen=True, slots=True)
class Sent:
    """It is there. ``thread_id``: the thread that the message opened in a forum, for later edits.

    When the answer says that it was stored, but not as what, it counts as sent, as posting again would show it twice.
    ``message_id`` is then one that no message has: the first edit comes back as ``message_gone``.
    """

    message_id: str
    thread_id: str | None = None
    budget: Budget | None = None


@dataclass(frozen=True, slots=True)
class Retry:
    """Not now. ``after``: seconds, where the other side says so. ``reason`` is a metric label: one or two words."""

    reason: str
    after: float | None = None
    scope: Literal["request", "webhook", "everything"] = "request"
    """What has to wait: this request only, all that goes to this webhook, or all that goes to this service."""
    budget: Budget | None = None


RejectedKind = Literal["channel_gone", "message_gone", "thread_gone", "too_many_edits", "malformed", "forbidden"]


@dataclass(frozen=True, slots=True)
class Rejected:
    """Never like this.

    ``channel_gone``: the webhook does not exist, its token is wrong, or it takes nothing the way the channel is set
    up: nothing may be sent to it again.
    ``message_gone``: there is nothing to edit: post anew. ``thread_gone``: post into the channel itself.
    ``too_many_edits``: post anew, or leave it. ``malformed``: post it plain, then give up.
    ``forbidden``: refused for another reason; give up. ``detail`` holds no secret and may be shown.
    """

    reason: str
    kind: RejectedKind
    detail: str = ""
    budget: Budget | None = None


Outcome = Sent | Retry | Rejected
Style = Literal["full", "plain"]
"""``plain``: text without any decoration, for a message that was refused as malformed."""


class Notifier(Protocol):
    """One kind of place people read in. Pure functions over data."""

    name: str

    def render(self, message: Message, style: Style = "full") -> dict[str, Any]:
        """The message as the service takes it, within every limit of the service, for any content whatsoever.

        The same payload serves :meth:`post` and :meth:`edit`, which leave out what their request does not take.
        """
        ...

    def how_many_fit(self, incidents: Sequence[IncidentView], style: Style = "full") -> int:
        """How many of the incidents, from the first on, one digest can show with every alert named; at least 1."""
        ...

    def post(self, target: Target, payload: Mapping[str, Any]) -> Request:
        """The request that posts it, so that the response tells the message's id."""
        ...

    def edit(self, target: Target, message_id: str, payload: Mapping[str, Any]) -> Request:
        """The request that changes what was posted."""
        ...

    def delete(self, target: Target, message_id: str) -> Request:
        """The request that takes away what was posted."""
        ...

    def judge(self, request: Request, response: Response) -> Outcome:
        """What a response means. Any response: a gateway's HTML, an empty body, broken JSON."""
        ...

    def flaw(self, target: Target) -> str | None:
        """What is wrong with an address, without quoting it; None when it has the right shape."""
        ...
