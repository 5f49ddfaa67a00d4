"""Results of tests as JUnit writes them, which every CI reads."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from homelabmon.simulation.expectations import Result

_FORBIDDEN: Final = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML document may hold."""


def report(suite: str, results: Sequence[Result]) -> str:
    """One test suite. Holds no times, so that the same stack gives the same bytes."""
    failures = sum(not result.passed for result in results)
    numbers = f'tests="{len(results)}" failures="{failures}" errors="0" skipped="0"'
    cases = "".join(_case(suite, result) for result in results)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<testsuites {numbers}>\n"
        f"  <testsuite name={_attribute(suite)} {numbers}>\n{cases}  </testsuite>\n"
        "</testsuites>\n"
    )


def _case(suite: str, result: Result) -> str:
    opening = f"    <testcase classname={_attribute(f'{suite}.tests')} name={_attribute(result.name)}"
    if result.passed:
        return f"{opening}/>\n"
    message = _attribute("; ".join(result.wrong))
    text = escape(_clean("\n".join((*result.wrong, *result.way))))
    return f"{opening}>\n      <failure message={message}>{text}</failure>\n    </testcase>\n"


def _attribute(text: str) -> str:
    return quoteattr(_clean(text))


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)
