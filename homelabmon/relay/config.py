"""The relay's configuration: read with every mistake's place, and read again whenever the file changes.

Asked by the service and by the command line. May import: errors, spec, source, wording.
"""

from __future__ import annotations

import gc
import hashlib
import logging
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from homelabmon.errors import HomelabmonError, InputError
from homelabmon.relay.clock import Clock
from homelabmon.source import Source, parse
from homelabmon.spec.findings import Finding
from homelabmon.spec.findings import Path as DataPath
from homelabmon.spec.relay_file import RelayFile, RouteEntry
from homelabmon.spec.suggest import suggest

log = logging.getLogger(__name__)

LOOK_EVERY: Final = 5.0
"""Seconds between looks at the file. The kubelet itself takes up to a minute to bring a change."""
_LARGE: Final = 65_536
"""Bytes of a configuration from which on it is worth the while to be sparing with memory."""
_TOP = "the configuration is a mapping that starts with `version: 1`; `homelabmon render` writes one"


def read_config(path: Path) -> RelayFile:
    """The configuration in a file.

    Raises InputError with every finding when it is not one, and HomelabmonError when the file cannot be opened.
    """
    return _parse(_bytes(path), path.name)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise HomelabmonError(f"{path}: no such file; name the relay's configuration with --config") from None
    except IsADirectoryError:
        raise HomelabmonError(f"{path}: is a folder; name the file in it: --config {path / 'relay.yaml'}") from None
    except OSError as error:
        raise HomelabmonError(f"{path}: cannot be read: {error.strerror}") from None


def _parse(raw: bytes, name: str) -> RelayFile:
    source = parse(raw, name, _TOP)
    try:
        file = RelayFile.model_validate(source.data, by_alias=True, by_name=False)
    except ValidationError as error:
        from homelabmon.wording import findings_of

        raise InputError(findings_of(error, source, RelayFile)) from None
    findings = [
        Finding(kind, message, fix, path, file=name, position=source.position(path))
        for kind, flaws in (
            ("channel", _flaws(file)),
            ("schedule", _schedules(file)),
            ("probe", _probes(file)),
            ("window", _windows(file)),
        )
        for path, message, fix in flaws
    ]
    if findings:
        raise InputError(findings)
    _forget(source)
    return file


def _forget(source: Source) -> None:
    source.values.clear()
    source.keys.clear()


# What no single value shows ------------------------------------------------------------------------------------------


def _flaws(file: RelayFile) -> Iterator[tuple[DataPath, str, str]]:
    for path, name in _named(file):
        if name not in file.channels:
            yield path, f"there is no channel {name!r}", suggest(name, file.channels, "channels: ")
    seen_routes = set[str]()
    for path, route in _routes(file):
        if route.name in seen_routes:
            yield (*path, "name"), f"there are two routes {route.name!r}", "an alert that takes both would be told once"
        seen_routes.add(route.name)
    for name, channel in file.channels.items():
        seen = [name]
        while channel is not None and channel.fallback is not None and channel.fallback not in seen:
            seen.append(channel.fallback)
            channel = file.channels.get(channel.fallback)  # type: ignore[assignment]  # None is looked for above
        if channel is not None and channel.fallback == name:
            chain = " -> ".join([*seen, name])
            yield ("channels", name, "fallback"), f"the fallbacks go round: {chain}", "let one of them have none"


def _named(file: RelayFile) -> Iterator[tuple[DataPath, str]]:
    """Every place that names a channel."""
    for name, channel in file.channels.items():
        if channel.fallback is not None:
            yield ("channels", name, "fallback"), channel.fallback
    for path, route in _routes(file):
        yield (*path, "channel"), route.channel
    if file.watchdog is not None:
        yield ("watchdog", "channel"), file.watchdog.channel
    for number, beat in enumerate(file.heartbeats):
        if beat.channel is not None:
            yield ("heartbeats", number, "channel"), beat.channel
    for number, probe in enumerate(file.probes):
        if probe.channel is not None:
            yield ("probes", number, "channel"), probe.channel


def _routes(file: RelayFile) -> Iterator[tuple[DataPath, RouteEntry]]:
    """Every route, and its place."""
    yield ("default",), file.default
    yield from _below(("default",), file.default.routes)
    yield from _below((), file.routes)


def _below(path: DataPath, routes: tuple[RouteEntry, ...]) -> Iterator[tuple[DataPath, RouteEntry]]:
    for number, route in enumerate(routes):
        here = (*path, "routes", number)
        yield here, route
        yield from _below(here, route.routes)


def _schedules(file: RelayFile) -> Iterator[tuple[DataPath, str, str]]:
    """Whatever this machine cannot tell the next run of; it may lack a time zone that another one knows."""
    if not file.heartbeats:
        return
    from homelabmon.relay.heartbeats.schedules import ScheduleError, schedule_of

    seen = set[str]()
    for number, beat in enumerate(file.heartbeats):
        if beat.name in seen:
            yield ("heartbeats", number, "name"), f"there are two heartbeats {beat.name!r}", "give one another name"
        seen.add(beat.name)
        try:
            schedule_of(beat)
        except ScheduleError as error:
            yield ("heartbeats", number), f"{beat.name!r}: {error}", "`homelabmon check` finds it in stack.yaml, too"


def _probes(file: RelayFile) -> Iterator[tuple[DataPath, str, str]]:
    """Probes of one name, and patterns that are none."""
    seen = set[str]()
    for number, probe in enumerate(file.probes):
        if probe.name in seen:
            yield ("probes", number, "name"), f"there are two probes {probe.name!r}", "give one another name"
        seen.add(probe.name)
        if probe.expect.body is not None:
            yield from _pattern(("probes", number, "expect", "body"), probe.expect.body)
        if probe.dns is not None and probe.dns.answer is not None:
            yield from _pattern(("probes", number, "dns", "answer"), probe.dns.answer)


def _pattern(path: DataPath, pattern: str) -> Iterator[tuple[DataPath, str, str]]:
    from homelabmon.relay.probes.checks.pattern import searcher

    try:
        searcher(pattern)
    except ValueError as error:
        fix = "`homelabmon check` finds it in stack.yaml, too"
        yield path, f"{pattern!r} is no regular expression (RE2 syntax): {error}", fix


def _windows(file: RelayFile) -> Iterator[tuple[DataPath, str, str]]:
    """Windows in a time zone that this machine does not know."""
    if not file.maintenance:
        return
    from homelabmon.routing.intervals import TimeIntervalError
    from homelabmon.routing.windows import openings

    for number, window in enumerate(file.maintenance):
        try:
            openings(window, 0.0, 0.0)
        except TimeIntervalError as error:
            yield ("maintenance", number, "timezone"), f"{window.name!r}: {error}", "install the zone data (tzdata)"


def _compact(raw: bytes, name: str) -> RelayFile:
    """The configuration in one piece: what reading it left behind lies between its parts, and would keep the memory.

    With 10,000 heartbeats that is 17 MiB, for as long as the service runs.
    """
    if len(raw) < _LARGE:
        return _parse(raw, name)
    packed = pickle.dumps(_parse(raw, name), pickle.HIGHEST_PROTOCOL)
    gc.collect()
    file: RelayFile = pickle.loads(packed)  # noqa: S301  # packed two lines above
    return file


def _digest(raw: bytes) -> bytes:
    return hashlib.sha256(raw).digest()


# Changes -------------------------------------------------------------------------------------------------------------


class WatchedConfig:
    """A configuration file that may change. ``file`` is the last good one, ``ok`` whether the newest is in effect."""

    def __init__(self, path: Path) -> None:
        """Reads it for the first time; raises what :func:`read_config` raises."""
        self.path = path
        raw = _bytes(path)
        self.file = _compact(raw, path.name)
        self.ok = True
        self._digest = _digest(raw)
        self._seen = self._look()

    def refresh(self, *, force: bool = False) -> bool:
        """Looks at the file, and reads it if it is another one (or if told to); whether ``file`` is a new one.

        What is wrong with a new one is logged, and the last good one stays. Never raises for what is in the file.
        """
        seen = self._look()
        if seen == self._seen and not force:
            return False
        try:
            raw = _bytes(self.path)
            digest = _digest(raw)
            file = _compact(raw, self.path.name) if digest != self._digest or not self.ok else self.file
        except HomelabmonError as error:
            self._seen, self.ok = seen, False
            lines = [finding.render() for finding in error.findings] if isinstance(error, InputError) else [str(error)]
            log.error("the new configuration is not accepted, the old one stays", extra={"reasons": lines})
            return False
        self._seen, self._digest, self.ok = seen, digest, True
        renewed, self.file = file is not self.file and file != self.file, file
        if renewed:
            log.info("the new configuration is in effect")
        return renewed

    async def watch(self, clock: Clock, changed: Callable[[RelayFile], None]) -> None:
        """Looks from time to time, until cancelled; calls ``changed`` with each new good configuration."""
        while True:
            await clock.sleep(LOOK_EVERY)
            if self.refresh():
                changed(self.file)

    def _look(self) -> tuple[int, int, int, int] | None:
        """What tells one state of the file from another; Kubernetes swaps the link, so what it leads to counts."""
        try:
            status = self.path.stat()
        except OSError:
            return None
        return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size
