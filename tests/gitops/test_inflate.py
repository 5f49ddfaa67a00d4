"""Charts rendered by the SDK and by a ``helm`` program; a program that answers like helm stands in for it here."""

from __future__ import annotations

import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from homelabmon.errors import MissingDependencyError, RenderError
from homelabmon.gitops.inflate import inflate
from tests.gitops.charts import APP, pack, write_chart

PORTS = {"service": {"ports": [{"port": 80}]}}


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    return write_chart(tmp_path)


def kinds(objects: list[dict[str, Any]]) -> list[str]:
    return [obj["kind"] for obj in objects]


class TestWithTheSdk:
    @pytest.fixture(autouse=True)
    def sdk(self) -> None:
        pytest.importorskip("helm_python", reason="the extra helm is not installed")

    def test_objects_come_parsed_in_the_order_of_the_templates(self, chart: Path) -> None:
        objects = inflate(chart, PORTS, release="web", namespace="apps")
        assert kinds(objects) == ["Deployment", "Service"]
        assert objects[1]["metadata"] == {"name": "web", "namespace": "apps"}
        assert objects[1]["spec"]["ports"] == [{"port": 80}]

    def test_an_archive_is_a_chart_too(self, chart: Path) -> None:
        assert inflate(pack(chart), PORTS, release="web", namespace="apps") == inflate(
            chart, PORTS, release="web", namespace="apps"
        )

    def test_a_subchart_switched_off_once_is_there_again_the_next_time(self, tmp_path: Path) -> None:
        sub = {"Chart.yaml": "apiVersion: v2\nname: sub\nversion: 1.0.0\n", "templates/x.yaml": "kind: Inner\n"}
        dependency = "dependencies: [{name: sub, version: 1.0.0, condition: sub.enabled}]\n"
        files = {**APP, "Chart.yaml": APP["Chart.yaml"] + dependency}
        chart = write_chart(tmp_path, {**files, **{f"charts/sub/{name}": text for name, text in sub.items()}})
        assert "Inner" not in kinds(inflate(chart, {"sub": {"enabled": False}}, release="a", namespace="b"))
        assert "Inner" in kinds(inflate(chart, {}, release="a", namespace="b"))

    def test_what_helm_refuses_is_a_render_error_that_names_the_chart(self, tmp_path: Path) -> None:
        chart = write_chart(tmp_path, {**APP, "templates/bad.yaml": '{{ fail "say which bucket" }}'})
        with pytest.raises(RenderError, match=r"^.*app: .*say which bucket"):
            inflate(chart, {}, release="a", namespace="b")

    def test_output_that_is_no_yaml_is_a_render_error_that_names_the_template(self, tmp_path: Path) -> None:
        chart = write_chart(tmp_path, {**APP, "templates/bad.yaml": "a: [1\n"})
        with pytest.raises(RenderError, match=r"app: what app/templates/bad.yaml renders is no YAML: line \d+"):
            inflate(chart, {}, release="a", namespace="b")

    def test_no_chart_is_a_render_error(self, tmp_path: Path) -> None:
        with pytest.raises(RenderError, match=r"nothing: .*no such file"):
            inflate(tmp_path / "nothing", {}, release="a", namespace="b")


PROGRAM = """\
#!{python}
import json, sys
if "refuse" in sys.argv[2]:
    sys.exit("Error: no such chart")
values = json.load(sys.stdin)
print("---")
print("# Source: app/templates/b.yaml")
print("kind: B")
print("args: " + json.dumps(sys.argv[1:]))
print("---")
print("# Source: app/templates/a.yaml")
print("kind: A")
print("values: " + json.dumps(values))
print("---")
print("# Source: app/templates/b.yaml")
print("kind: B2")
"""


class TestWithAHelmProgram:
    @pytest.fixture(autouse=True)
    def no_sdk(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setitem(sys.modules, "helm_python", None)
        program = tmp_path / "bin" / "helm"
        program.parent.mkdir()
        program.write_text(PROGRAM.replace("{python}", sys.executable))
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", str(program.parent))

    def test_it_is_given_release_namespace_and_values(self, chart: Path) -> None:
        a, b, b2 = inflate(chart, {"x": [1, None]}, release="web", namespace="apps")
        assert (a["kind"], b["kind"], b2["kind"]) == ("A", "B", "B2")
        assert a["values"] == {"x": [1, None]}
        assert b["args"] == ["template", "web", str(chart), "--namespace", "apps", "--values", "-"]

    def test_what_it_says_when_it_fails_is_the_error(self, chart: Path) -> None:
        with pytest.raises(RenderError, match="app: Error: no such chart"):
            inflate(chart, {}, release="refuse", namespace="apps")

    def test_without_it_the_error_says_what_to_install(self, chart: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", "")
        with pytest.raises(MissingDependencyError, match=r"pip install 'homelabmon\[helm\]'"):
            inflate(chart, {}, release="a", namespace="b")
