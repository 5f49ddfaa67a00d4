"""What silences what: who falls when whom falls, and the inhibit rules that Alertmanager runs with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from homelabmon.render.fold import Folded
from homelabmon.render.graph import graph
from homelabmon.render.page import words
from homelabmon.render.page.markdown import blocks, code, fenced, listed, plain, table
from homelabmon.spec import names
from homelabmon.spec.matchers import parse_matcher
from homelabmon.spec.routes import Dependency, matchers_of
from homelabmon.stack import Stack

_CONFIG = "alertmanager/alertmanager.yaml"


def blast_radius(stack: Stack, folded: Folded) -> list[str]:
    """For each thing: what it stands on, and everything that falls with it."""
    things = stack.depends_on
    rows = [
        (
            plain(name),
            plain(thing.description),
            listed([plain(below) for below in thing.on]) or "nothing",
            listed([plain(above) for above in falling(name, things)]) or "nothing",
            _told_by(thing),
        )
        for name, thing in things.items()
    ]
    head = ("Thing", "What it is", "Stands on", "When it falls, these fall", "Its fall is told by")
    drawn = any(thing.on for thing in things.values())
    return blocks(
        table(head, rows),
        fenced("mermaid", graph(stack, folded, view="depends")) if drawn else (),
        ["A line leads from what falls to what falls with it."] if drawn else (),
    )


def falling(name: str, things: Mapping[str, Dependency]) -> list[str]:
    """Everything that falls when ``name`` falls, nearest first; itself never, even in a circle."""
    found: dict[str, None] = {}
    queue = [name]
    while queue:
        below = queue.pop(0)
        for above, thing in things.items():
            if below in thing.on and above != name and above not in found:
                found[above] = None
                queue.append(above)
    return list(found)


def _told_by(thing: Dependency) -> str:
    if thing.down:
        return words.matchers(matchers_of(thing.down))
    if thing.match:
        return words.matchers(matchers_of({**thing.match, names.LABEL_SEVERITY: ("critical",)}))
    return "no alert"


def inhibition(stack: Stack, folded: Folded) -> list[str]:  # noqa: ARG001 - sections are alike
    """The inhibit rules, as they stand in Alertmanager's configuration."""
    config = folded.files.get(_CONFIG)
    rules = config.get("inhibit_rules", ()) if isinstance(config, dict) else ()
    rows = [
        (
            _in_words(rule.get("source_matchers", ())),
            _in_words(rule.get("target_matchers", ())),
            ", ".join(code(label) for label in rule.get("equal", ())) or "anywhere",
        )
        for rule in rules
    ]
    head = ("While this fires", "this is not told", "where these agree")
    return (
        blocks(["What Alertmanager keeps quiet, as something else already says why:"], table(head, rows))
        if rows
        else []
    )


def _in_words(texts: Iterable[str]) -> str:
    return words.matchers(parse_matcher(text) for text in texts) or "any alert"
