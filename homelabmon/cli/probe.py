"""``homelabmon probe``: asks probes once, from here, and prints what came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from homelabmon.cli.common import stack_option
from homelabmon.errors import EXIT_FINDINGS, EXIT_OK, HomelabmonError, InputError
from homelabmon.spec.suggest import suggest

if TYPE_CHECKING:
    from homelabmon.relay.probes.outcome import Outcome, Theirs
    from homelabmon.relay.probes.targets import Target
    from homelabmon.spec.watch import Probe

_COLOURS: Final = {"ok": "green", "slow": "yellow", "expires": "yellow", "failed": "red", "unknown": "blue"}


@click.command(name="probe", epilog="Example: homelabmon probe ghcr")
@click.argument("names", nargs=-1)
@stack_option
@click.option(
    "-c",
    "--config",
    "config_file",
    type=click.Path(path_type=Path),
    help="An outpost's configuration, in place of the stack: rendered/outpost/relay.yaml.",
)
def command(names: tuple[str, ...], stack_file: Path, config_file: Path | None) -> int:
    """Ask probes once, all of them or those that are named, and say what came and how long each step took.

    They are asked from this machine, whatever vantage they have in the stack: what the outpost or the cluster would
    see may differ. Nobody is told, and nothing is stored. Exits with 1 unless every probe is as it should be.
    """
    import aiohttp  # noqa: F401  # named first: without the extra, the message names it

    from homelabmon.relay.probes.targets import target_of

    known = {probe.name: target_of(probe) for probe in _probes(stack_file, config_file)}
    for name in names:
        if name not in known:
            raise HomelabmonError(f"there is no probe {name!r}; {suggest(name, known, 'probes: ')}")
    chosen = [known[name] for name in dict.fromkeys(names)] or list(known.values())
    if not chosen:
        click.echo("there are no probes")
        return EXIT_OK
    return _ask(chosen)


def _probes(stack_file: Path, config_file: Path | None) -> Sequence[Probe]:
    if config_file is not None:
        from homelabmon.relay.config import read_config

        return read_config(config_file).probes
    from homelabmon.load import read

    loaded = read(stack_file)
    if loaded.stack is None:
        raise InputError(loaded.findings)
    return loaded.stack.probes


def _ask(targets: Sequence[Target]) -> int:
    import asyncio
    import time

    from homelabmon.relay.probes.checks.network import Network
    from homelabmon.relay.probes.rounds import AT_ONCE

    async def one(network: Network, gate: asyncio.Semaphore, target: Target) -> tuple[Outcome, Theirs | None]:
        async with gate:
            return await network.check(target), await network.theirs(target, time.time())

    async def every() -> list[tuple[Outcome, Theirs | None]]:
        network, gate = Network(), asyncio.Semaphore(AT_ONCE)
        return list(await asyncio.gather(*(one(network, gate, target) for target in targets)))

    found = {target.name: result for target, result in zip(targets, asyncio.run(every()), strict=True)}
    return _print(targets, found, time.time())


def _print(targets: Sequence[Target], found: Mapping[str, tuple[Outcome, Theirs | None]], now: float) -> int:
    from homelabmon.relay.probes.telling import their_word

    width, code = max(len(target.name) for target in targets), EXIT_OK
    for target in targets:
        outcome, theirs = found[target.name]
        verdict, words = _verdict(target, outcome, now)
        code = code if verdict == "ok" else EXIT_FINDINGS
        shown = click.style(f"{verdict:7}", fg=_COLOURS[verdict], bold=True)
        click.echo(f"{target.name:{width}}  {shown}  {target.shown}")
        word = their_word(theirs, now)
        for line in (words, _took(outcome), f"their own status page says: {word}" if word else ""):
            if line:
                click.echo(f"{'':{width}}  {'':7}  {line}")
    return code


def _verdict(target: Target, outcome: Outcome, now: float) -> tuple[str, str]:
    """A word, and what follows from it."""
    if outcome.verdict != "ok":
        return outcome.verdict, outcome.words
    if outcome.certificate_until is not None:
        days = (outcome.certificate_until - now) / 86_400
        if days < target.tls_days:
            return (
                "expires",
                f"the certificate is valid for {days:.0f} days more; at least {target.tls_days} are wanted",
            )
    if target.within is not None and (outcome.latency or 0.0) > target.within:
        return "slow", f"slower than {target.within:g} s"
    return "ok", ""


def _took(outcome: Outcome) -> str:
    """How long it took, and in which steps."""
    if outcome.latency is None or outcome.verdict == "unknown":
        return ""
    steps = f" ({outcome.timing})" if outcome.timing else ""
    return f"{outcome.latency * 1000:.0f} ms{steps}"
