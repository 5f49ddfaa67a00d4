"""``homelabmon status``: what the public reads: incidents by hand, and the status page as files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from homelabmon.cli.relay import config_option
from homelabmon.errors import EXIT_OK, HomelabmonError, InputError

if TYPE_CHECKING:
    import sqlite3

    from homelabmon.relay.status.model import Incident, Page, Step
    from homelabmon.relay.status.setup import Setup
    from homelabmon.relay.store.writer import Work
    from homelabmon.spec.relay_file import RelayFile

T = TypeVar("T")

_IMPACTS: Final = ("none", "minor", "major", "critical")
_STEPS: Final = ("investigating", "identified", "monitoring", "resolved")

_impact = click.option(
    "--impact", type=click.Choice(_IMPACTS), help="How bad it is; the page shows it of what it names."
)
_components = click.option(
    "-C",
    "--component",
    "components",
    multiple=True,
    metavar="NAME",
    help="A heartbeat or probe of the page that is affected; may be given several times.",
)
_message = click.option("-m", "--message", metavar="TEXT", help="What to tell readers; - reads standard input.")


@click.group(name="status", epilog="\b\nExample: docker compose exec outpost homelabmon status incident list")
@config_option
@click.pass_context
def command(context: click.Context, config_file: Path) -> None:
    """Tell the public of incidents, and write the status page as files.

    Run it where the outpost runs, with its configuration; the outpost may run or not. Everything you write here is
    public, as plain text.
    """
    context.obj = config_file


@command.command(epilog="Example: homelabmon status --config rendered/outpost/relay.yaml build public/")
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@click.option("--database", metavar="FILE", help="The outpost's database, or a copy of it.")
@click.option(
    "-s", "--stack", "stack_file", type=click.Path(path_type=Path), help="A stack.yaml, in place of the configuration."
)
@click.pass_obj
def build(config_file: Path, directory: Path, database: str | None, stack_file: Path | None) -> int:
    """Write the status page into a folder, for any web server or host of static pages.

    Files that it has not written are left alone, so that the folder may be a Git checkout. The database is the one that
    the configuration names; with --stack alone there is none, and the page shows how it will look.
    """
    import time

    from homelabmon.relay.status.export import export
    from homelabmon.relay.status.gather import page_of
    from homelabmon.relay.status.site import outputs

    if stack_file is None:
        file, setup = _setup(config_file)
        database = database or file.database
    else:
        setup = _setup_of_stack(stack_file)

    def work(connection: sqlite3.Connection) -> Page:
        return page_of(connection, setup, time.time())

    page = _of_nothing(work) if database is None else _transact(database, work)
    written = export(directory, {path: output.make() for path, output in outputs(page).items()})
    click.echo(f"{directory}: {written.files} files; {written.changed} changed, {written.removed} removed")
    return EXIT_OK


def _setup_of_stack(stack_file: Path) -> Setup:
    """The public side of a stack. Raises InputError, and HomelabmonError where it has none."""
    from homelabmon.cli.common import read_stack
    from homelabmon.components.outpost import outpost_file
    from homelabmon.relay.status.setup import setup_of
    from homelabmon.stack import site_of

    reading = read_stack(stack_file)
    if reading.stack is None or reading.schema_errors:
        raise InputError(list(reading.findings))
    if reading.stack.outpost is None:
        raise HomelabmonError(f"{stack_file} has no outpost that would serve a page: add `outpost:`")
    setup = setup_of(outpost_file(reading.stack.outpost, site_of(reading.stack)))
    if setup is None:
        raise HomelabmonError(f"{stack_file} has no status page: add `status_page:`")
    return setup


def _of_nothing(work: Work[T]) -> T:
    """What is made of a database in which nothing has happened yet."""
    import sqlite3
    from contextlib import closing

    from homelabmon.relay.store.schema import MIGRATIONS

    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        for migration in MIGRATIONS:
            connection.executescript(migration)
        return work(connection)


# Incidents ---------------------------------------------------------------------------------------------------------


@command.group(
    epilog='\b\nExample: homelabmon status incident open "Slow line" --impact minor -C home -m "We look into it."'
)
def incident() -> None:
    """What happened, in your own words."""


@incident.command(
    name="open",
    epilog='\b\nExample: homelabmon status incident open "Slow line" --impact minor -C home -m "We look into it."',
)
@click.argument("title")
@_impact
@_components
@click.option(
    "--status", type=click.Choice(_STEPS[:3]), default="investigating", show_default=True, help="How far you are."
)
@_message
@click.pass_obj
def open_incident(
    config_file: Path, title: str, impact: Any, components: tuple[str, ...], status: Any, message: str | None
) -> int:
    """Open an incident. The page has it within seconds."""
    import time

    from homelabmon.relay.status import incidents

    file, setup = _setup(config_file)
    _must_be_public(setup, components)
    title, body, impact = _title(title), _body(message) or "It is being looked into.", impact or "minor"

    def work(connection: Any) -> int:
        return incidents.add(connection, title, impact, components, incidents.MANUAL, time.time(), status, body)

    number = _transact(file.database, work)
    click.echo(f"incident {number} is open")
    return EXIT_OK


@incident.command(epilog='\b\nExample: homelabmon status incident update 3 --status identified -m "A cable was loose."')
@click.argument("number", type=int)
@click.option("--status", type=click.Choice(_STEPS), help="How far you are. Default: as before.")
@_impact
@_message
@click.pass_obj
def update(config_file: Path, number: int, status: Any, impact: Any, message: str | None) -> int:
    """Say something new about an incident. One that an outage opened is yours from then on."""
    body = _body(message)
    if body is None:
        raise HomelabmonError('nothing says what is new: write it with -m, such as -m "A cable was loose."')
    return _say(config_file, number, status, impact, body)


@incident.command(epilog='\b\nExample: homelabmon status incident resolve 3 -m "The cable is back in its place."')
@click.argument("number", type=int)
@_message
@click.pass_obj
def resolve(config_file: Path, number: int, message: str | None) -> int:
    """End an incident."""
    return _say(config_file, number, "resolved", None, _body(message) or "It is resolved.")


def _say(config_file: Path, number: int, status: Any, impact: Any, body: str) -> int:
    import time

    from homelabmon.relay.status import incidents

    file, _ = _setup(config_file)

    def work(connection: Any) -> str:
        known = incidents.find(connection, number)
        if known is None:
            raise _none(number)
        step: Step = status or known.status
        incidents.change(connection, number, incidents.Change(impact=impact, origin=incidents.MANUAL))
        incidents.say(connection, number, time.time(), step, body)
        return step

    click.echo(f"incident {number} is {_transact(file.database, work)}")
    return EXIT_OK


@incident.command(epilog='\b\nExample: homelabmon status incident edit 3 --title "Slow line to the house"')
@click.argument("number", type=int)
@click.option("--title", help="Another title.")
@_impact
@_components
@click.option("--update", "which", type=int, metavar="NUMBER", help="The update whose text -m replaces; see list.")
@_message
@click.pass_obj
def edit(
    config_file: Path,
    number: int,
    title: str | None,
    impact: Any,
    components: tuple[str, ...],
    which: int | None,
    message: str | None,
) -> int:
    """Correct what was said of an incident, without saying anything new."""
    from homelabmon.relay.status import incidents

    file, setup = _setup(config_file)
    _must_be_public(setup, components)
    body = _body(message)
    if (which is None) != (body is None):
        raise HomelabmonError("the text of an update is corrected with both --update NUMBER and -m TEXT")
    wanted = incidents.Change(
        title=None if title is None else _title(title),
        impact=impact,
        components=components or None,
        origin=incidents.MANUAL,
    )
    if title is None and impact is None and not components and which is None:
        raise HomelabmonError("nothing says what is to be different: give --title, --impact, --component, or --update")

    def work(connection: Any) -> None:
        known = incidents.find(connection, number)
        if known is None:
            raise _none(number)
        if which is not None and which not in [one.id for one in known.updates]:
            raise HomelabmonError(f"incident {number} has no update {which}: `incident list` shows their numbers")
        incidents.change(connection, number, wanted)
        if which is not None and body is not None:
            incidents.reword(connection, which, body)

    _transact(file.database, work)
    click.echo(f"incident {number} is corrected")
    return EXIT_OK


@incident.command(epilog="Example: homelabmon status incident delete 3")
@click.argument("number", type=int)
@click.pass_obj
def delete(config_file: Path, number: int) -> int:
    """Remove an incident with all that was said, as if it had never been told."""
    from homelabmon.relay.status import incidents

    file, _ = _setup(config_file)
    if not _transact(file.database, lambda connection: incidents.delete(connection, number)):
        raise _none(number)
    click.echo(f"incident {number} is removed")
    return EXIT_OK


@incident.command(name="list", epilog="Example: homelabmon status incident list --all")
@click.option("--all", "everything", is_flag=True, help="Those that are resolved, too, for a year.")
@click.pass_obj
def list_incidents(config_file: Path, everything: bool) -> int:
    """List incidents with their updates, the newest first."""
    from homelabmon.relay.status import incidents

    file, _ = _setup(config_file)

    def work(connection: Any) -> list[Incident]:
        return incidents.since(connection, 0.0) if everything else incidents.open_ones(connection)

    found = _transact(file.database, work)
    for one in found:
        _print(one)
    if not found:
        click.echo("there are no incidents" if everything else "no incident is open", err=True)
    return EXIT_OK


def _print(one: Incident) -> None:
    from homelabmon.relay.status import words

    about = [
        one.status,
        one.impact,
        words.clock(one.started_at),
        *([", ".join(one.components)] if one.components else []),
    ]
    click.echo(f"{one.id}  {one.title}  ({'; '.join([*about, *(['automatic'] if one.automatic else [])])})")
    for said in one.updates:
        click.echo(f"    {said.id}  {words.clock(said.at)}  {said.status}: {said.body.splitlines()[0]}")


# Shared ------------------------------------------------------------------------------------------------------------


def _setup(config_file: Path) -> tuple[RelayFile, Setup]:
    """The configuration, and its public side. Raises HomelabmonError where it has none."""
    from homelabmon.relay.config import read_config
    from homelabmon.relay.status.setup import setup_of

    file = read_config(config_file)
    setup = setup_of(file)
    if setup is None:
        raise HomelabmonError(f"{config_file} has no status page: add `status_page:` to stack.yaml, and render")
    return file, setup


def _transact(database: str, work: Work[T]) -> T:
    from homelabmon.relay.upkeep import Upkeep

    with Upkeep(database) as upkeep:
        return upkeep.transact(work)


def _must_be_public(setup: Setup, components: tuple[str, ...]) -> None:
    from homelabmon.spec.suggest import suggest

    for name in components:
        if name not in setup.components:
            raise HomelabmonError(f"the status page shows no {name!r}; {suggest(name, setup.components, 'it shows: ')}")


def _title(given: str) -> str:
    from homelabmon.relay.status import incidents

    return _plain(" ".join(given.split()), incidents.LONGEST_TITLE, "the title")


def _body(given: str | None) -> str | None:
    from homelabmon.relay.status import incidents

    if given is None:
        return None
    return _plain(sys.stdin.read() if given == "-" else given, incidents.LONGEST_BODY, "the message")


def _plain(given: str, longest: int, what: str) -> str:
    from homelabmon.relay.status.incidents import plain_text

    try:
        return plain_text(given, longest)
    except ValueError as error:
        raise HomelabmonError(f"{what}: {error}") from None


def _none(number: int) -> HomelabmonError:
    return HomelabmonError(f"there is no incident {number}: `homelabmon status incident list --all` shows them")
