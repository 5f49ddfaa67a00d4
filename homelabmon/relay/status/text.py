"""Plain text: the page for a terminal. Pure. May import: its neighbours model, words, telling."""

from __future__ import annotations

from collections.abc import Iterator

from homelabmon.relay.status import words
from homelabmon.relay.status.model import Incident, Page
from homelabmon.relay.status.telling import gap_in_words, long_gaps


def text(page: Page) -> str:
    """``status.txt``."""
    whole = "\n".join(_lines(page)) + "\n"
    return "".join(char if char.isprintable() or char == "\n" else "\ufffd" for char in whole)


def _lines(page: Page) -> Iterator[str]:
    yield page.title
    yield f"{words.SHAPES[page.state]} {words.headline(page)}"
    yield words.freshness(page)
    yield from (gap_in_words(gap) for gap in long_gaps(page) if gap.ended is None)
    for incident in page.open_incidents:
        yield ""
        yield from _incident(page, incident)
    for one in page.maintenance:
        if one.phase != "completed":
            yield ""
            yield f"Maintenance, {words.PHASE_WORDS[one.phase].lower()}: {one.title}"
            yield f"  {words.window(one)}"
    width = max((len(component.title) for component in page.components), default=0)
    for group in page.groups:
        yield ""
        yield group.name
        for component in group.components:
            said = f"{words.SHAPES[component.state]} {words.STATE_WORDS[component.state]}"
            yield f"  {component.title:<{width}}  {said:<16}  {words.share(component.uptime):>8}"


def _incident(page: Page, incident: Incident) -> Iterator[str]:
    yield f"Incident, {words.STEP_WORDS[incident.status].lower()}: {incident.title}"
    affected = [component.title for component in words.affected(page, incident.components)]
    if affected:
        yield f"  Affects {words.listed(affected)}"
    for update in incident.updates:
        yield f"  {words.clock(update.at)}, {words.STEP_WORDS[update.status].lower()}:"
        yield from (f"    {line}" for line in update.body.splitlines())
