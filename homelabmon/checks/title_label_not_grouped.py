"""title-label-not-grouped: a title asks for a label that the alerts of one message do not share."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from homelabmon.checks.support.check import Check, Problem
from homelabmon.checks.support.context import Context
from homelabmon.spec.findings import Severity

_PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")


def _find(context: Context) -> Iterator[Problem]:
    for place in context.routes:
        title, grouped = place.options["title"], place.options["group_by"]
        if title is None or (place.own.title is None and place.own.group_by is None):
            continue
        where = "title" if place.own.title is not None else "group_by"
        for label in dict.fromkeys(match.strip() for match in _PLACEHOLDER.findall(title)):
            if label in grouped or "..." in grouped:
                continue
            shown = ", ".join(grouped) or "nothing"
            inherited = "" if place.own.title is not None else f" (the title {title!r} is inherited)"
            message = f"{{{label}}} is empty: {place.label} groups by {shown}{inherited}"
            guess, wanted = context.likely(label, grouped), f"add {label} to group_by"
            yield Problem((*place.path, where), message, f"{guess} Or {wanted}" if guess else wanted)


CHECK = Check(
    "title-label-not-grouped",
    Severity.WARNING,
    "A title has a `{label}` that the route does not group by: it stays empty.",
    _find,
    whole=True,
)
