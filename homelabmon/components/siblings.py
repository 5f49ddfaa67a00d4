"""Routes side by side with equal matchers, told apart: Alertmanager names a group by its route's matchers alone.

Two such routes, the first with ``continue``, would share the names of their groups (dispatch/route.go, Route.Key):
Alertmanager would take a notification of one for that of the other (its log of notifications goes by that name), and
the relay could not know which of the two speaks, so that a mute of one of them would not keep it silent.

Asked by whoever writes routes or names them: all of them must ask, or their routes are not the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from homelabmon.spec import names
from homelabmon.spec.matchers import Matcher, MatchOp, sort_matchers
from homelabmon.spec.routes import Route


def told_apart(routes: Sequence[Route]) -> Iterator[tuple[Route, tuple[Matcher, ...]]]:
    """The routes below one parent with their matchers, of which no two have the same.

    Of those that would, each after the first has its first matcher once more than the one before: it means the same.
    """
    seen: set[tuple[Matcher, ...]] = set()
    for route in routes:
        matchers = route.all_matchers
        while (key := sort_matchers(matchers)) in seen:
            matchers = (*matchers, matchers[0] if matchers else _any())
        seen.add(key)
        yield route, matchers


def _any() -> Matcher:
    """What every alert meets, for a route without a matcher that could be written twice."""
    return Matcher(names.LABEL_ALERTNAME, MatchOp.RE, "(?s).*")
