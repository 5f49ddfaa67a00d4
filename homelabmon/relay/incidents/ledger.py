"""The book's memory: everything by id, the indexes over it, the accounts, and what has changed since the last save.

Used by the book and by telling. It decides nothing. May import: its neighbours.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final, TypeVar

from homelabmon.relay.incidents.model import Account, Changes, DeadLetter, Episode, Incident, Post, Snapshot

T = TypeVar("T")

GroupKey = tuple[str, str, str, bool, tuple[tuple[str, str], ...]]
"""Channel, route, source, whether events, and the group's labels."""


def group_key(item: Episode | Incident) -> GroupKey:
    """What must be equal for alerts to share an incident."""
    return (item.channel, item.route, item.source, item.event, tuple(sorted(item.group.items())))


class Ledger:
    """What there is. Whoever changes an item says so with ``keep``; ``drop`` forgets it."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._forget_changes()
        self.episodes: Final[dict[int, Episode]] = {}
        self.incidents: Final[dict[int, Incident]] = {}
        self.posts: Final[dict[int, Post]] = {}
        self.held: Final[set[int]] = set()
        self._dues: Final[list[tuple[float, int]]] = []
        """A heap of when holds are over. What has been moved, or is not held any more, is passed over when met."""
        self._planned: Final[dict[int, float]] = {}
        self._ripe: Final[set[int]] = set()
        """Held, and met when its hold was over."""
        self.doubted: Final[set[int]] = set()
        self.unposted: Final[defaultdict[str, set[int]]] = defaultdict(set)
        """Incidents that no message shows, by channel."""
        self.stale: Final[defaultdict[str, set[int]]] = defaultdict(set)
        """Posts that show an incident as it no longer is, or show none any more, by channel."""
        self.accounts: Final[defaultdict[tuple[str, Account], int]] = defaultdict(int, snapshot.accounts)
        self._by_alert: Final[defaultdict[tuple[str, str], list[Episode]]] = defaultdict(list)
        self._by_group: Final[dict[GroupKey, int]] = {}
        self._members: Final[defaultdict[int, set[int]]] = defaultdict(set)
        self._going: Final[defaultdict[int, set[int]]] = defaultdict(set)
        self._queued: Final[defaultdict[str, int]] = defaultdict(int)
        self._next_id = snapshot.next_id
        for episode in snapshot.episodes:
            self.add_episode(episode)
            self._queued[episode.channel] += episode.queued
        for post in snapshot.posts:
            self.posts[post.id] = post
        for incident in snapshot.incidents:
            self.add_incident(incident)
        for post in snapshot.posts:
            self.keep(post)
        self._forget_changes()

    def new_id(self) -> int:
        """An id that nothing ever had."""
        self._next_id += 1
        return self._next_id - 1

    # Items ------------------------------------------------------------

    def add_episode(self, episode: Episode) -> None:
        """Takes a new episode in."""
        self.episodes[episode.id] = episode
        found = self._by_alert[episode.route, episode.fingerprint]
        found.append(episode)
        found.sort(key=lambda one: one.starts_at)
        if episode.incident is not None:
            self._members[episode.incident].add(episode.id)
        self.keep(episode)

    def add_incident(self, incident: Incident, *, joined: bool = True) -> None:
        """Takes a new incident in; it becomes the one that its group's alerts join, unless that is not wanted."""
        self.incidents[incident.id] = incident
        if incident.closed_at is None and joined:
            self._by_group[group_key(incident)] = incident.id
        self.keep(incident)

    def add_post(self, post: Post) -> None:
        """Takes a new post in."""
        self.posts[post.id] = post
        self.keep(post)

    def add_dead_letter(self, letter: DeadLetter) -> None:
        """Remembers what was refused, until it is saved."""
        self._dead_letters.append(letter)

    def join(self, episode: Episode, incident: Incident) -> None:
        """Makes the episode part of the incident."""
        episode.incident = incident.id
        self._members[incident.id].add(episode.id)
        self.keep(episode)

    def leave(self, episode: Episode) -> None:
        """Takes the episode out of its incident."""
        if episode.incident is not None:
            self._members[episode.incident].discard(episode.id)
            self._going[episode.incident].discard(episode.id)
            episode.incident = None
            self.keep(episode)

    def keep(self, item: Episode | Incident | Post) -> None:
        """The item has changed: indexes follow, and it will be saved."""
        if isinstance(item, Episode):
            self._changed_episodes.add(item.id)
            _follow(self.held, item.id, item.phase == "held")
            self._plan(item)
            _follow(self.doubted, item.id, item.doubted_at is not None)
            if item.incident is not None:
                _follow(self._going[item.incident], item.id, item.firing)
        elif isinstance(item, Incident):
            self._changed_incidents.add(item.id)
            waits = item.post is None and item.told_revision < item.revision
            _follow(self.unposted[item.channel], item.id, waits)
            if item.post is not None and item.post in self.posts:
                self._follow_post(self.posts[item.post])
        else:
            self._changed_posts.add(item.id)
            self._follow_post(item)

    def _plan(self, episode: Episode) -> None:
        if episode.phase != "held":
            self._planned.pop(episode.id, None)
        elif self._planned.get(episode.id) != episode.due:
            self._planned[episode.id] = episode.due
            heapq.heappush(self._dues, (episode.due, episode.id))

    def _follow_post(self, post: Post) -> None:
        shown = [self.incidents[number] for number in post.incidents if number in self.incidents]
        stale = not post.incidents or any(incident.told_revision < incident.revision for incident in shown)
        _follow(self.stale[post.channel], post.id, stale)

    def rename_route(self, route: str, fingerprint: str, new: str) -> None:
        """An alert, and the incidents that show it, came by a route whose name is another one now."""
        found = self._by_alert.pop((route, fingerprint), [])
        self._by_alert[new, fingerprint] = found
        for episode in found:
            episode.route = new
            self.keep(episode)
            incident = None if episode.incident is None else self.incidents[episode.incident]
            if incident is not None and incident.route != new:
                if self._by_group.get(group_key(incident)) == incident.id:
                    del self._by_group[group_key(incident)]
                incident.route = new
                if incident.closed_at is None:
                    self._by_group.setdefault(group_key(incident), incident.id)
                self.keep(incident)

    def drop_episode(self, episode: Episode, *, from_disk: bool) -> None:
        """Forgets the episode; ``from_disk``: there is no need to look it up later either."""
        del self.episodes[episode.id]
        self.held.discard(episode.id)
        self._planned.pop(episode.id, None)
        self.doubted.discard(episode.id)
        if episode.incident is not None:
            self._members[episode.incident].discard(episode.id)
            self._going[episode.incident].discard(episode.id)
        found = self._by_alert[episode.route, episode.fingerprint]
        found.remove(episode)
        if not found:
            del self._by_alert[episode.route, episode.fingerprint]
        if from_disk:
            self._changed_episodes.discard(episode.id)
            self._gone_episodes.append(episode.id)
        else:
            self._last_words.append(episode)

    def close(self, incident: Incident) -> None:
        """The incident cannot come back. It is forgotten together with all others that its message shows."""
        if self._by_group.get(group_key(incident)) == incident.id:
            del self._by_group[group_key(incident)]
        self.keep(incident)
        post = self.posts.get(incident.post) if incident.post is not None else None
        together = post.incidents if post is not None else [incident.id]
        shown = [self.incidents[number] for number in together if number in self.incidents]
        if all(one.closed_at is not None for one in shown):
            for one in shown:
                self.drop_incident(one)

    def drop_incident(self, incident: Incident) -> None:
        """Forgets an incident and its episodes; the disk keeps them for a look back."""
        for number in sorted(self._members.get(incident.id, ())):
            self.drop_episode(self.episodes[number], from_disk=False)
        self._members.pop(incident.id, None)
        self._going.pop(incident.id, None)
        self.unposted[incident.channel].discard(incident.id)
        del self.incidents[incident.id]
        self._last_words.append(incident)
        post = self.posts.get(incident.post) if incident.post is not None else None
        if post is not None and not any(number in self.incidents for number in post.incidents):
            self.drop_post(post)

    def drop_post(self, post: Post) -> None:
        """Forgets the post."""
        del self.posts[post.id]
        self.stale[post.channel].discard(post.id)
        self._changed_posts.discard(post.id)
        self._gone_posts.append(post.id)

    # Looking up ------------------------------------------------------------

    def episodes_of_alert(self, route: str, fingerprint: str) -> list[Episode]:
        """All that is known of an alert on a route, the latest last."""
        return self._by_alert.get((route, fingerprint), [])

    def due(self, now: float) -> list[Episode]:
        """The held episodes whose hold is over, by id."""
        while self._dues and self._dues[0][0] <= now:
            self._ripe.add(heapq.heappop(self._dues)[1])
        self._ripe.intersection_update(self.held)
        found = [self.episodes[number] for number in sorted(self._ripe)]
        return [episode for episode in found if episode.due <= now]

    def next_due(self) -> float | None:
        """When the next hold is over; None when nothing is held."""
        self._ripe.intersection_update(self.held)
        moments = [self.episodes[number].due for number in self._ripe]
        while self._dues and self._planned.get(self._dues[0][1]) != self._dues[0][0]:
            heapq.heappop(self._dues)
        return min([*moments, *(moment for moment, _ in self._dues[:1])], default=None)

    def incident_of_group(self, episode: Episode) -> Incident | None:
        """The incident that the episode would join."""
        number = self._by_group.get(group_key(episode))
        return None if number is None else self.incidents[number]

    def members(self, incident: Incident) -> list[Episode]:
        """The incident's episodes, oldest first."""
        return [self.episodes[number] for number in sorted(self._members.get(incident.id, ()))]

    def going(self) -> list[Episode]:
        """The episodes of incidents that fire, by id."""
        return [self.episodes[number] for number in sorted(set().union(*self._going.values()))]

    def goes_on(self, incident: Incident) -> bool:
        """Whether anything in it fires."""
        return bool(self._going.get(incident.id))

    # Accounts ------------------------------------------------------------

    def count(self, channel: str, account: Account, number: int = 1) -> None:
        """Adds to an account."""
        if number:
            self.accounts[channel, account] += number
            self._changed_accounts.add((channel, account))

    def queue(self, episode: Episode, number: int = 1) -> None:
        """So many more notices about the episode wait to be told; fewer where negative."""
        episode.queued += number
        self._queued[episode.channel] += number
        self.keep(episode)

    def settle(self, episode: Episode, account: Account, number: int | None = None) -> None:
        """Moves waiting notices of the episode, all of them unless said, to an account."""
        number = episode.queued if number is None else min(number, episode.queued)
        self.count(episode.channel, account, number)
        self.queue(episode, -number)

    def queued(self, channel: str) -> int:
        """Notices of the channel that wait."""
        return self._queued[channel]

    # Saving ------------------------------------------------------------

    def _forget_changes(self) -> None:
        self._changed_episodes: set[int] = set()
        self._changed_incidents: set[int] = set()
        self._changed_posts: set[int] = set()
        self._changed_accounts: set[tuple[str, Account]] = set()
        self._last_words: list[Episode | Incident] = []
        self._dead_letters: list[DeadLetter] = []
        self._gone_episodes: list[int] = []
        self._gone_posts: list[int] = []

    def changes(self) -> Changes:
        """What has changed since the last call."""
        last_episodes = [item for item in self._last_words if isinstance(item, Episode)]
        last_incidents = [item for item in self._last_words if isinstance(item, Incident)]
        found = Changes(
            episodes=[*last_episodes, *_present(self.episodes, self._changed_episodes)],
            incidents=[*last_incidents, *_present(self.incidents, self._changed_incidents)],
            posts=_present(self.posts, self._changed_posts),
            dead_letters=self._dead_letters,
            gone_episodes=self._gone_episodes,
            gone_posts=self._gone_posts,
            accounts={key: self.accounts[key] for key in sorted(self._changed_accounts)},
            next_id=self._next_id,
        )
        self._forget_changes()
        return found


def _follow(index: set[int], number: int, belongs: bool) -> None:
    if belongs:
        index.add(number)
    else:
        index.discard(number)


def _present(items: Mapping[int, T], numbers: Iterable[int]) -> list[T]:
    return [items[number] for number in sorted(numbers) if number in items]
