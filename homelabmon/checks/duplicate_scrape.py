"""duplicate-scrape: two entries scrape the same thing, so that everything about it is there twice."""

from __future__ import annotations

from collections.abc import Iterator

from homelabmon.checks.support.check import Check, Problem
from homelabmon.checks.support.context import Context
from homelabmon.spec.findings import Path, Severity, format_path
from homelabmon.spec.watch import Scrape


def _find(context: Context) -> Iterator[Problem]:
    seen: dict[tuple[object, ...], tuple[Path, str]] = {}
    for number, scrape in enumerate(context.stack.scrape):
        for way, what, where in _asked(scrape):
            path: Path = ("scrape", number, *way)
            first, name = seen.setdefault((*where, scrape.path), (path, scrape.name))
            if name != scrape.name:
                message = f"{what}{scrape.path} is scraped as {name!r} already ({format_path(first)})"
                fix = "remove one of them: each series would be stored twice, and what it alerts about told twice"
                yield Problem(path, message, fix)


def _asked(scrape: Scrape) -> Iterator[tuple[Path, str, tuple[object, ...]]]:
    """What an entry asks: where that is written, what to call it, and what makes it the same as another."""
    for index, target in enumerate(scrape.targets):
        shown = f"{scrape.scheme}://{target}"
        yield ("targets", index), shown, (shown.lower(),)
    for way, pods in (("service", scrape.service), ("pods", scrape.pods)):
        if pods is not None:
            labels = ",".join(f"{key}={value}" for key, value in sorted(pods.match_labels.items()))
            shown = f"{pods.namespace}/{{{labels}}}:{pods.port}"
            yield (way,), shown, (way, shown)


CHECK = Check("duplicate-scrape", Severity.WARNING, "Two entries scrape the same thing.", _find)
