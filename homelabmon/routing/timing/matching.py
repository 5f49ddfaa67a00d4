"""What follows from an alert's labels alone, found out once for each set of labels.

Used by its neighbours in timing. May import: its neighbours in routing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from homelabmon.routing.inhibit import InhibitRule
from homelabmon.routing.timing.alerts import Labels, Subject
from homelabmon.routing.tree import Path, ResolvedRoute, RouteTree


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """A group that an alert joins. ``id`` is unique; ``key`` is how it is named to receivers and in the log."""

    id: tuple[Path, frozenset[tuple[str, str]]]
    route: ResolvedRoute[object]
    labels: Mapping[str, str]
    key: str


Side = tuple[int, tuple[str, ...]]
"""A rule's position, and the values of its ``equal`` labels: a source can mute targets of the same side."""


@dataclass(frozen=True, slots=True, eq=False)
class Traits:
    """What follows from labels. The values in ``mutes`` and ``muted_by`` say whether they match both of its sides."""

    places: tuple[Place, ...]
    mutes: Mapping[Side, bool]
    muted_by: Mapping[Side, bool]


class Matching:
    """Subjects and their traits."""

    def __init__(self, tree: RouteTree[object], rules: Sequence[InhibitRule]) -> None:
        self._tree = tree
        self._rules = rules
        self._subjects: dict[frozenset[tuple[str, str]], Subject] = {}
        self._by_fingerprint: dict[str, Subject] = {}
        self._traits: dict[Subject, Traits] = {}
        self._places: dict[tuple[Path, frozenset[tuple[str, str]]], Place] = {}

    def subject(self, labels: Labels) -> Subject:
        """The one subject with these labels; a label without a value is as good as missing."""
        key = frozenset(item for item in labels.items() if item[1])
        subject = self._subjects.get(key)
        if subject is None:
            subject = self._subjects[key] = Subject(dict(sorted(key)))
        return subject

    def named(self, fingerprint: str) -> Subject | None:
        """The subject that is known by a fingerprint; ``None`` if there is none."""
        if len(self._by_fingerprint) < len(self._subjects):
            self._by_fingerprint = {subject.fingerprint: subject for subject in self._subjects.values()}
        return self._by_fingerprint.get(fingerprint)

    def traits(self, subject: Subject) -> Traits:
        """What follows from the subject's labels."""
        traits = self._traits.get(subject)
        if traits is None:
            labels = subject.labels
            places = tuple(self._place(route, labels) for route in self._tree.match(labels))
            sides = [(position, rule.equal_values(labels)) for position, rule in enumerate(self._rules)]
            sources = {side for side in sides if self._rules[side[0]].matches_source(labels)}
            targets = {side for side in sides if self._rules[side[0]].matches_target(labels)}
            traits = self._traits[subject] = Traits(
                places,
                {side: side in targets for side in sorted(sources)},
                {side: side in sources for side in sorted(targets)},
            )
        return traits

    def _place(self, route: ResolvedRoute[object], labels: Labels) -> Place:
        group_labels = route.group_labels(labels)
        identity = (route.path, frozenset(group_labels.items()))
        place = self._places.get(identity)
        if place is None:
            place = self._places[identity] = Place(identity, route, group_labels, route.group_key(labels))
        return place
