"""Colours: every text and every bar can be told from what is behind it, in light and in dark."""

from __future__ import annotations

import re

import pytest

from homelabmon.relay.status.badges import COLOURS
from homelabmon.relay.status.style import STYLE

LIGHT, DARK = (dict(re.findall(r"--(\w+):(#\w+)", block)) for block in re.findall(r":root\{(.*?)\}", STYLE))


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    whole = colour[1:] if len(colour) == 7 else "".join(part * 2 for part in colour[1:])
    parts = [int(whole[start : start + 2], 16) / 255 for start in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio (WCAG 2.2), 1 to 21."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_every_text_and_every_bar_has_a_contrast_of_four_and_a_half(palette: dict[str, str]) -> None:
    colours = {name: value for name, value in palette.items() if name not in ("paper", "card", "line")}
    assert set(colours) == {"ink", "soft", "ok", "slow", "bad", "care", "none"}
    ground = {"paper": palette["paper"], "card": palette["card"]}
    weak = [
        f"{name} on {behind}: {contrast(colour, ground[behind]):.2f}"
        for name, colour in colours.items()
        for behind in ground
        if contrast(colour, ground[behind]) < 4.5
    ]
    assert weak == []


def test_white_on_a_badge_has_a_contrast_of_four_and_a_half() -> None:
    assert [state for state, colour in COLOURS.items() if contrast("#ffffff", colour) < 4.5] == []


def test_both_palettes_have_the_same_colours() -> None:
    assert set(LIGHT) == set(DARK)
