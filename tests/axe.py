"""What hinders people on a web page, as axe-core finds it in a real browser: contrast, names, landmarks, headings.

``assert hindrances(url) == []`` looks at pages in light and in dark, on a screen and on a phone, with everything
unfolded. Such tests are marked with :func:`with_axe`: they need a browser, and axe-core's script (``make programs``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

import pytest

from tests.browser import Browser
from tests.outside import AXE_SCRIPT

Test = TypeVar("Test", bound=Callable[..., None])

SCREEN: Final = 1000
PHONE: Final = 500
"""Pixels; a window of chromium's gets no narrower."""
_ASK: Final = """
const done = arguments[arguments.length - 1];
document.querySelectorAll("details").forEach((folded) => { folded.open = true; });
axe.run(document, {preload: false, resultTypes: ["violations"]}).then(
  (found) => done(found.violations), (error) => done(String(error)));
"""


def with_axe(test: Test) -> Test:
    """Marks a test with all that :func:`hindrances` needs."""
    for program in ("chromium", "chromedriver", "axe-core"):
        test = pytest.mark.program(program)(test)
    return test


def hindrances(*urls: str) -> list[str]:
    """Every rule of axe-core's that a page breaks, good practice included: ``URL, dark, 500: rule: where: why``."""
    found = []
    for dark in (False, True):
        with Browser(dark=dark) as browser:
            for url in urls:
                browser.open(url)
                for width in (SCREEN, PHONE):
                    browser.resize(width)
                    here = f"{url}, {'dark' if dark else 'light'}, {width}"
                    found += [f"{here}: {line}" for line in _violations(browser)]
    return found


def _violations(browser: Browser) -> list[str]:
    violations = browser.run(f"{AXE_SCRIPT.read_text(encoding='utf-8')}\n{_ASK}")
    assert isinstance(violations, list), violations
    return [
        f"{violation['id']}: {node['target']}: {' '.join(node['failureSummary'].split())}"
        for violation in violations
        for node in violation["nodes"]
    ]
