"""Templates of alerts: what is refused, compared with promtool, and which labels are printed for sure."""

from __future__ import annotations

import random
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from homelabmon.checks.support.go_template import FUNCTIONS, labels_read, read_template

PIECES = [
    *(
        "{{ ",
        "{{",
        "}}",
        " }}",
        "{{- ",
        " -}}",
        "{{-",
        "-}}",
        "{{/* c */}}",
        "{{- /* c */ -}}",
        "{{-  /* c */}}",
        "/* c */",
        "{",
        "}",
        "\n",
        " ",
        "a",
    ),
    *("$labels.x", "$labels", "$value", ".Labels.x", ".x.y", "$x", "$lables.x", "labels.x", "$", ".", "$labels.x-y"),
    *(" | ", "humanize", "humanise", 'printf "%s" ', 'index $labels "x"', "eq $value 1.0", 'query "up" | first'),
    *('"a"', "`b`", "'c'", '"', "`", "(", ")", ", ", "=", "==", ":=", "$y := 1", "*", "\\", "%", "[", "-", "+1", "-1"),
    *("1", "0x1F", "1e3", "nil", "if ", "end", "else", 'range query "up"', "with ", 'define "t"', 'template "t"'),
    *("{{ $labels.x }}", "{{ if $value }}", "{{ end }}", "{{ else }}", "{{ $x := 1 }}", '{{ range query "up" }}'),
]


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join) | st.text())
def test_any_text_can_be_read(text: str) -> None:
    template = read_template(text)
    assert template.flaw is None or template.flaw.message
    assert list(labels_read(template)) == list(dict.fromkeys(labels_read(template)))


def refused(texts: list[str], folder: Path) -> set[int]:
    """The numbers of the texts that Prometheus refuses to load."""
    groups = [
        {"name": f"g{number}", "rules": [{"alert": "A", "expr": "up == 0", "annotations": {"a": text}}]}
        for number, text in enumerate(texts)
    ]
    (folder / "rules.yaml").write_text(yaml.safe_dump({"groups": groups}))
    command = ["promtool", "check", "rules", "--lint=none", "rules.yaml"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    return {
        int(number) for number in re.findall(r'group "g(\d+)", rule \d+, "A": annotation', done.stdout + done.stderr)
    }


@pytest.mark.program("promtool")
def test_nothing_is_refused_that_prometheus_loads(tmp_path: Path) -> None:
    seed = random.randrange(10**6)
    make = random.Random(seed)
    texts = ["".join(make.choices(PIECES, k=make.randint(1, 8))) for _ in range(800)]
    texts += ["{{ " + " ".join(make.choices(PIECES[15:], k=make.randint(1, 5))) + " }}" for _ in range(800)]
    real = refused(texts, tmp_path)
    ours = {number for number, text in enumerate(texts) if (flaw := read_template(text).flaw) and flaw.sure}
    assert [(seed, texts[number]) for number in sorted(ours - real)] == []
    assert len(real) > 300
    assert len(real - ours) < len(real) / 4, "most of what Prometheus refuses should be found"


@pytest.mark.program("promtool")
def test_every_function_of_an_older_prometheus_is_known(tmp_path: Path) -> None:
    candidates = sorted(FUNCTIONS)
    real = refused([f"{{{{ {name} }}}}" for name in candidates], tmp_path)
    newer = {"now", "toDuration", "urlQueryEscape"}
    assert {candidates[number] for number in real} <= newer


LOADED = (
    "{{ $x := 1 }}{{ $x = 2 }}{{ $x }}",
    "{{ $z = 3 }}",
    '{{ range $i, $e := query "up" }}{{ $i }}{{ $e }}{{ end }}',
    "{{ if $y := $value }}{{ $y }}{{ else }}{{ $y }}{{ end }}",
    "{{ $value | humanize | printf `%s` }}{{ (index $labels `a`) }}",
    '{{ define "a" }}x{{ end }}{{ template "a" . }}',
    "{{ if true }}{{ else if false }}{{ end }}{{ with nil }}{{ end }}",
    "{{ 1.5e3 }}{{ -1 }}{{ 0x1F }}{{ 'c' }}",
)
REFUSED = (
    '{{ if $labels.a == "b" }}x{{ end }}',
    "{{ $labels == 1 }}",
    "{{ .Labels.a = 1 }}",
    "{{ = 1 }}",
    "{{ if $y := 1 }}{{ end }}{{ $y }}",
    '{{ range $i, $e := query "up" }}{{ end }}{{ $e }}',
    "{{ template a }}",
    "{{ printf humanised }}",
    "{{ $ x }}",
    "{{ $value - 1 }}",
)


@pytest.mark.parametrize("text", LOADED)
def test_templates_that_load(text: str) -> None:
    assert read_template(text).flaw is None


@pytest.mark.parametrize("text", REFUSED)
def test_templates_that_are_refused(text: str) -> None:
    assert read_template(text).flaw is not None


@pytest.mark.program("promtool")
def test_prometheus_agrees(tmp_path: Path) -> None:
    assert refused([*LOADED, *REFUSED], tmp_path) == set(range(len(LOADED), len(LOADED) + len(REFUSED)))


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("{{ $labels.a }}", ["a"]),
        ("{{ .Labels.a }}{{ $.Labels.b }}", ["a", "b"]),
        ('{{ index $labels "a-b" }}', ["a-b"]),
        ('{{ printf "%s/%s" $labels.a $labels.b | toUpper }} {{ $labels.a }}', ["a", "b"]),
        ('{{ reReplaceAll "x" "y" (.Labels.a) }}', ["a"]),
        ("plain $labels.a and .Labels.b", []),
        ("{{ $value }} {{ $externalLabels.a }} {{ .Value }}", []),
        ("{{/* $labels.a */}}", []),
        ("{{- /* $labels.a */ -}} {{- $labels.b -}}", ["b"]),
        ('{{ "$labels.a" }}', []),
        ('{{ eq $labels "a" }}', []),
        ("{{ if $labels.a }}{{ $labels.a }}{{ $labels.b }}{{ end }}", ["b"]),
        ('{{ or $labels.a "none" }}', []),
        ('{{ range query "up" }}{{ .Labels.a }}{{ $labels.b }}{{ end }}', ["b"]),
        ("{{ with $labels.a }}{{ . }}{{ end }}", []),
        ('{{ $labels := query "up" }}{{ $labels.a }}', []),
        ('{{ $x := query "up" }}{{ $x.Labels.a }}', []),
    ],
)
def test_labels_that_are_printed(text: str, labels: list[str]) -> None:
    template = read_template(text)
    assert template.flaw is None
    assert list(labels_read(template)) == labels
