"""Checks: what is wrong with a stack beyond its schema. One file each; file name = id = docs page = link in output.

Adding one is its file here, its page under ``docs/reference/checks``, and one line below. A check is a pure function
from a :class:`~homelabmon.checks.support.context.Context` to problems; it never raises, never prints, and says all it
finds. May import: errors, spec, routing, components, source, stack, load.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from homelabmon.checks import (
    chart_version,
    control_plane,
    depends_on_cycle,
    deprecated_field,
    discord_url,
    duplicate_lb_ip,
    duplicate_name,
    duplicate_scrape,
    fallback_loop,
    group_by_label,
    heartbeat_timing,
    hold_timing,
    idle_option,
    idle_window,
    impossible_address,
    impossible_cron,
    impossible_test,
    inhibit_everything,
    lb_ip_outside_pool,
    lb_ip_without_service,
    literal_secret,
    missing_part,
    native_discord,
    non_canonical_cidr,
    not_a_regex,
    odd_duration,
    promql_lost_label,
    promql_syntax,
    redundant_route,
    reserved_label,
    template_syntax,
    title_label_not_grouped,
    unheard_alert,
    unknown_alert,
    unknown_channel,
    unknown_dependency,
    unknown_label,
    unknown_parent,
    unknown_route,
    unknown_status_component,
    unknown_status_group,
    unknown_timezone,
    unknown_window,
    unknown_window_component,
    unreachable_route,
    unused_channel,
    values_trap,
)
from homelabmon.checks.support.check import Check
from homelabmon.checks.support.collector import put_off
from homelabmon.checks.support.context import Context
from homelabmon.source import Source
from homelabmon.spec.findings import Finding, Path
from homelabmon.stack import Stack

CHECKS: Final[tuple[Check, ...]] = (
    # what is there
    missing_part.CHECK,
    duplicate_name.CHECK,
    duplicate_scrape.CHECK,
    chart_version.CHECK,
    control_plane.CHECK,
    # addresses
    non_canonical_cidr.CHECK,
    impossible_address.CHECK,
    duplicate_lb_ip.CHECK,
    lb_ip_outside_pool.CHECK,
    lb_ip_without_service.CHECK,
    # names that lead somewhere
    unknown_channel.CHECK,
    unknown_route.CHECK,
    unknown_window.CHECK,
    unknown_window_component.CHECK,
    unknown_dependency.CHECK,
    unknown_parent.CHECK,
    unknown_status_component.CHECK,
    unknown_status_group.CHECK,
    unknown_alert.CHECK,
    unknown_label.CHECK,
    unknown_timezone.CHECK,
    # channels and routes
    unused_channel.CHECK,
    native_discord.CHECK,
    fallback_loop.CHECK,
    group_by_label.CHECK,
    unreachable_route.CHECK,
    redundant_route.CHECK,
    title_label_not_grouped.CHECK,
    hold_timing.CHECK,
    odd_duration.CHECK,
    depends_on_cycle.CHECK,
    inhibit_everything.CHECK,
    unheard_alert.CHECK,
    idle_window.CHECK,
    impossible_test.CHECK,
    # alerts, heartbeats, probes
    promql_syntax.CHECK,
    reserved_label.CHECK,
    template_syntax.CHECK,
    promql_lost_label.CHECK,
    impossible_cron.CHECK,
    heartbeat_timing.CHECK,
    not_a_regex.CHECK,
    idle_option.CHECK,
    # what should not be written, or no longer
    literal_secret.CHECK,
    discord_url.CHECK,
    deprecated_field.CHECK,
    values_trap.CHECK,
)


def run_checks(
    stack: Stack,
    source: Source | None,
    *,
    partial: bool = False,
    original: Callable[[Path], Path] | None = None,
) -> list[Finding]:
    """Every finding of every check, in the order of ``CHECKS``; positions are filled in from ``source``.

    ``partial``: parts of the file did not fit the schema and are missing from the stack. Nobody is then accused for
    what stands in the file but was cut out. ``original`` maps a path of such a stack to its place in the file.
    """
    context = Context(stack, source, partial) if original is None else Context(stack, source, partial, original)
    with put_off():
        return [finding for check in CHECKS for finding in check.run(context)]


__all__ = ["CHECKS", "Check", "Context", "run_checks"]
