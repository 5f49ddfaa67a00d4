"""Makes the pages of docs/reference that follow from the code. ``python -m tests.reference`` writes them anew.

``tests/test_docs.py`` compares them, and rewrites them as well under ``make golden``.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import click

from homelabmon.cli import COMMANDS, root
from homelabmon.cli.schema import schema_text, stack_schema
from homelabmon.render.page.markdown import code, fenced, link, listed, plain, table
from homelabmon.spec import base
from tests.outside import ROOT

FOLDER: Final = ROOT / "docs" / "reference"
MADE: Final = "<!-- Made by `make golden` from {source}. Do not edit. -->"

Schema = Mapping[str, Any]


def prose(text: str) -> str:
    """A docstring in one line of Markdown: what stands between backquotes as code, the rest as it stands."""
    parts = re.split(r"`+([^`]+)`+", " ".join(text.split()))
    spaced = (
        code(part) if number % 2 else f"{part[: part[:1] == ' ']}{plain(part)}{part[len(part) - (part[-1:] == ' ') :]}"
        for number, part in enumerate(parts)
    )
    return "".join(spaced).strip()


# stack.yaml --------------------------------------------------------------------------------------------------------


def stack_page() -> str:
    """Every key of stack.yaml, section by section, in the order of the models."""
    schema = stack_schema()
    sections = _sections(schema)
    places = {name: place for place, name in sections}
    lines = [
        MADE.format(source="the models of the package"),
        "",
        "# stack.yaml",
        "",
        "Every key there is. An unknown key is an error; `homelabmon check` says which one was meant. A list is written"
        " `[a, b]` or one item a line; a duration as Prometheus writes it (`60s`, `1h30m`, `30d`); a size as Kubernetes"
        " does (`50Gi`). A secret is always a reference, never a value.",
        "",
        *_keys(schema, places),
    ]
    for place, name in sections:
        section = schema["$defs"][name]
        lines += ["", f"## {place}", "", prose(section.get("description", "")), "", *_keys(section, places)]
    return "\n".join(lines) + "\n"


def _sections(schema: Schema) -> list[tuple[str, str]]:
    """Where each definition first appears, as a path in stack.yaml, in the order of reading."""
    found: dict[str, str] = {}

    def visit(node: Schema, place: str) -> None:
        for key, value in node.get("properties", {}).items():
            for name, suffix in _references(value):
                if name not in found:
                    found[name] = f"{place}.{key}{suffix}".lstrip(".")
                    visit(schema["$defs"][name], found[name])

    visit(schema, "")
    return [(place, name) for name, place in found.items()]


def _references(node: Any, suffix: str = "") -> Iterator[tuple[str, str]]:
    """Definitions that a value may be made of, with how the path goes on to them."""
    if isinstance(node, Mapping):
        if "$ref" in node:
            yield node["$ref"].rpartition("/")[2], suffix
        for key in ("anyOf", "oneOf", "allOf"):
            for option in node.get(key, ()):
                yield from _references(option, suffix)
        yield from _references(node.get("items"), f"{suffix}[]")
        for inside in (node.get("additionalProperties"), *node.get("patternProperties", {}).values()):
            yield from _references(inside, f"{suffix}.*")
        for inside in node.get("properties", {}).values():
            yield from _references(inside, f"{suffix}.*")


def _keys(section: Schema, places: Mapping[str, str]) -> list[str]:
    required = section.get("required", ())
    rows = [
        (
            code(key),
            _type(value, places),
            "**required**" if key in required else _default(value),
            _described(value),
        )
        for key, value in section.get("properties", {}).items()
    ]
    return table(("Key", "Type", "Default", "What it is"), rows)


def _default(value: Schema) -> str:
    default = value.get("default", "")
    return "" if default in ("", [], {}) else code(_yaml(default))


def _described(value: Schema) -> str:
    text = prose(value.get("description", ""))
    examples = value.get("examples") or ()
    if value.get("pattern") in _NAMED or not examples:
        return text
    return f"{text} Example: {code(_yaml(examples[0]))}".lstrip()


def _yaml(value: Any) -> str:
    """An example in one line, with quotes only where YAML needs them."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_yaml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(_yaml(item) for item in value)}]"
    is_text = isinstance(value, str)
    ambiguous = is_text and re.fullmatch(r"[-+.\d:]+|true|false|null|yes|no|on|off", value)
    plain_text = not ambiguous and (not is_text or re.fullmatch(r"[\w./-]+( [\w./-]+)*|https?://\S+", value))
    return str(value) if is_text and plain_text else json.dumps(value, ensure_ascii=False)


_NAMED: Final = {
    base.DURATION_PATTERN: "duration",
    f"^(?=.*[1-9]){base.DURATION_PATTERN.removeprefix('^')}": "duration",
    r"^[0-9]+(\.[0-9]+)?(Ki|Mi|Gi|Ti|Pi|k|M|G|T|P)?$": "size",
    r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$": "name",
    r"^[a-z0-9]([-a-z0-9_]*[a-z0-9])?$": "name",
    r"^[a-zA-Z_][a-zA-Z0-9_]*$": "alert name",
    r"^https?://[^\s/?#]+[^\s]*$": "web address",
    r"^https?://[^\s/?#{}<>\"`^\\]+[^\s{}<>\"`^\\]*$": "web address",
}


def _type(value: Schema, places: Mapping[str, str]) -> str:
    if "$ref" in value:
        place = places[value["$ref"].rpartition("/")[2]]
        return link(code(place), f"#{_anchor(place)}")
    if "anyOf" in value and "type" not in value:
        options = [_type(option, places) for option in value["anyOf"] if option != {"type": "null"}]
        return listed(list(dict.fromkeys(options)), "or")
    if "const" in value:
        return code(value["const"])
    if "enum" in value:
        return listed([code(item) for item in value["enum"]], "or")
    if value.get("pattern") in _NAMED:
        return _NAMED[value["pattern"]]
    kind = value.get("type")
    if kind == "array":
        inside = _type(value.get("items", {}), places)
        return f"list of {inside if inside.endswith(('>', '`', ')')) else _plural(inside)}"
    if kind == "object":
        return _mapping(value, places)
    if kind in ("integer", "number"):
        return _number(value)
    if kind == "string" and "anyOf" in value:
        return "IP address"
    return {"boolean": "true or false", "string": "text"}.get(str(kind), "text or number" if kind else "anything")


def _plural(word: str) -> str:
    return "addresses".join(word.rsplit("address", 1)) if word.endswith("address") else f"{word}s"


def _mapping(value: Schema, places: Mapping[str, str]) -> str:
    keys = value.get("properties")
    if keys:
        return f"mapping of {listed([code(key) for key in keys], 'or')} to {_type(next(iter(keys.values())), places)}"
    inside = value.get("additionalProperties") or next(iter(value.get("patternProperties", {}).values()), None)
    return f"mapping of names to {_type(inside, places)}" if isinstance(inside, Mapping) else "mapping"


def _number(value: Schema) -> str:
    least, most = value.get("minimum"), value.get("maximum")
    if least is not None and most is not None:
        return f"number, {least:g} to {most:g}"
    return f"number, at least {least:g}" if least is not None else "number"


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


# The command line --------------------------------------------------------------------------------------------------


def cli_page() -> str:
    """The help of every command, as it prints it."""
    rows = [(link(code(f"homelabmon {name}"), f"#homelabmon-{name}"), plain(text)) for name, text in COMMANDS.items()]
    lines = [
        MADE.format(source="the commands' own help"),
        "",
        "# Commands",
        "",
        *table(("Command", "Does"), rows),
        "",
        "Exit codes are the same for all of them: " + link("exit codes", "exit-codes.md") + ".",
        "",
        "## homelabmon",
        "",
        *fenced("text", _help(root, "homelabmon")),
    ]
    for name in COMMANDS:
        command = root.get_command(click.Context(root), name)
        assert command is not None
        lines += ["", f"## homelabmon {name}", "", *fenced("text", _help(command, f"homelabmon {name}"))]
    return "\n".join(lines) + "\n"


def _help(command: click.Command, name: str) -> str:
    context = click.Context(command, info_name=name, terminal_width=100, max_content_width=100, **root.context_settings)
    return "\n".join(line.rstrip() for line in command.get_help(context).splitlines())


# The layout --------------------------------------------------------------------------------------------------------

_PARTS: Final = (
    *("errors", "spec", "source", "routing", "components", "notifiers", "stack", "load", "checks", "render"),
    *("gitops", "journey", "simulation", "cli", "relay"),
)
"""The parts of the package in the order in which one may use another."""


def layout_page() -> str:
    """Every module with the first line of its docstring, part by part."""
    package = ROOT / "homelabmon"
    lines = [
        MADE.format(source="the modules' own first lines"),
        "",
        "# Layout",
        "",
        "Every module and what it is for. Imports run one way, from a part to those named before it;"
        " `tests/test_layering.py` holds that. How the parts work together: [decisions](../decisions), and"
        " [CONTRIBUTING](../../.github/CONTRIBUTING.md) for adding a component, a check or a command.",
        "",
        *_modules([*sorted(package.glob("*.py"), key=_by_part)], package),
    ]
    for part in _PARTS:
        folder = package / part
        if not folder.is_dir():
            continue
        files = [path for path in sorted(folder.rglob("*.py")) if path != folder / "__init__.py"]
        if not files:
            continue
        about = _docstring(folder / "__init__.py")
        lines += ["", f"## {part}", "", *([about, ""] if about else []), *_modules(files, package)]
    return "\n".join(lines) + "\n"


def _by_part(path: Path) -> tuple[int, str]:
    return (_PARTS.index(path.stem) if path.stem in _PARTS else -1, path.stem)


def _modules(files: list[Path], package: Path) -> list[str]:
    rows = [(code(path.relative_to(package).as_posix()), about) for path in files if (about := _docstring(path))]
    return table(("Module", "What it is for"), rows)


def _docstring(path: Path) -> str:
    """The first paragraph of a module's docstring, as Markdown."""
    if not path.is_file():
        return ""
    text = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").partition("\n\n")[0]
    return prose(re.sub(r":\w+:`~?([^`]+)`", r"`\1`", text))


PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "stack.md": stack_page,
    "cli.md": cli_page,
    "layout.md": layout_page,
    "stack.schema.json": schema_text,
}


def write() -> None:
    """Writes every page."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, make in PAGES.items():
        (FOLDER / name).write_text(make(), encoding="utf-8")


if __name__ == "__main__":
    write()
