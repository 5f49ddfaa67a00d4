"""The JSON Schema takes what ``load`` takes, and refuses the mistakes people make."""

from __future__ import annotations

import copy
import json
import os
import random
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from homelabmon.cli import run
from homelabmon.cli.schema import schema_text, stack_schema
from homelabmon.load import read_source
from homelabmon.source import Source, parse
from tests.stacks_common import GOLDEN, MINIMAL, ROOT

SCHEMA = json.loads(schema_text())
VALIDATOR = jsonschema_rs.validator_for(SCHEMA, validate_formats=True)
Place = tuple[str | int, ...]


def accepted(**sections: Any) -> bool:
    return VALIDATOR.is_valid({**MINIMAL, **sections})


def loads(data: dict[str, Any]) -> bool:
    return not read_source(Source("stack.yaml", data, {}, {})).findings


def data_of(path: Path) -> dict[str, Any]:
    data: dict[str, Any] = parse(path.read_bytes(), path.name).data
    return data


STACKS = sorted(GOLDEN.glob("*/stack.yaml"))


@pytest.mark.parametrize("path", [*STACKS, ROOT / "stack.yaml"], ids=lambda path: path.parent.name)
def test_every_example_stack_validates(path: Path) -> None:
    if not path.exists():
        pytest.skip(f"{path.name} is not there")
    assert [error.message for error in VALIDATOR.iter_errors(data_of(path))] == []


SHORT_FORMS: dict[str, dict[str, Any]] = {
    "one hold": {"defaults": {"channel": "ops", "hold": "60s"}},
    "no hold": {"defaults": {"channel": "ops", "hold": 0}},
    "a hold by severity": {"defaults": {"channel": "ops", "hold": {"default": "1h30m", "critical": 0}}},
    "one value": {"routes": [{"name": "a", "match": {"alertname": "NodeDown"}}]},
    "a number": {"routes": [{"name": "a", "match": {"port": 80}}]},
    "several values": {"routes": [{"name": "a", "match": {"alertname": ["NodeDown", 1]}}]},
    "a version alone": {"charts": {"loki": "18.11.0"}},
    "a version with an address": {"charts": {"loki": {"version": "18.11.0", "url": "oci://ghcr.io/x/loki"}}},
    "one status": {"probes": [{"name": "a", "url": "https://example.net", "expect": {"status": 401}}]},
    "several statuses": {"probes": [{"name": "a", "url": "https://example.net", "expect": {"status": [200, 401]}}]},
    "one channel": {"tests": [{"alert": {"alertname": "A"}, "channel": "ops"}]},
    "several channels": {"tests": [{"alert": {"alertname": "A"}, "channel": ["ops"]}]},
    "a section with defaults": {"components": {"loki": {}}},
    "a local time": {"maintenance": [{"name": "a", "start": "2026-12-01T20:00", "end": "2026-12-02 01:00:00"}]},
    "an address of the sixth version": {"lb_ips": {"loki": "fd00::1"}},
}


@pytest.mark.parametrize("form", SHORT_FORMS)
def test_short_forms_are_taken_as_load_takes_them(form: str) -> None:
    assert loads({**MINIMAL, **SHORT_FORMS[form]})
    assert accepted(**SHORT_FORMS[form])


OPS = MINIMAL["channels"]["ops"]
MISTAKES: dict[str, dict[str, Any]] = {
    "an unknown section": {"chanels": {}},
    "an unknown key inside a section": {"cluster": {"distribution": "k3s", "node": 3}},
    "an unknown component": {"components": {"tempo": {}}},
    "a component without a value": {"components": {"loki": None}},
    "an unknown distribution": {"cluster": {"distribution": "minikube"}},
    "a duration without a unit": {"defaults": {"channel": "ops", "hold": 60}},
    "a duration in words": {"defaults": {"channel": "ops", "hold": "1 minute"}},
    "an empty duration": {"defaults": {"channel": "ops", "hold": ""}},
    "a retention of nothing": {"components": {"prometheus": {"retention": "0s"}}},
    "a size in words": {"components": {"prometheus": {"storage": "50 gigs"}}},
    "a webhook in plain sight": {"channels": {"ops": {"discord": {"webhook": "https://example.net/hook"}}}},
    "a channel without a webhook": {"channels": {"ops": {"discord": {}}}},
    "a channel's name with blanks": {"channels": {"My Ops": OPS}},
    "no channel at all": {"channels": {}},
    "defaults without a channel": {"defaults": {}},
    "an address that is none": {"lb_ips": {"grafana": "192.168.1.300"}},
    "an address for nobody": {"lb_ips": {"tempo": "192.168.1.229"}},
    "an unknown severity in a mention": {"channels": {"ops": {**OPS, "mention": {"high": "here"}}}},
    "an unknown severity in a hold": {"defaults": {"channel": "ops", "hold": {"high": "1m"}}},
    "a route without a name": {"routes": [{"channel": "ops"}]},
    "a version with a blank": {"charts": {"loki": "18.11"}},
    "a status beyond any": {"probes": [{"name": "a", "url": "https://example.net", "expect": {"status": 999}}]},
    "a web address without a scheme": {"probes": [{"name": "a", "url": "example.net"}]},
    "a time with an offset": {"maintenance": [{"name": "a", "start": "2026-12-01T20:00Z", "end": "2026-12-02T20:00Z"}]},
    "another format": {"apiVersion": "homelabmon/v2"},
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_refused_as_load_refuses_them(mistake: str) -> None:
    assert not loads({**MINIMAL, **MISTAKES[mistake]})
    assert not accepted(**MISTAKES[mistake])


@pytest.mark.parametrize("key", ["apiVersion", "name", "cluster", "components", "channels", "defaults"])
def test_required_sections_are_missed(key: str) -> None:
    assert not VALIDATOR.is_valid({name: value for name, value in MINIMAL.items() if name != key})


# Against load, at random -------------------------------------------------------------------------------------------

VALUES: tuple[Any, ...] = (
    *(0, 1, 3, -1, 100, 200, 0.5, "", "x", "X Y", "60s", "5m", "0s", "1h30m", "30m1h", "1w2d", "a-b", "a_b", "ABC"),
    *("10.0.0.1", "fe80::1", "300.1.1.1", "http://x.example/", "ftp://x", "50Gi", "1.5Ti", "88.5.3", "v1.2.3"),
    *("2026-12-01", "2026-12-01T20:00", "2026-12-01T20:00Z", "03:00", "24:00", "3:00", "role:12", "everyone", "/x"),
    *(
        "oci://x/y",
        "warning",
        "none",
        "error",
        "critical",
        "1.1.1.1:443",
        "./rendered",
        None,
        [],
        {},
        ["a"],
        ["a", "b"],
    ),
    *([1], [200, 404], [{}], ["..."], {"a": "b"}, {"a": ["b", "c"]}, {"a": 1}, {"default": "5m"}, {"critical": 0}),
    *({"critical": "5m", "x": "y"}, {"secret": "a", "key": "b"}, {"version": "1.2.3"}, {"name": "a"}, [{"name": "a"}]),
)
"""Without what pydantic makes a number or a truth value from ("1", 1.0, "yes"): the schema asks for the plain form."""


def places(node: Any, at: Place = ()) -> Iterator[Place]:
    yield at
    if isinstance(node, dict):
        for key, item in node.items():
            yield from places(item, (*at, key))
    elif isinstance(node, list):
        for index, item in enumerate(node):
            yield from places(item, (*at, index))


def changed(data: dict[str, Any], place: Place, rng: random.Random) -> dict[str, Any]:
    """The data with another value at the place, or without it."""
    data = copy.deepcopy(data)
    parent: Any = data
    for part in place[:-1]:
        parent = parent[part]
    if rng.random() < 0.1:
        del parent[place[-1]]
    else:
        parent[place[-1]] = copy.deepcopy(rng.choice(VALUES))
    return data


def test_schema_takes_whatever_load_takes() -> None:
    rng = random.Random(7)
    data = data_of(GOLDEN / "everything" / "stack.yaml")
    # A matcher is a text in a notation of its own, which no schema knows.
    every = [place for place in places(data) if place and "matchers" not in place]
    wrong = []
    for _ in range(1500):
        place = rng.choice(every)
        other = changed(data, place, rng)
        if not VALIDATOR.is_valid(other) and loads(other) and not _coerced(other, place):
            wrong.append((place, [error.message for error in VALIDATOR.iter_errors(other)]))
    assert wrong == []


def _coerced(data: Any, place: Place) -> bool:
    """Whether the value is a number where a truth value belongs: pydantic takes 0 and 1 for one."""
    for part in place:
        data = data[part]
    return data in (0, 1)


# Its form ----------------------------------------------------------------------------------------------------------


def objects(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from objects(value)
    elif isinstance(node, list):
        for value in node:
            yield from objects(value)


def test_schema_is_a_valid_schema_with_a_name_of_its_own() -> None:
    jsonschema_rs.meta.validate(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert (SCHEMA["$id"], SCHEMA["title"]) == ("urn:homelabmon:v1:stack", "stack.yaml of homelabmon")


def test_every_section_is_closed() -> None:
    sections = [node for node in objects(SCHEMA) if isinstance(node.get("properties"), dict) and "type" in node]
    assert len(sections) > 50
    assert [node for node in sections if node.get("additionalProperties") is not False] == []


def test_defaults_are_written_as_people_write_them() -> None:
    assert SCHEMA["$defs"]["LokiConfig"]["properties"]["retention"]["default"] == "14d"
    assert SCHEMA["$defs"]["Defaults"]["properties"]["hold"]["default"] == {"default": "1m", "critical": "0s"}
    text = json.dumps(SCHEMA)
    assert not re.search(r'"default": ("P[T\d]|null|\d+\.0\b)', text)


def test_every_default_is_one_that_the_schema_takes() -> None:
    for node in objects(SCHEMA):
        if "default" in node and ("type" in node or "anyOf" in node):
            rest = {key: value for key, value in node.items() if key != "default"}
            validator = jsonschema_rs.validator_for({"$defs": SCHEMA["$defs"], **rest})
            assert validator.is_valid(node["default"]), node


def test_sections_have_no_titles_made_from_class_names() -> None:
    assert [name for name, section in SCHEMA["$defs"].items() if "title" in section] == []


def test_keys_of_a_fixed_set_are_offered_one_by_one() -> None:
    assert list(SCHEMA["properties"]["lb_ips"]["properties"])[:2] == ["grafana", "prometheus"]


def test_schema_is_the_same_in_another_process_with_other_hashes() -> None:
    script = "import sys; from homelabmon.cli.schema import schema_text; sys.stdout.write(schema_text())"
    result = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONHASHSEED": "1", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout == schema_text()


# The command -------------------------------------------------------------------------------------------------------


def test_command_prints_the_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema"]) == 0
    assert json.loads(capsys.readouterr().out) == stack_schema()


def test_command_writes_a_file_and_says_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema", "--output", str(tmp_path / "s.json")]) == 0
    assert capsys.readouterr() == ("", "")
    assert (tmp_path / "s.json").read_text() == schema_text()


def test_file_that_cannot_be_written_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "missing" / "s.json"
    assert run(["schema", "--output", str(target)]) == 2
    assert capsys.readouterr().err == f"error: {target}: cannot be written: No such file or directory\n"
