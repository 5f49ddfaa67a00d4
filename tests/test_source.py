"""Reading YAML strictly: every refusal has its place, and what is accepted means what YAML 1.2 says."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from homelabmon.errors import InputError
from homelabmon.source import MAX_BYTES, Source, parse, resolve, walk
from homelabmon.spec.findings import Position


def lines(raw: str | bytes) -> list[str]:
    """The findings for a text, as a user reads them."""
    with pytest.raises(InputError) as caught:
        parse(raw.encode() if isinstance(raw, str) else raw, "stack.yaml")
    return [finding.render() for finding in caught.value.findings]


TOP = "a stack is a mapping that starts with `apiVersion: homelabmon/v1`; `homelabmon init` writes one"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("", [f"stack.yaml:1:1: the file is empty; {TOP}"]),
        ("# only a comment\n", [f"stack.yaml:1:1: the file is empty; {TOP}"]),
        ("- a\n", [f"stack.yaml:1:1: the file is a list at the top; {TOP}"]),
        ("hello", [f"stack.yaml:1:1: the file is a text at the top; {TOP}"]),
        (
            "a:\n\tb: 1",
            ["stack.yaml:2:1: a tab is used for indentation; use spaces: YAML does not allow tabs here"],
        ),
        (
            "a: 1\nb: 2\na: 3",
            ["stack.yaml:3:1: the key 'a' stands twice (first in line 1); keep one of them"],
        ),
        ("a: 1\n---\nb: 2", ["stack.yaml:2:1: a second document starts here; remove `---`"]),
        (b"a: 1\nb: \xff", ["stack.yaml:2:4: the file is not UTF-8: byte 0xff; save it as UTF-8"]),
        (b"a: 1\nb: \x00", ["stack.yaml:2:4: control character '\\x00' is not allowed in YAML; remove it"]),
        ("a: !!python/object x", ["stack.yaml:1:4: tag tag:yaml.org,2002:python/object is not supported; remove it"]),
        (
            "? [a]\n: 1",
            [
                "stack.yaml:1:3: a key is a list or a mapping; "
                "keys are texts; a text that begins with { or [ stands in quotes"
            ],
        ),
        (
            "summary: hello: world",
            ["stack.yaml:1:15: a colon followed by a space stands inside an unquoted text; put the text in quotes"],
        ),
        (
            'name: x\nnodes: "3\nflux: 1\n',
            ['stack.yaml:2:8: a " is opened here and never closed; close the quote with another "'],
        ),
        (
            "cluster: {nodes: 3\nname: x\nflux: {}\n",
            [
                "stack.yaml:1:10: the { that is opened here is not closed, or a comma is missing before line 2; "
                "write the }, or the comma"
            ],
        ),
        (
            "name: x\nnodes\nflux: 1\n",
            ["stack.yaml:2:1: the line 'nodes' has no colon; write `key: value`, or remove the line"],
        ),
        (
            "cluster:\n   nodes: 3\n  flux: {}\n",
            [
                "stack.yaml:3:3: this line is indented neither like those before it nor deeper than its parent; "
                "indent the keys of one mapping, and the dashes of one list, by the same number of spaces"
            ],
        ),
        (
            "apiVersion:homelabmon/v1\nname:x\n",
            [
                "stack.yaml:1:1: the file is one long text: there is no blank after the colons; "
                "write `apiVersion: homelabmon/v1`"
            ],
        ),
        (
            "<!DOCTYPE html>\n<html></html>\n",
            ["stack.yaml:1:1: the file is a web page; download the file itself (the raw view), not its page"],
        ),
        (
            "name: x\n<<<<<<< HEAD\nnodes: 3\n=======\nnodes: 4\n>>>>>>> theirs\n",
            [
                f"stack.yaml:{line}:1: Git could not merge here: {marker!r}; "
                "take what is right of both sides, and remove the marker"
                for line, marker in ((2, "<<<<<<< HEAD"), (4, "======="), (6, ">>>>>>> theirs"))
            ],
        ),
        (
            'name: "home" lab',
            ["stack.yaml:1:14: a text goes on after its closing quote; put the whole text in one pair of quotes"],
        ),
        (
            'name: "C:\\q"',
            [
                "stack.yaml:1:11: \\q means nothing between double quotes; "
                "put the text in single quotes, or write the backslash twice"
            ],
        ),
        ("a: @x", ["stack.yaml:1:4: an unquoted text cannot start with '@'; put the text in quotes"]),
        ("a: " + "[" * 100_000, ["stack.yaml:1:43: nested deeper than 40 levels; flatten it"]),
        (
            "a: &x {b: 1}\nc: *x\nd: {<<: *x}",
            [
                "stack.yaml:1:4: anchor &x is not supported; write the value out where it is needed: "
                "an alias hides where an error is",
                "stack.yaml:2:4: alias *x is not supported; write the value out: an alias hides where an error is",
                "stack.yaml:3:5: d: merge key << is not supported; write the keys out",
                "stack.yaml:3:9: d: alias *x is not supported; write the value out: an alias hides where an error is",
            ],
        ),
    ],
)
def test_what_is_refused_says_where_and_what_to_do(raw: str | bytes, expected: list[str]) -> None:
    assert lines(raw) == expected


def test_a_file_of_five_megabytes_is_refused_by_its_size() -> None:
    (line,) = lines(b"a: " + b"x" * 5_000_000)
    assert line.startswith(f"stack.yaml: the file has 5,000,003 bytes; a stack has at most {MAX_BYTES:,};")


def test_an_alias_bomb_is_refused_without_being_expanded_and_without_a_flood_of_findings() -> None:
    names = [f"n{number}" for number in range(60)]
    bomb = "n0: &n0 [x, x]\n" + "".join(
        f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in pairwise(names)
    )
    found = lines(bomb)
    assert len(found) == 21
    assert found[-1].endswith("more than 20 such mistakes; the rest is not listed")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"),
        ("on", "on"),
        ("NO", "NO"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("null", None),
        ("0777", 777),
        ("0o17", 15),
        ("0x1F", 31),
        ("1_000", "1_000"),
        ("1e3", 1000.0),
        ("-.inf", float("-inf")),
        ("12:30:00", "12:30:00"),
        ("2026-01-01", "2026-01-01"),
        ("192.168.1.1", "192.168.1.1"),
        ("1.2.3", "1.2.3"),
        ("=", "="),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_plain_scalars_follow_yaml_1_2(text: str, value: object) -> None:
    assert resolve(text) == value
    assert type(resolve(text)) is type(value)


def test_addresses_may_stand_unquoted_in_flow_style() -> None:
    source = parse(b"a: {url: https://ghcr.io/v2/, targets: [192.168.1.10:9100]}", "x")
    assert source.data == {"a": {"url": "https://ghcr.io/v2/", "targets": ["192.168.1.10:9100"]}}


def test_positions_of_keys_and_values_are_known_and_fall_back_to_the_parent() -> None:
    source = parse(b"a:\n  - b: 1\n    c: [x, y]\n", "x")
    assert source.position(("a", 0, "c", 1)) == Position(3, 12)
    assert source.position(("a", 0, "c"), key=True) == Position(3, 5)
    assert source.position(("a", 0, "c")) == Position(3, 8)
    assert source.position(("a", 0, "missing", "deeper")) == Position(2, 5)


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(st.characters(codec="utf-8"), max_size=12),
)
DATA = st.dictionaries(
    st.text(st.characters(codec="utf-8", categories=["L", "N"]), min_size=1, max_size=8),
    st.recursive(
        SCALARS,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(min_size=1, max_size=5), inner, max_size=4),
        max_leaves=12,
    ),
    min_size=1,
    max_size=5,
)


@given(DATA)
def test_what_ruamel_writes_is_read_as_ruamel_reads_it(data: dict[str, Any]) -> None:
    """ruamel.yaml is the reference for YAML 1.2; ours must mean the same, where both accept it."""
    import io

    stream = io.StringIO()
    YAML(typ="safe", pure=True).dump(data, stream)
    text = stream.getvalue()
    try:
        source = parse(text.encode(), "x")
    except InputError as error:
        allowed = ("anchor", "alias", "control", "merge", "stands twice", "cannot be written")
        if not all(any(word in finding.message for word in allowed) for finding in error.findings):
            with pytest.raises(YAMLError):  # ruamel.yaml writes `{:0: null}`, which it cannot read itself
                YAML(typ="safe", pure=True).load(text)
        return
    assert source.data == YAML(typ="safe", pure=True).load(text)
    for path, value in walk(source.data):
        assert path in source.values, (path, value)


@given(st.binary(max_size=200))
def test_no_bytes_make_it_crash(raw: bytes) -> None:
    try:
        assert isinstance(parse(raw, "x"), Source)
    except InputError as error:
        assert error.findings
