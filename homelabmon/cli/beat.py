"""``homelabmon beat``: runs a command and reports it as a heartbeat."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from homelabmon.errors import EXIT_OK, HomelabmonError

if TYPE_CHECKING:
    from homelabmon.relay.heartbeats.reporting import Reporter

URL_VARIABLE: Final = "HOMELABMON_PING_URL"
START: Final = 5.0
"""Seconds for the report of the start, which the command does not wait for."""


@click.command(
    name="beat",
    context_settings={"allow_interspersed_args": False},
    epilog="Example: homelabmon beat nightly-backup -- restic backup /srv",
)
@click.argument("name")
@click.argument("job", nargs=-1, type=click.UNPROCESSED, metavar="-- COMMAND...")
@click.option(
    "--url-file",
    type=click.Path(path_type=Path),
    help=f"File with the heartbeat's address. Default: the variable {URL_VARIABLE}.",
)
@click.option(
    "--spool",
    type=click.Path(path_type=Path),
    help="Folder for what cannot be reported now. Default: homelabmon/beat in the folder of the user's state.",
)
@click.option(
    "--within",
    type=click.FloatRange(min=0.1, max=600),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="How long it may go on after the command has ended.",
)
def command(name: str, job: tuple[str, ...], url_file: Path | None, spool: Path | None, within: float) -> int:
    """Run a command, and report its start, its end, its exit code and what it said at last.

    Its output and its exit code are those of the command, and signals reach it. An outpost that does not answer neither
    stops nor changes it: what could not be reported is kept, and reported with its own times before the next report.
    Without a command, only what is kept is reported.

    What is wrong with the address or the folder is said, and the command runs all the same.

    The address is a secret, as `homelabmon heartbeat urls` prints it: that of one heartbeat, or one that ends with the
    key of all, to which the name is added.
    """
    if job[:1] != ("--",) and "".join(job[:1]).startswith("-"):
        raise click.UsageError(f"{job[0]} stands behind the name: options come before it, the command behind --")
    job = job[1:] if job[:1] == ("--",) else job
    import uuid

    from homelabmon.relay.heartbeats import job as jobs
    from homelabmon.relay.heartbeats.reporting import report

    try:
        reporter = _reporter(name, url_file, spool)
    except HomelabmonError as error:
        if not job:
            raise
        _complain(f"{error}; the command runs without it")
        return jobs.run(job, lambda: None).code
    if not job:
        reporter.finish(within=within)
        return EXIT_OK
    rid = str(uuid.uuid4())
    sending: list[threading.Thread] = []

    def started() -> None:
        sending.append(reporter.send(report("start", time.time(), rid), within=START))

    ended = jobs.run(job, started)
    last = report(str(ended.code), time.time(), rid, ended.tail)
    reporter.finish(last, within=within, before=sending[0] if sending else None)
    return ended.code


def _reporter(name: str, url_file: Path | None, spool: Path | None) -> Reporter:
    from homelabmon.relay.heartbeats.reporting import Reporter

    return Reporter(_address(name, url_file), _folder(spool, name), _complain)


def _address(name: str, url_file: Path | None) -> str:
    from homelabmon.relay.heartbeats.reporting import address_of
    from homelabmon.relay.secrets import SecretError, SecretFile

    place = str(url_file) if url_file is not None else URL_VARIABLE
    try:
        url = SecretFile(url_file).one().reveal() if url_file is not None else os.environ.get(URL_VARIABLE, "").strip()
    except SecretError as error:
        raise HomelabmonError(str(error)) from None
    if not url:
        raise HomelabmonError(f"no address is given: put it into a file for --url-file, or into {URL_VARIABLE}")
    try:
        return address_of(url, name)
    except ValueError as error:
        raise HomelabmonError(f"{place}: {error}; `homelabmon heartbeat urls` prints addresses") from None


def _folder(spool: Path | None, name: str) -> Path | None:
    if "/" in name or name in (".", ".."):
        raise HomelabmonError(f"{name!r} is no name of a heartbeat")
    if spool is not None:
        return spool / name
    state = os.environ.get("XDG_STATE_HOME") or (home / ".local/state" if (home := _home()) else None)
    return None if state is None else Path(state) / "homelabmon" / "beat" / name


def _home() -> Path | None:
    try:
        return Path.home()
    except RuntimeError:
        return None


def _complain(words: str) -> None:
    click.echo(f"homelabmon beat: {words}", err=True)
