"""What holds for every registered notifier."""

from __future__ import annotations

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homelabmon.notifiers import NOTIFIERS
from homelabmon.notifiers.contract import Outcome, Rejected, Request, Response, Retry, Sent, Target
from tests.notifiers.situations import SITUATIONS

TARGETS: Final = {"discord": Target("https://discord.com/api/webhooks/1234567890/" + "t" * 68)}
"""An address of the right shape for each kind."""

JSON: Final = {"content-type": "application/json"}
HTML: Final = {"content-type": "text/html"}
PAGE: Final = b"<html><body>Bad gateway</body></html>"

Answer = tuple[int, dict[str, str], bytes]
STATUSES: Final[dict[str, tuple[Answer, type[Outcome]]]] = {
    "200 with nothing": ((200, {}, b""), Sent),
    "204": ((204, {}, b""), Sent),
    "200 with a page": ((200, HTML, PAGE), Retry),
    "200 cut short": ((200, JSON, b'{"id": "1'), Sent),
    "302 to a login page": ((302, {"location": "http://login.invalid"}, b""), Retry),
    "301": ((301, {"location": "http://elsewhere.invalid"}, b""), Rejected),
    "400": ((400, JSON, b"{}"), Rejected),
    "401": ((401, JSON, b"{}"), Rejected),
    "404": ((404, JSON, b"{}"), Rejected),
    "404 with a page": ((404, HTML, PAGE), Rejected),
    "405": ((405, JSON, b"{}"), Rejected),
    "408": ((408, JSON, b"{}"), Retry),
    "413": ((413, HTML, PAGE), Rejected),
    "429 with a page": ((429, {**HTML, "retry-after": "30"}, PAGE), Retry),
    "429 with nothing": ((429, {}, b""), Retry),
    "500": ((500, JSON, b"{}"), Retry),
    "502 with a page": ((502, HTML, PAGE), Retry),
    "503 for a while": ((503, {"retry-after": "5"}, b""), Retry),
    "504": ((504, {}, b""), Retry),
    "599": ((599, {}, b""), Retry),
    "0": ((0, {}, b""), Retry),
}


@pytest.mark.parametrize("kind", NOTIFIERS)
@pytest.mark.parametrize("answer", STATUSES)
def test_every_notifier_knows_what_a_status_means(kind: str, answer: str) -> None:
    notifier, target = NOTIFIERS[kind], TARGETS[kind]
    (status, headers, body), expected = STATUSES[answer]
    payload = notifier.render(SITUATIONS["fires"])
    for request in (notifier.post(target, payload), notifier.edit(target, "5", payload), notifier.delete(target, "5")):
        outcome = notifier.judge(request, Response(status, headers, body))
        assert isinstance(outcome, expected)
        if isinstance(outcome, (Retry, Rejected)):
            assert 0 < len(outcome.reason) <= 40
            assert outcome.reason.replace("_", "").isalnum()


@pytest.mark.parametrize("kind", NOTIFIERS)
@given(
    st.integers(-1, 1000),
    st.dictionaries(
        st.sampled_from(("retry-after", "x-ratelimit-remaining", "x-ratelimit-reset-after", "x-ratelimit-scope", "x")),
        st.one_of(st.sampled_from(("0", "-1", "1e400", "nan", "inf", "1.5", "shared", "true")), st.text(max_size=10)),
    ),
    st.one_of(
        st.binary(max_size=50),
        st.sampled_from(
            (b"[" * 100_000, b'{"code": 1e999}', b'{"code": true, "retry_after": NaN}', b'{"errors": [1]}')
        ),
        st.fixed_dictionaries(
            {},
            optional={
                "code": st.sampled_from((10008, 10015, 50035, 30046, "50035", None, 1.5)),
                "retry_after": st.one_of(st.floats(), st.text(max_size=5), st.booleans()),
                "message": st.one_of(st.text(max_size=400), st.none()),
                "errors": st.recursive(
                    st.one_of(st.none(), st.text(max_size=5)),
                    lambda inner: st.dictionaries(st.sampled_from(("_errors", "embeds", "0")), st.lists(inner) | inner),
                ),
                "id": st.one_of(st.integers(), st.text(max_size=5), st.none()),
            },
        ).map(lambda data: __import__("json").dumps(data).encode()),
    ),
)
def test_no_answer_is_too_odd(kind: str, status: int, headers: dict[str, str], body: bytes) -> None:
    notifier, target = NOTIFIERS[kind], TARGETS[kind]
    for request in (notifier.post(target, {}), notifier.edit(target, "5", {})):
        outcome = notifier.judge(request, Response(status, headers, body))
        if isinstance(outcome, Retry) and outcome.after is not None:
            assert 0 <= outcome.after <= 86400
        if outcome.budget is not None:
            assert outcome.budget.remaining >= 0
            assert 0 <= outcome.budget.reset_after <= 86400
        if isinstance(outcome, Sent):
            assert outcome.message_id


@pytest.mark.parametrize("kind", NOTIFIERS)
def test_a_notifier_is_known_by_its_name(kind: str) -> None:
    assert NOTIFIERS[kind].name == kind


@pytest.mark.parametrize("kind", NOTIFIERS)
def test_secrets_of_an_address_are_not_in_what_is_logged(kind: str) -> None:
    notifier, target = NOTIFIERS[kind], TARGETS[kind]
    request: Request = notifier.post(target, {"content": "x"})
    assert notifier.flaw(target) is None
    assert "t" * 68 not in repr(target) + repr(request)
