"""The addresses of heartbeats: derived, listed, several while a key changes, and never shown."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from homelabmon.relay.heartbeats.addresses import Addresses, derived_ping_key, derived_uuid
from homelabmon.relay.secrets import SecretError, SecretText
from homelabmon.spec.relay_file import Intake

KEY = SecretText("correct-horse-battery-staple")
LISTED = "3f0c1f3e-6a55-4d39-9b5a-0c3a3e0e1111"


def addresses(folder: Path, key: str | None = None, ids: str | None = None) -> Addresses:
    for name, text in (("key", key), ("ids", ids)):
        if text is not None:
            (folder / name).write_text(text)
    intake = Intake(
        heartbeat_key_file=str(folder / "key") if key is not None else None,
        heartbeat_ids_file=str(folder / "ids") if ids is not None else None,
    )
    return Addresses(intake, ["backup", "report"])


def test_the_same_key_and_name_always_give_the_same_address() -> None:
    """They stand in crontabs: another version must not change them."""
    assert derived_uuid(KEY, "backup") == "6d984f86-80be-4f85-b8e1-dc3d4c707df3"
    assert derived_ping_key(KEY) == "GQ8tsiH2JwnZ5-QZr7MgeA"


def test_each_heartbeat_has_its_own(tmp_path: Path) -> None:
    found = addresses(tmp_path, KEY.reveal())
    assert found.by_uuid(derived_uuid(KEY, "backup")) == "backup"
    assert found.by_uuid(derived_uuid(KEY, "report")) == "report"
    assert found.by_uuid(derived_uuid(KEY, "other")) is None
    assert found.of("report") == derived_uuid(KEY, "report")
    assert (found.knows_key(derived_ping_key(KEY)), found.knows_key("x"), found.knows_key("")) == (True, False, False)
    assert re.fullmatch(r"[-a-zA-Z0-9_]{22}", derived_ping_key(KEY))


def test_while_a_key_changes_both_are_open_and_the_first_is_told(tmp_path: Path) -> None:
    new = SecretText("another-key-of-some-length")
    found = addresses(tmp_path, f"{new.reveal()}\n{KEY.reveal()}\n")
    assert {found.by_uuid(derived_uuid(key, "backup")) for key in (new, KEY)} == {"backup"}
    assert found.of("backup") == derived_uuid(new, "backup")
    assert found.ping_key() == derived_ping_key(new)


def test_listed_ones_come_first(tmp_path: Path) -> None:
    found = addresses(tmp_path, KEY.reveal(), f"backup={LISTED}\n*=moved-from-elsewhere\n")
    assert found.by_uuid(LISTED) == found.by_uuid(derived_uuid(KEY, "backup")) == "backup"
    assert (found.of("backup"), found.ping_key()) == (LISTED, "moved-from-elsewhere")
    assert found.knows_key(derived_ping_key(KEY))


def test_a_list_alone_will_do(tmp_path: Path) -> None:
    found = addresses(tmp_path, ids=f"backup={LISTED}\n")
    assert (found.open, found.of("backup"), found.of("report"), found.ping_key()) == (True, LISTED, None, None)


def test_without_a_file_nothing_is_open(tmp_path: Path) -> None:
    found = addresses(tmp_path)
    assert (found.open, found.by_uuid(LISTED), found.knows_key("")) == (False, None, False)


NO_UUID = "is no NAME=UUID: behind the = stands a UUID in lower case"
NO_KEY = "is no NAME=UUID: behind the = stands a key of eight or more letters, digits, - and _"


@pytest.mark.parametrize(
    ("key", "ids", "said"),
    [
        ("short", None, "key: holds a key of less than 16 characters"),
        (None, "backup", f"ids: entry 1 {NO_UUID}"),
        (None, f"a={LISTED}\nb={LISTED.upper()}", f"ids: entry 2 {NO_UUID}"),
        (None, "*=short", f"ids: entry 1 {NO_KEY}"),
    ],
)
def test_what_is_wrong_with_a_file_is_told_without_what_is_in_it(
    tmp_path: Path, key: str | None, ids: str | None, said: str
) -> None:
    with pytest.raises(SecretError) as caught:
        addresses(tmp_path, key, ids).by_uuid(LISTED)
    assert str(caught.value) == f"{tmp_path}/{said}"
