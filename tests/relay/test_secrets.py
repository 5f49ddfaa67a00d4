"""Secrets in files: followed as they change, and never to be seen."""

from __future__ import annotations

import copy
import os
import pickle
import re
from pathlib import Path

import pytest

from homelabmon.relay.secrets import SecretError, SecretFile, SecretText


def revealed(file: SecretFile) -> list[str]:
    return [secret.reveal() for secret in file.all()]


@pytest.mark.parametrize(
    ("content", "secrets"),
    [
        (b"token", ["token"]),
        (b"token\n", ["token"]),
        (b"\xef\xbb\xbf  token \r\n\r\n", ["token"]),
        (b"new\nold\n", ["new", "old"]),
        (
            "schl\N{LATIN SMALL LETTER U WITH DIAERESIS}ssel".encode(),
            ["schl\N{LATIN SMALL LETTER U WITH DIAERESIS}ssel"],
        ),
    ],
)
def test_a_file_holds_one_secret_a_line(tmp_path: Path, content: bytes, secrets: list[str]) -> None:
    path = tmp_path / "token"
    path.write_bytes(content)
    assert revealed(SecretFile(path)) == secrets


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"", "is empty"),
        (b" \n\t\n", "is empty"),
        (b"two words", "has a space or a control character inside a line"),
        (b"nul\0l", "has a space or a control character inside a line"),
        (b"\xff\xfe\x00", "is not UTF-8 text"),
        (b"x" * 70_000, "is larger than 65,536 bytes: is this the right file?"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_without_quoting_it(
    tmp_path: Path, content: bytes | None, reason: str
) -> None:
    path = tmp_path / "token"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SecretError, match=f"^{re.escape(f'{path}: {reason}')}$"):
        SecretFile(path).all()


def test_a_folder_in_the_place_of_the_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SecretError, match="Is a directory"):
        SecretFile(tmp_path).all()


def test_where_one_is_wanted_several_are_an_error(tmp_path: Path) -> None:
    path = tmp_path / "webhook"
    path.write_text("a\nb\n")
    with pytest.raises(SecretError, match="holds 2 lines: it must hold one"):
        SecretFile(path).one()


def test_a_change_is_seen_at_the_next_asking_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("old")
    file = SecretFile(path)
    assert (revealed(file), file.refresh()) == (["old"], 1)
    path.write_text("newer")
    assert (revealed(file), file.refresh()) == (["newer"], 2)
    path.unlink()
    with pytest.raises(SecretError):
        file.all()
    path.write_text("newer")
    assert (revealed(file), file.version) == (["newer"], 4)


def test_the_way_kubernetes_changes_a_secret_is_followed(tmp_path: Path) -> None:
    """A mounted Secret is a link to a link to a folder; the link in the middle is swapped in one step."""
    for name, content in (("..one", "old"), ("..two", "new")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "token").write_text(content)
        os.utime(tmp_path / name / "token", (1, 1))
    (tmp_path / "..data").symlink_to("..one")
    (tmp_path / "token").symlink_to("..data/token")
    file = SecretFile(tmp_path / "token")
    assert revealed(file) == ["old"]
    (tmp_path / "..data_tmp").symlink_to("..two")
    (tmp_path / "..data_tmp").rename(tmp_path / "..data")
    assert revealed(file) == ["new"]


def test_a_secret_is_compared_and_never_shown(tmp_path: Path) -> None:
    secret = SecretText("hunter2-\N{SNOWMAN}")
    assert secret.matches("hunter2-\N{SNOWMAN}".encode())
    assert not secret.matches(b"hunter2")
    assert not secret.matches(b"\xff")
    assert [str(secret), repr(secret), f"{secret}", f"{secret:>10}", f"{secret!r}"] == ["[redacted]"] * 5
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        copy.copy(secret)
    assert "hunter2" not in repr(SecretFile(tmp_path / "x"))
