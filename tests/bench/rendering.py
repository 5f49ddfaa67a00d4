"""`render` and `check` of the example, beside makejinja on the same templates; and how the cost grows with size.

makejinja gets our own templates, each with the values that our components give it, and for every other file that we
render one of the same text. It is timed twice: bare, where it neither types nor merges nor validates anything, and with
a plugin that reads stack.yaml into typed models first, as the homelab template that made makejinja known does.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from homelabmon.load import load
from homelabmon.render.fold import fold
from homelabmon.render.plan import make_plan
from homelabmon.render.templates import Templates
from homelabmon.render.yaml_io import dump
from homelabmon.spec.contribution import Template
from tests.bench.harness import Case, Command
from tests.stacks_common import EVERYTHING, EXAMPLE, MINIMAL

BIN = Path(sys.executable).parent
SMALL, LARGE = 1_000, 10_000
FILTERS = """
import json as codec
import yaml

class Plugin:
    def __init__(self, *, data, config):
        pass

    def data(self):
        with open("parameters.json") as file:
            return {"parameters": codec.load(file)}

    def filters(self):
        return [json, duration, go_duration, promql, indent_yaml]

def json(value):
    return codec.dumps(value, ensure_ascii=False)

def duration(value):
    return f"{int(value)}s"

def go_duration(value):
    return f"{int(value)}s"

def promql(value):
    return value.replace("\\\\", "\\\\\\\\").replace('"', '\\\\"')

def indent_yaml(value, columns):
    return yaml.dump(value, Dumper=yaml.CSafeDumper).replace("\\n", "\\n" + " " * columns)
"""
TYPED = FILTERS.replace(
    "        pass", "        from pathlib import Path; from homelabmon.load import load; load(Path('stack.yaml'))"
)
SETTINGS = """
[makejinja]
inputs = ["./templates"]
output = "./out"
quiet = true
jinja_suffix = ".j2"
plugins = ["plugin:Plugin"]
[makejinja.delimiter]
block_start = "<%"
block_end = "%>"
comment_start = "<#"
comment_end = "#>"
variable_start = "<<"
variable_end = ">>"
"""


def cases(scratch: Path) -> list[Case]:
    """``scratch`` is an empty folder of this run's own."""
    out, cache, peer = scratch / "rendered", scratch / "cache", scratch / "makejinja"
    own = {"HOMELABMON_CACHE": str(cache)}
    render = (str(BIN / "homelabmon"), "render", "--quiet", "--stack", str(EXAMPLE), "--out", str(out))
    typed = scratch / "makejinja-typed"
    makejinja = (
        Command("makejinja, our templates, typed input", (str(BIN / "makejinja"),), cwd=typed),
        Command("makejinja, our templates, nothing checked", (str(BIN / "makejinja"),), cwd=peer),
    )
    _makejinja_tree(peer, FILTERS)
    _makejinja_tree(typed, TYPED)
    fresh = scratch / "fresh"
    current = Command("render --check", (*render, "--check"), env=own)
    check = (str(BIN / "homelabmon"), "check", "--stack", str(EXAMPLE))
    return [
        Case(
            "render",
            ours=Command("homelabmon render, nothing there yet", render, env=own),
            peers=makejinja,
            prepare=partial(_remove, out, peer / "out", typed / "out"),
        ),
        Case(
            "render-first",
            ours=Command("homelabmon render, no compiled templates", render, env={"HOMELABMON_CACHE": str(fresh)}),
            peers=makejinja,
            prepare=partial(_remove, out, fresh, peer / "out", typed / "out"),
        ),
        Case("render-check", ours=current, prepare=partial(_ensure, render, own)),
        Case("check", ours=Command("homelabmon check", check, env=own, exits=frozenset({0, 1}))),
        _growth("routes", scratch, own),
        _growth("rules", scratch, own),
        _growth("heartbeats", scratch, own),
        _growth("all", scratch, own),
    ]


def _ensure(render: tuple[str, ...], env: dict[str, str]) -> None:
    from tests.bench.harness import _run

    _run(Command("render", render, env=env))


def _remove(*paths: Path) -> None:
    for path in paths:
        shutil.rmtree(path, ignore_errors=True)


class _Recorder(Templates):
    """Renders as ever, and notes every template with what it was given (but those that are given functions)."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Template] = []

    def text(self, template: Template) -> str:
        if not any(callable(value) and not isinstance(value, BaseModel) for value in template.params.values()):
            self.seen.append(template)
        return super().text(template)


def _makejinja_tree(folder: Path, plugin: str) -> None:
    recorder = _Recorder()
    fold(load(EXAMPLE), recorder)
    parameters: dict[str, Any] = {}
    for number, template in enumerate(recorder.seen):
        values = {name: _data(value) for name, value in template.params.items()}
        parameters[str(number)] = values
        head = "".join(f'<% set {name} = parameters["{number}"]["{name}"] %>\n' for name in values)
        _put(folder / "templates" / str(number) / template.path, head + (recorder.shipped / template.path).read_text())
    others = sorted(make_plan(load(EXAMPLE)).files.items())[len(recorder.seen) :]
    for path, text in others:
        _put(folder / "templates" / f"{path}.j2", f"<% raw %>{text}<% endraw %>")
    _put(folder / "parameters.json", json.dumps(parameters))
    _put(folder / "plugin.py", plugin)
    _put(folder / "makejinja.toml", SETTINGS)
    shutil.copy(EXAMPLE, folder / "stack.yaml")


def _put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _data(value: Any) -> Any:
    """A parameter as JSON can hold it; durations in seconds."""
    if isinstance(value, BaseModel):
        whole = {name: _data(getattr(value, name)) for name in type(value).model_fields}
        return {**whole, **({"reference": value.reference} if hasattr(value, "reference") else {})}
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): _data(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_data(item) for item in value]
    return value


def _growth(section: str, scratch: Path, env: dict[str, str]) -> Case:
    """A stack with 1,000 of something, and with 10,000 as the peer: the ratio says how the cost grows."""
    commands = []
    for count in (SMALL, LARGE):
        folder = scratch / f"{section}-{count}"
        folder.mkdir()
        (folder / "stack.yaml").write_text(dump(large_stack(section, count)))
        argv = (str(BIN / "homelabmon"), "render", "--quiet", "--stack", str(folder / "stack.yaml"))
        commands.append(Command(f"render, {count:,} {section}", argv, env=env))
    out = [scratch / f"{section}-{count}" / "rendered" for count in (SMALL, LARGE)]
    return Case(f"growth-{section}", ours=commands[0], peers=(commands[1],), prepare=partial(_remove, *out))


def large_stack(section: str, count: int) -> dict[str, Any]:
    """The smallest stack with all components and ``count`` routes, rules, heartbeats, or all of them."""
    many: dict[str, Any] = {
        "routes": {
            "routes": [
                {"name": f"route-{n}", "channel": "ops", "match": {"namespace": f"ns-{n}", "app": f"app-{n}"}}
                for n in range(count)
            ]
        },
        "rules": {
            "alerts": [
                {
                    "alert": f"Alert{n}",
                    "expr": f'sum by (namespace) (rate(metric_{n}{{job="app-{n}"}}[5m])) > {n}',
                    "summary": f"Alert {n} in {{{{ $labels.namespace }}}}",
                }
                for n in range(count)
            ]
        },
        "heartbeats": {
            "heartbeats": [
                {"name": f"beat-{n}", "schedule": f"{n % 60} {n % 24} * * *", "grace": "1h"} for n in range(count)
            ],
            "outpost": {"url": "https://status.example.net"},
        },
    }
    wanted = many.values() if section == "all" else [many[section]]
    return {**MINIMAL, "components": EVERYTHING, **{key: value for part in wanted for key, value in part.items()}}
