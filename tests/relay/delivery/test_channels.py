"""Which webhook a channel uses: its own, another's, or none; dead until its file holds another address."""

from __future__ import annotations

from homelabmon.notifiers.contract import Target
from homelabmon.relay.delivery.channels import Channels, Disabled, Way
from homelabmon.spec.relay_file import ChannelEntry


def channels(files: dict[str, str], **fallbacks: str | None) -> Channels:
    entries = {name: ChannelEntry(webhook_file=name, fallback=other) for name, other in fallbacks.items()}
    return Channels(entries, files.__getitem__)


def test_a_channel_uses_its_own_webhook() -> None:
    assert channels({"a": "url-a"}, a=None).way("a") == Way("a", Target("url-a"))


def test_a_dead_webhook_is_passed_over_along_all_fallbacks() -> None:
    some = channels({"a": "url-a", "b": "url-b", "c": "url-c"}, a="b", b="c", c=None)
    some.bury(Target("url-a"), "unknown_webhook")
    some.bury(Target("url-b"), "unknown_webhook")
    assert some.way("a") == Way("c", Target("url-c"))
    assert some.own("a") is None
    assert some.disabled() == {"a": Disabled("unknown_webhook"), "b": Disabled("unknown_webhook"), "c": None}


def test_fallbacks_that_go_round_end() -> None:
    some = channels({"a": "url-a", "b": "url-b"}, a="b", b="a")
    for url in ("url-a", "url-b"):
        some.bury(Target(url), "unknown_webhook")
    assert some.way("a") is None


def test_a_new_address_in_the_file_revives_the_channel() -> None:
    files = {"a": "url-a"}
    some = channels(files, a=None)
    some.bury(Target("url-a"), "unknown_webhook")
    assert some.way("a") is None
    files["a"] = "url-new"
    assert some.way("a") == Way("a", Target("url-new"))


def test_what_is_dead_stays_dead_in_another_configuration() -> None:
    some = channels({"a": "url-a", "b": "url-b"}, a=None)
    some.bury(Target("url-a"), "unknown_webhook")
    some.reconfigure({"a": ChannelEntry(webhook_file="a", fallback="b"), "b": ChannelEntry(webhook_file="b")})
    assert some.way("a") == Way("b", Target("url-b"))


def test_an_unreadable_file_and_an_unknown_channel_have_no_way() -> None:
    some = channels({}, a=None)
    assert some.way("a") is None
    assert some.way("z") is None
    why = some.disabled()["a"]
    assert why is not None
    assert why.reason == "unreadable"


def test_what_is_left_for_a_channel_that_is_no_more_goes_to_the_last_resort() -> None:
    entries = {name: ChannelEntry(webhook_file=name) for name in ("a", "b")}
    some = Channels(entries, {"a": "url-a", "b": "url-b"}.__getitem__, last_resort="a")
    del entries["b"]
    some.reconfigure(entries, last_resort="a")
    assert some.way("b") == Way("a", Target("url-a"))
    assert some.own("b") is None


def test_a_thread_that_is_gone_is_not_used_again() -> None:
    some = Channels({"a": ChannelEntry(webhook_file="a", thread_id="123")}, {"a": "url-a"}.__getitem__)
    target = some.own("a")
    assert target == Target("url-a", thread_id="123")
    some.thread_gone(target)
    assert some.own("a") == Target("url-a")


def test_addresses_are_not_shown() -> None:
    some = channels({"a": "secret-address"}, a=None)
    assert "secret" not in repr(some.way("a"))
