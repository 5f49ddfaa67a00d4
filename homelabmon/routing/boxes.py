"""Sets of alerts, described label by label: what the reasoning about reach is done with.

Used by :mod:`homelabmon.routing.cover` and :mod:`homelabmon.routing.reach`. May import: spec.

A box holds the alerts that meet every one of some matchers. For matchers that list values the description is exact.
A regular expression that cannot be listed is kept as it is, and applied as soon as its label's values are listed; until
then the box may hold fewer alerts than it seems to. So an empty box is surely empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from homelabmon.spec.matchers import Matcher


class Domain(NamedTuple):
    """The values a label may have.

    With a ``sample``: exactly ``values``, of which the sample is one. Without: any value but these, so far as the
    ``expressions`` match it. A missing label is the empty value.
    """

    values: frozenset[str]
    sample: str | None = None
    expressions: frozenset[Matcher] = frozenset()

    def narrowed(self, matcher: Matcher) -> Domain | None:
        """The values that the matcher lets through as well; ``None`` if there are none."""
        if self.sample is not None:
            return _listed(filter(matcher.compiled(), self.values))
        values = matcher.values
        if values is None:
            if matcher.negated() in self.expressions:
                return None
            return Domain(self.values, None, self.expressions | {matcher})
        if not matcher.positive:
            return Domain(self.values | values, None, self.expressions)
        return _listed(
            value
            for value in values - self.values
            if all(expression.compiled()(value) for expression in self.expressions)
        )


def _listed(values: Iterable[str]) -> Domain | None:
    found = frozenset(values)
    return Domain(found, min(found)) if found else None


ANY_VALUE: Final = Domain(frozenset())

Box = Mapping[str, Domain]
"""Labels to their domains; a label that is not there may have any value."""

EVERYTHING: Final[Box] = {}


def narrow(box: Box, *matchers: Matcher) -> Box | None:
    """The part of the box that meets all the matchers; ``None`` if that is surely empty."""
    narrowed = dict(box)
    for matcher in matchers:
        domain = narrowed.get(matcher.name, ANY_VALUE).narrowed(matcher)
        if domain is None:
            return None
        narrowed[matcher.name] = domain
    return narrowed
