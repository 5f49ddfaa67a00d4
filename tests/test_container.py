"""The relay's image: what its file says, and what its install step brings. No container engine is needed."""

from __future__ import annotations

import re
from typing import Final

import homelabmon
from homelabmon.components.image import Image
from tests.outside import ROOT

FILE: Final = (ROOT / ".container" / "Containerfile").read_text(encoding="utf-8")
INSTRUCTIONS: Final = re.findall(r"^([A-Z]+) ((?:.*\\\n)*.*)", FILE, re.MULTILINE)


def said(instruction: str) -> list[str]:
    return [text for name, text in INSTRUCTIONS if name == instruction]


def test_it_runs_as_the_user_that_the_deployment_names() -> None:
    deployment = (ROOT / "rendered/apps/monitoring/discord-alert-proxy/deployment.yaml").read_text(encoding="utf-8")
    (user,) = re.findall(r"runAsUser: (\d+)", deployment)
    assert said("USER") == [f"{user}:{user}"]


def test_it_starts_what_the_deployment_starts() -> None:
    deployment = (ROOT / "rendered/apps/monitoring/discord-alert-proxy/deployment.yaml").read_text(encoding="utf-8")
    (arguments,) = re.findall(r"args:\n((?:        - .*\n)+)", deployment)
    listed = [line.strip().removeprefix("- ").strip("'") for line in arguments.splitlines()]
    assert said("ENTRYPOINT") == ['["homelabmon"]']
    assert said("CMD") == ["[" + ", ".join(f'"{word}"' for word in listed) + "]"]


def test_it_brings_what_the_service_needs_and_no_more() -> None:
    (install,) = [text for text in said("RUN") if "install" in text]
    assert re.findall(r"\.\[([a-z,]+)\]", install) == ["relay"]
    assert "PIP_CONSTRAINT=.ci/constraints.txt" in install


def test_its_base_is_named_by_version() -> None:
    assert set(said("FROM")) == {"python:3.13-slim AS build", "python:3.13-slim"}


def test_the_image_that_is_rendered_is_this_version() -> None:
    assert Image().tag == homelabmon.__version__


def test_the_build_sees_only_what_it_copies() -> None:
    allowed = {
        line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line[:1] == "!"
    }
    copied = {word for text in said("COPY") if "--from" not in text for word in text.split()[:-1]}
    assert copied == allowed
