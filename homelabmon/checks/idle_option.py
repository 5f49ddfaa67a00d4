"""idle-option: an option is written that nothing reads, as another option rules it out, or is missing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from homelabmon.checks.support.check import Check, Problem
from homelabmon.checks.support.context import Context
from homelabmon.spec.findings import Path, Severity
from homelabmon.spec.watch import Probe

_HTTP: Final = ("status", "body", "redirects", "tls_days")


def _find(context: Context) -> Iterator[Problem]:
    for number, probe in enumerate(context.stack.probes):
        yield from _of_probe(probe, ("probes", number))
    for number, beat in enumerate(context.stack.heartbeats):
        if beat.period is not None and "timezone" in beat.model_fields_set:
            message = f"{beat.name!r} has a period, which is the same in every time zone"
            yield Problem(("heartbeats", number, "timezone"), message, "remove it, or write schedule", on_key=True)
    if not context.partial:
        yield from _of_status_page(context)
        yield from _of_packs(context)
        relay = context.stack.components.relay
        if relay is not None and relay.spool and context.stack.outpost is None:
            path: Path = ("components", "relay", "spool")
            message = "the relay passes pings on to the outpost, and there is none: it takes no ping"
            yield Problem(path, message, "remove it, or add `outpost`", on_key=True)


def _of_packs(context: Context) -> Iterator[Problem]:
    """What rules of a pack look at, where the pack is switched off."""
    packs, fix = context.stack.packs, "remove it, or switch the pack on"
    for number, beat in enumerate(context.stack.heartbeats):
        if beat.cronjob is not None and not packs.cronjobs.enabled:
            option = "channel" if beat.channel is not None else "cronjob"
            message = f"rules of the pack cronjobs, which is off, would tell of {beat.name!r}: nobody does"
            yield Problem(("heartbeats", number, option), message, fix, on_key=True)
    for number, probe in enumerate(context.stack.probes):
        if probe.from_ == "cluster" and probe.channel is not None and not packs.probes.enabled:
            message = f"rules of the pack probes, which is off, would tell of {probe.name!r} there: nobody does"
            yield Problem(("probes", number, "channel"), message, fix, on_key=True)


def _of_status_page(context: Context) -> Iterator[Problem]:
    page, stack = context.stack.status_page, context.stack
    shown = set[str]()
    if page is not None:
        shown = {one.name for _, listed in page.arranged((*stack.heartbeats, *stack.probes)) for one in listed}
        if not shown:
            message = "the status page shows nothing: no group lists a heartbeat or probe, and none names a group"
            yield Problem(("status_page",), message, "write groups: [{name: Home, components: [NAME]}]", on_key=True)
    for number, window in enumerate(stack.maintenance):
        path: Path = ("maintenance", number)
        if window.public and page is None:
            message = f"there is no status page that would announce {window.name!r}"
            yield Problem((*path, "public"), message, "remove it, or add `status_page`", on_key=True)
        elif window.public and not any(map(window.names, shown)):
            message = f"the status page does not announce {window.name!r}, which is about nothing that is shown there"
            fix = "remove it, or name heartbeats or probes of the page in `components`"
            yield Problem((*path, "public"), message, fix, on_key=True)
        elif window.title and not window.public:
            message = f"only the status page calls {window.name!r} by its title, and does not announce it"
            yield Problem((*path, "title"), message, "write `public: true`, or remove it", on_key=True)


def _of_probe(probe: Probe, path: Path) -> Iterator[Problem]:
    if probe.url is None:
        kind = "ping" if probe.icmp is not None else "TCP connection" if probe.tcp is not None else "DNS question"
        for option in _HTTP:
            if option in probe.expect.model_fields_set:
                message = f"the answer to a {kind} has no {_WORDS[option]}: nothing looks at `{option}`"
                fix = "remove it" + (", or write dns.answer" if probe.dns is not None and option == "body" else "")
                yield Problem((*path, "expect", option), message, fix, on_key=True)
    if probe.statuspage is not None and probe.from_ == "cluster":
        message = f"the outpost reads status pages, and {probe.name!r} is asked from the cluster alone"
        yield Problem((*path, "statuspage"), message, "write from: both, or from: outpost", on_key=True)


_WORDS: Final = {
    "status": "HTTP status",
    "body": "body",
    "redirects": "redirects",
    "tls_days": "certificate that is looked at",
}


CHECK = Check(
    "idle-option",
    Severity.WARNING,
    "An option is written that nothing reads: another one rules it out, or is missing.",
    _find,
)
