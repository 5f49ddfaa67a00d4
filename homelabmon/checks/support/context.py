"""What a check sees: the stack, the file it was read from, and the answers that several checks need, worked out once.

May import: source, stack, components, routing, spec. Everything is worked out on demand, as most stacks need little.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

from homelabmon.checks.support.alerts import KnownAlerts, known_alerts
from homelabmon.checks.support.pools import Block, read_entry
from homelabmon.checks.support.promql import Parsed, parse
from homelabmon.checks.support.routes import Pointless, RoutePlace, pointless_routes, route_places
from homelabmon.checks.support.suggester import Suggester
from homelabmon.source import Source
from homelabmon.spec.contribution import Site
from homelabmon.spec.findings import Path
from homelabmon.spec.watch import Alert
from homelabmon.stack import Stack, site_of


def _unchanged(path: Path) -> Path:
    return path


class Context:
    """``partial``: parts of the file did not fit the schema and are missing from the stack.

    ``original`` maps a path of a partial stack to the same place in the file.
    """

    def __init__(
        self,
        stack: Stack,
        source: Source | None = None,
        partial: bool = False,
        original: Callable[[Path], Path] = _unchanged,
    ) -> None:
        self.stack = stack
        self.source = source
        self.partial = partial
        self.original = original
        self.suggester = Suggester()

    # The file -----------------------------------------------------------------------------------------------

    @property
    def data(self) -> dict[str, Any]:
        """The file as plain data; empty when the stack came from somewhere else."""
        return self.source.data if self.source is not None else {}

    def written(self, path: Path) -> Path:
        """A path of the stack as it stands in the file: without what the file does not have, a lone value's index."""
        here: Any = self.data
        if not here:
            return path
        found: list[str | int] = []
        for part in self.original(path):
            if not isinstance(here, (dict, list)):
                break
            found.append(part)
            if not _has(here, part):
                break
            here = here[part]  # type: ignore[index]
        return tuple(found)

    def says(self, *path: str | int) -> bool:
        """Whether the file has this place, or something else stands above it that did not fit the schema."""
        here: Any = self.data
        for part in path:
            if not isinstance(here, (dict, list)):
                return self.partial
            if not _has(here, part):
                return False
            here = here[part]  # type: ignore[index]
        return True

    # Names --------------------------------------------------------------------------------------------------

    def known(self, section: str) -> frozenset[str]:
        """The names that a section defines, those included that did not fit the schema: nobody is accused for them."""
        if section not in self._known:
            self._known[section] = frozenset(self._names(section))
        return self._known[section]

    @cached_property
    def _known(self) -> dict[str, frozenset[str]]:
        return {}

    def _names(self, section: str) -> Iterator[str]:
        given = getattr(self.stack, section)
        yield from given if isinstance(given, Mapping) else _named(given)
        if self.partial:
            written = self.data.get(section)
            yield from filter(_is_text, written) if isinstance(written, dict) else _named_in_data(written)

    def guess(self, word: str, known: Collection[str], otherwise: str) -> str:
        """``did you mean 'x'?``, or ``otherwise`` and the known names."""
        return self.suggester.suggest(word, known, otherwise)

    def likely(self, word: str, known: Collection[str]) -> str:
        """``did you mean 'x'?``, or nothing."""
        guess = self.guess(word, known, "")
        return guess if guess.startswith("did you mean") else ""

    # Components, routes, alerts --------------------------------------------------------------------------------

    @cached_property
    def site(self) -> Site:
        """What components see, offers included."""
        return site_of(self.stack)

    @cached_property
    def pool(self) -> tuple[Block, ...]:
        """The address pool's entries, as far as they can be read."""
        found = (read_entry(entry) for entry in self.stack.cluster.load_balancer.pool)
        blocks = (entry if isinstance(entry, Block) else entry.block for entry in found)
        return tuple(block for block in blocks if block is not None)

    def offers(self, capability: str) -> bool:
        """Whether an installed component offers it."""
        return self.site.offer(capability) is not None

    @cached_property
    def routes(self) -> tuple[RoutePlace, ...]:
        """Every route, each before those inside it, with what it inherits."""
        return tuple(route_places(self.stack))

    @cached_property
    def pointless(self) -> tuple[Pointless, ...]:
        """Routes that never match or change nothing."""
        return tuple(pointless_routes(self.stack, self.site))

    @cached_property
    def alerts(self) -> KnownAlerts:
        """Every alert that rules define."""
        return known_alerts(
            self.stack, self.site, frozenset(_alerts_in_data(self.data)) if self.partial else frozenset()
        )

    @cached_property
    def own_alerts(self) -> tuple[tuple[int, Alert, Parsed], ...]:
        """The owner's alerts, each with its number and its parsed expression."""
        return tuple((number, alert, parse(alert.expr)) for number, alert in enumerate(self.stack.alerts))


def _has(container: dict[str, Any] | list[Any], part: str | int) -> bool:
    if isinstance(container, dict):
        return part in container
    return isinstance(part, int) and part < len(container)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _named(items: Iterable[Any]) -> Iterator[str]:
    for item in items:
        yield item.name
        yield from _named(getattr(item, "routes", ()) if hasattr(item, "all_matchers") else ())


def _named_in_data(items: object) -> Iterator[str]:
    for item in items if isinstance(items, list) else ():
        if isinstance(item, dict):
            if isinstance(item.get("name"), str):
                yield item["name"]
            inner = item.get("routes")
            if isinstance(inner, list) and any(isinstance(child, dict) for child in inner):
                yield from _named_in_data(inner)


def _alerts_in_data(data: Mapping[str, Any]) -> Iterator[str]:
    for item in data.get("alerts") or () if isinstance(data.get("alerts"), list) else ():
        if isinstance(item, dict) and isinstance(item.get("alert"), str):
            yield item["alert"]
