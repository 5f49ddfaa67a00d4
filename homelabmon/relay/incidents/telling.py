"""What each channel is to be told next, and what came of it.

Nothing is queued: an incident that has changed since its message was last written is due, whatever happened in between.
So what fired and ended while a channel could not be reached becomes one line by itself.
Owned by the book. May import: notifiers, and its neighbours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from homelabmon.notifiers.contract import Notifier, Sent, Style
from homelabmon.notifiers.message import IncidentView, Links, Message
from homelabmon.relay.incidents.ledger import Ledger
from homelabmon.relay.incidents.model import DeadLetter, Incident, Post
from homelabmon.relay.incidents.timing import Timing
from homelabmon.relay.incidents.views import incident_view, rank, worst

_CONSIDERED: Final = 100
"""Of so many waiting incidents, the first of a digest are chosen."""
_LOOKED_AT: Final = 8
"""Of so many of them, before more are looked at."""


@dataclass(frozen=True, slots=True)
class Sending:
    """One thing to do in one channel. ``post``: the message to change or delete. ``message``: None for a deletion."""

    channel: str
    kind: Literal["post", "edit", "delete"]
    post: int | None
    message: Message | None
    incidents: tuple[int, ...]
    revisions: Mapping[int, int] = field(default_factory=dict)
    """By incident: what the message shows."""
    notices: Mapping[int, int] = field(default_factory=dict)
    """By episode: how many waiting notices the message tells."""
    pings: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    """By incident: severities whose mention it pings."""
    since: float = 0.0
    """When the oldest of its news fell due."""
    via: str | None = None
    """The channel whose webhook posted the message to change or to delete."""
    remote_id: str = ""
    """What that message is called there."""
    thread_id: str | None = None
    """The thread it stands in, where that is not the channel's own."""
    plain: bool = False
    """Whether it is to go out, or went out, as plain text: in its full form it was not taken."""


class Telling:
    """Chooses, and notes what became of it. At most one sending of a channel is under way at a time."""

    def __init__(self, ledger: Ledger, notifier: Notifier, timing: Timing) -> None:
        self._ledger, self._notifier, self._timing = ledger, notifier, timing
        self.links = Links()
        self.stack = ""
        self.senders: Mapping[str, str | None] = {}
        self.mentions: Mapping[str, Mapping[str, str]] = {}

    # What next ------------------------------------------------------------

    def next(self, channel: str, now: float) -> Sending | None:
        """What to do next in the channel: news first, the worst and then the oldest; then changes; then deletions."""
        waiting = self._waiting(channel)
        ready = [incident for incident in waiting if incident.told_since + self._timing.gather <= now]
        if ready:
            return self._post(channel, waiting if len(waiting) > self._timing.digest_from else ready[:1])
        stale = [self._ledger.posts[number] for number in sorted(self._ledger.stale[channel])]
        changed = [post for post in stale if post.incidents and post.edited_at + self._timing.edit_gap <= now]
        if changed:
            return self._edit(channel, min(changed, key=self._changed_at))
        empty = [post for post in stale if not post.incidents]
        if empty and not waiting:
            return _placed(Sending(channel, "delete", empty[0].id, None, (), since=now), empty[0])
        return None

    def next_at(self, channel: str, now: float) -> float | None:
        """When ``next`` will have something to do if nothing more is told; None: never."""
        waiting = self._waiting(channel)
        moments = [incident.told_since + self._timing.gather for incident in waiting]
        for number in self._ledger.stale[channel]:
            post = self._ledger.posts[number]
            if post.incidents:
                moments.append(post.edited_at + self._timing.edit_gap)
            elif not waiting:
                moments.append(now)
        return min(moments, default=None)

    def _waiting(self, channel: str) -> list[Incident]:
        found = [self._ledger.incidents[number] for number in self._ledger.unposted[channel]]
        return sorted(found, key=lambda incident: (self._urgency(incident), incident.told_since, incident.id))

    def _urgency(self, incident: Incident) -> int:
        """0: critical and not over; what ended meanwhile comes last."""
        if incident.ended_at is not None:
            return 2
        return 0 if incident.worst == "critical" else 1

    def _changed_at(self, post: Post) -> tuple[float, int]:
        shown = self._shown(post.incidents)
        return (min(one.changed_at for one in shown if one.told_revision < one.revision), post.id)

    def _shown(self, numbers: Iterable[int]) -> list[Incident]:
        return [self._ledger.incidents[number] for number in numbers if number in self._ledger.incidents]

    def _post(self, channel: str, incidents: Sequence[Incident]) -> Sending:
        considered = incidents[:_CONSIDERED]
        if len(considered) > 1:
            considered = considered[: max(1, self._how_many_fit(considered))]
        pings = {one.id: self._unpinged(one) for one in considered}
        mentions = self._mentions(channel, (severity for severities in pings.values() for severity in severities))
        return self._sending(channel, "post", None, considered, mentions, pings)

    def _how_many_fit(self, incidents: Sequence[Incident]) -> int:
        """Looks at a few first: most of those that wait do not fit, and thousands of alerts need not be looked at."""
        views, fit = list[IncidentView](), 0
        while len(views) < len(incidents):
            more = incidents[len(views) : max(_LOOKED_AT, 2 * len(views))]
            views += (incident_view(one, self._ledger.members(one)) for one in more)
            fit = self._notifier.how_many_fit(views)
            if fit < len(views):
                break
        return fit

    def _edit(self, channel: str, post: Post) -> Sending:
        shown = sorted(self._shown(post.incidents), key=lambda one: one.ended_at is not None)
        mentions = self._mentions(channel, (severity for one in shown for severity in one.pinged))
        return _placed(self._sending(channel, "edit", post.id, shown, mentions, {}), post)

    def _sending(
        self,
        channel: str,
        kind: Literal["post", "edit"],
        post: int | None,
        incidents: Sequence[Incident],
        mentions: tuple[str, ...],
        pings: Mapping[int, tuple[str, ...]],
    ) -> Sending:
        members = {one.id: self._ledger.members(one) for one in incidents}
        news = [one for one in incidents if one.told_revision < one.revision]
        return Sending(
            channel,
            kind,
            post,
            Message(
                channel=channel,
                incidents=tuple(incident_view(one, members[one.id]) for one in incidents),
                mentions=mentions,
                links=self.links,
                sender=self.senders.get(channel),
                stack=self.stack,
            ),
            tuple(one.id for one in incidents),
            revisions={one.id: one.revision for one in incidents},
            notices={episode.id: episode.queued for found in members.values() for episode in found if episode.queued},
            pings=pings,
            since=min(one.told_since if post is None else one.changed_at for one in news),
        )

    # Whom to ping ------------------------------------------------------------

    def _unpinged(self, incident: Incident) -> tuple[str, ...]:
        """Severities that go on in the incident, have a mention, and have not been pinged; none below one that has."""
        candidates = self._candidates(incident)
        if not candidates:
            return ()
        lively = {one.severity for one in self._ledger.members(incident) if one.firing or one.event}
        return tuple(sorted(candidates & lively, key=lambda severity: (rank(severity), severity)))

    def _candidates(self, incident: Incident) -> set[str]:
        mention = self.mentions.get(incident.channel, {})
        best = rank(worst(incident.pinged)) if incident.pinged else None
        return {severity for severity in mention if best is None or rank(severity) < best}

    def _mentions(self, channel: str, severities: Iterable[str]) -> tuple[str, ...]:
        mention = self.mentions.get(channel, {})
        return tuple(dict.fromkeys(mention[severity] for severity in severities if severity in mention))

    def escalate(self, incident: Incident, severity: str, now: float) -> None:
        """An edit pings nobody: where somebody must be pinged, the incident moves into a new message.

        ``severity``: that of an alert which has begun to fire, or goes on.
        """
        if incident.post is not None and severity in self._candidates(incident):
            self._detach(incident, now)

    def _detach(self, incident: Incident, now: float) -> None:
        """The incident will be posted anew; a message that shows no other any more will be deleted."""
        post = self._ledger.posts.get(incident.post) if incident.post is not None else None
        incident.post, incident.told_since, incident.told_revision = None, now, 0
        if post is not None:
            post.incidents.remove(incident.id)
            self._ledger.keep(post)
        self._ledger.keep(incident)

    # What came of it ------------------------------------------------------------

    def told(self, sending: Sending, sent: Sent, via: str, now: float) -> None:
        """It stands in the channel. ``via``: the channel whose webhook took it. Saying so again changes nothing."""
        if sending.kind == "post" and self._stands(sending, sent):
            return
        if sending.kind == "edit" and sending.post in self._ledger.posts:
            post = self._ledger.posts[sending.post]
            post.edited_at, post.plain = now, sending.plain
        else:
            post = Post(
                id=self._ledger.new_id(),
                channel=sending.channel,
                via=via,
                remote_id=sent.message_id,
                thread_id=sent.thread_id,
                incidents=[],
                posted_at=now,
                edited_at=now,
                plain=sending.plain,
            )
            self._ledger.add_post(post)
        for incident in self._shown(sending.incidents):
            if sending.kind == "post" and incident.post is None:
                incident.post = post.id
                post.incidents.append(incident.id)
            self._note(incident, sending)
        self._ledger.keep(post)
        self._settle(sending, "posted")
        for incident in self._shown(sending.incidents):
            for severity in self._unpinged(incident):
                self.escalate(incident, severity, now)
        if sending.message is not None and (sending.kind == "edit" or sending.plain):
            self._move_out(post, sending.incidents, sending.message.incidents, now)

    def _move_out(self, post: Post, numbers: Sequence[int], views: Sequence[IncidentView], now: float) -> None:
        """A digest has grown until it hides incidents that go on, or went out plain, which holds less: those are posted
        anew, and it is written once more without them."""
        style: Style = "plain" if post.plain else "full"
        fit = len(views) if len(views) < 2 else self._notifier.how_many_fit(views, style)
        hidden = [one for one in self._shown(numbers[fit:]) if one.post == post.id and one.ended_at is None]
        for incident in hidden:
            self._detach(incident, now)
        for incident in self._shown(post.incidents)[:1] if hidden else ():
            incident.told_revision = min(incident.told_revision, incident.revision - 1)
            self._ledger.keep(incident)

    def _stands(self, sending: Sending, sent: Sent) -> bool:
        """Whether this very message is known already: saving it failed, as it seemed, and did not."""
        posts = (self._ledger.posts.get(one.post) for one in self._shown(sending.incidents) if one.post is not None)
        return any(post is not None and post.remote_id == sent.message_id for post in posts)

    def _note(self, incident: Incident, sending: Sending) -> None:
        incident.told_revision = max(incident.told_revision, sending.revisions[incident.id])
        incident.pinged += [one for one in sending.pings.get(incident.id, ()) if one not in incident.pinged]
        self._ledger.keep(incident)

    def _settle(self, sending: Sending, account: Literal["posted", "dead_lettered"]) -> int:
        """What became another episode's while the message was under way is told again with the next change."""
        settled = 0
        for number, notices in sending.notices.items():
            episode = self._ledger.episodes.get(number)
            if episode is not None:
                before = episode.queued
                self._ledger.settle(episode, account, notices)
                settled += before - episode.queued
        return settled

    def deleted(self, sending: Sending, now: float) -> None:
        """The message is not there any more, by anybody's will. What it showed and is not closed is posted anew."""
        post = self._empty(sending, now)
        if post is not None:
            self._ledger.drop_post(post)

    def crowded(self, sending: Sending, now: float) -> None:
        """The message takes no more changes: what it shows is posted anew without a ping, and it is deleted."""
        self._empty(sending, now)

    def _empty(self, sending: Sending, now: float) -> Post | None:
        post = self._ledger.posts.get(sending.post) if sending.post is not None else None
        for incident in self._shown(tuple(post.incidents)) if post is not None else ():
            self._detach(incident, now)
            if incident.closed_at is not None:
                self._ledger.drop_incident(incident)
        return post

    def refused(self, sending: Sending, reason: str, detail: str, payload: str, now: float) -> None:
        """It will never be taken as it is. It is kept as a dead letter; the next change is tried again."""
        letter = DeadLetter(
            id=self._ledger.new_id(),
            channel=sending.channel,
            at=now,
            reason=reason,
            detail=detail,
            incidents=list(sending.incidents),
            notices=self._settle(sending, "dead_lettered"),
            payload=payload,
        )
        self._ledger.add_dead_letter(letter)
        for incident in self._shown(sending.incidents):
            incident.told_revision = max(incident.told_revision, sending.revisions[incident.id])
            self._ledger.keep(incident)

    def retell(self, incidents: Iterable[int], now: float) -> list[int]:
        """Tells incidents again whose message was refused. Gives those that are not known any more."""
        unknown = []
        for number in incidents:
            incident = self._ledger.incidents.get(number)
            if incident is None:
                unknown.append(number)
            else:
                incident.told_revision, incident.told_since = 0, now
                self._ledger.keep(incident)
        return unknown


def _placed(sending: Sending, post: Post) -> Sending:
    """With where the message stands."""
    return replace(sending, via=post.via, remote_id=post.remote_id, thread_id=post.thread_id, plain=post.plain)
