"""YAML that every reader takes for the same: PyYAML (1.1) and ruamel.yaml (1.2) stand for Go's mixed readers."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from homelabmon.errors import RenderError
from homelabmon.render.yaml_io import _TemplateLoader, dump, load_all, load_one

TEXT = st.text(st.characters(codec="utf-8"), max_size=30)
DATA = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=15,
)


@given(DATA)
@example({"a": "line one\nline two  \n"})
@example({"a": 1e-05, "b": 1e22, "c": 1.5e300, "d": float("-inf"), "e": -0.0})
@example([[[]], [{}], [[{"a": [1, [2]]}]], {"k": {"l": []}}])
@example({"a": "text\n\n\n", "b": ["two\nlines", "x\n"], "": ""})
@example({"a": "\n leading\n"})
@example(["- x", "# y", "a: b", "'", '"', "\\", "\u2028", "\x85"])
def test_both_versions_of_yaml_read_back_what_was_written(data: Any) -> None:
    text = dump(data)
    assert yaml.load(text, Loader=yaml.CSafeLoader) == data
    assert YAML(typ="safe", pure=True).load(text) == data


WORDS = "yes no on off y n Y N true null ~ NULL = <<"
NUMBERS = "1 1.0 1e3 1_000 0777 0o17 0x1F .5 .inf -.INF .nan 12:30:00 2026-01-01"
AMBIGUOUS = f"{WORDS} {NUMBERS}".split()


@pytest.mark.parametrize("word", AMBIGUOUS)
def test_text_that_some_reader_takes_for_something_else_is_quoted(word: str) -> None:
    assert dump({"a": word}) == f'a: "{word}"\n' or dump({"a": word}) == f"a: '{word}'\n"


def test_same_data_same_bytes_with_keys_in_the_order_given_and_long_lines_unfolded() -> None:
    text = dump({"b": "x " * 200, "a": ["{{ $labels.x }}", "multi\nline\n"]})
    assert text.startswith("b: ")
    assert text.count("\n") == 6
    assert "  line\n" in text


def test_shared_data_is_written_out_not_aliased() -> None:
    shared = {"x": 1}
    assert "&" not in dump({"a": shared, "b": shared})


def test_dates_and_duplicate_keys_in_templates() -> None:
    assert load_one("from: 2026-01-01\nvalue: =\n", "templates/x") == {"from": "2026-01-01", "value": "="}
    with pytest.raises(
        RenderError, match=r"templates/x: not YAML after rendering, line 2: the key 'a' stands twice: 'a: 2'"
    ):
        load_one("a: 1\na: 2\n", "templates/x")


def test_errors_name_template_line_and_text() -> None:
    with pytest.raises(RenderError, match=r"templates/x: not YAML after rendering, line 2: .*: 'b: c: d'"):
        load_all("a: 1\nb: c: d\n", "templates/x")
    with pytest.raises(RenderError, match="templates/x: must render to one YAML mapping"):
        load_one("- a\n", "templates/x")
    assert load_one("# nothing\n", "templates/x") == {}


@pytest.mark.parametrize(
    "text",
    [
        "a: [1, 0x1F, 0o17, 0777, 1_000, 12:30:00, 1.5, 1e3, .inf, -.inf, +3, -0]\n",
        "a: [yes, No, on, Off, true, ~, null, '', \"\", '1', \"yes\", y]\n",
        "a:\nb: {}\nc: []\nd: [[], {x: }, [{}]]\n",
        "a: |\n  text\nb: >-\n  folded\n  text\nc: 2026-01-01\nd: =\n<<: {x: 1}\n",
        "base: &base {a: 1}\nother: *base\nlist: [*base, *base]\n",
        "a: !!str 1\nb: !!int '2'\nc: !!binary aGk=\n",
        "1: one\ntrue: yes\n~: nothing\n'2': two\n",
        "---\na: 1\n---\n---\n# nothing\n--- text\n...\n---\n- 1\n",
        "",
        "? long key\n: value\n",
    ],
)
def test_templates_are_read_as_pyyaml_reads_them(text: str) -> None:
    expected = [document for document in yaml.load_all(text, Loader=_TemplateLoader) if document is not None]
    assert repr(load_all(text, "templates/x")) == repr(expected)


@given(DATA)
def test_templates_read_back_what_was_written(data: Any) -> None:
    assert load_all(dump({"data": data}), "templates/x") == [{"data": data}]


@pytest.mark.parametrize("text", ["a: 1\n'a': 2\n", "1: x\n'1': y\n", "- {b: 1, b: 1}\n", "? [a]\n: 1\n", "a: *none\n"])
def test_what_pyyaml_refuses_is_refused(text: str) -> None:
    with pytest.raises(RenderError, match="not YAML after rendering"):
        load_all(text, "templates/x")
