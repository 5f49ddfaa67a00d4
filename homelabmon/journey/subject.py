"""Which alert is meant: a name and some labels, made whole from the rule, heartbeat or probe that it comes from.

Asked by ``explain``. Raises :class:`NoSuchAlertError` where nothing fits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from types import MappingProxyType
from typing import Final, Literal

from homelabmon.errors import HomelabmonError
from homelabmon.journey.rules import Rule
from homelabmon.journey.running import Running
from homelabmon.journey.shape import names_asked
from homelabmon.journey.ways import OUTPOST_SOURCES, RELAY_SOURCES
from homelabmon.spec import names
from homelabmon.spec.relay_file import Watchdog
from homelabmon.spec.suggest import suggest
from homelabmon.spec.watch import Heartbeat, Probe

Kind = Literal["rule", "event", "heartbeat", "probe", "outpost", "unknown"]
"""``outpost``: what it has to say of the cluster as a whole."""

HEARTBEAT_MISSED: Final = "HeartbeatMissed"
PROBE_DOWN: Final = "ProbeDown"
_ALIKE: Final = 0.8


class NoSuchAlertError(HomelabmonError):
    """Nothing that is known fires such an alert."""


@dataclass(frozen=True, slots=True)
class Subject:
    """One alert. ``labels`` are all that is known of it, ``given`` what was asked for, ``assumed`` the rest.

    ``others`` are rules of the same name that would fit as well. ``warnings`` say what about the question cannot be.
    """

    kind: Kind
    labels: Mapping[str, str]
    given: Mapping[str, str]
    rule: Rule | None = None
    thing: Heartbeat | Probe | Watchdog | None = None
    others: tuple[Rule, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def assumed(self) -> dict[str, str]:
        """Labels that were not asked for, but that the alert has."""
        return {
            name: value
            for name, value in self.labels.items()
            if name not in self.given and name != names.LABEL_ALERTNAME
        }

    @property
    def title(self) -> str:
        """What to call it."""
        for name in (names.LABEL_HEARTBEAT, names.LABEL_PROBE):
            if self.kind == name:
                return f"{self.labels.get(names.LABEL_ALERTNAME, '')} of {self.labels.get(name, '')}"
        if self.kind == "event":
            source = self.labels[names.LABEL_SOURCE].capitalize()
            return f"{source}'s {self.labels['rule']!r}" if "rule" in self.labels else f"{source}'s event"
        return self.labels.get(names.LABEL_ALERTNAME, "An alert without a name")


def subject(running: Running, name: str, given: Mapping[str, str], *, unknown: bool = False) -> Subject:
    """The alert that a name and labels mean. ``unknown``: one that no rule here defines is taken as it is.

    A name may be that of an alert, a heartbeat or a probe; with ``source=falco`` it is that of a rule of Falco's.
    """
    given = {label: value for label, value in given.items() if value}
    if name and given.get(names.LABEL_ALERTNAME, name) != name:
        raise NoSuchAlertError(f"two names: {name!r} and alertname={given[names.LABEL_ALERTNAME]}; write one of them")
    source = given.get(names.LABEL_SOURCE, "")
    if source in RELAY_SOURCES:
        return _event(name, given)
    alertname = name or given.get(names.LABEL_ALERTNAME, "")
    if alertname not in running.rules_by_name or source in OUTPOST_SOURCES:
        thing = _thing(running, alertname, given)
    else:
        thing = _outside(running, alertname, given)
    if thing is not None:
        return _watched(running, thing, given)
    if alertname == names.ALERT_CLUSTER_SILENT and running.outpost is not None:
        return _silence(running.outpost.file.watchdog, given)
    if alertname in running.rules_by_name:
        return _of_rules(running, alertname, given)
    if unknown:
        labels = {names.LABEL_ALERTNAME: alertname, **given} if alertname else dict(given)
        return Subject("unknown", labels, given)
    raise NoSuchAlertError(_no_such(running, alertname))


def _event(name: str, given: Mapping[str, str]) -> Subject:
    labels = dict(given)
    if name:
        labels.setdefault("rule" if given[names.LABEL_SOURCE] == "falco" else names.LABEL_ALERTNAME, name)
    asked = dict(labels)
    labels.setdefault(names.LABEL_SEVERITY, "warning")
    return Subject("event", labels, asked)


# Heartbeats and probes ---------------------------------------------------------------------------------------------


def _thing(running: Running, alertname: str, given: Mapping[str, str]) -> Heartbeat | Probe | None:
    """The heartbeat or probe that is meant by its own name, or by its label."""
    stack = running.stack
    beats = {beat.name: beat for beat in stack.heartbeats}
    probes = {probe.name: probe for probe in stack.probes}
    named: Heartbeat | Probe | None = beats.get(given.get(names.LABEL_HEARTBEAT, ""))
    if named is None:
        named = probes.get(given.get(names.LABEL_PROBE, ""))
    if named is None and alertname not in (HEARTBEAT_MISSED, PROBE_DOWN):
        named = beats.get(alertname) or probes.get(alertname)
    return named


def _outside(running: Running, alertname: str, given: Mapping[str, str]) -> Heartbeat | Probe | None:
    """What only the outpost watches, asked for by the name of an alert that rules have as well."""
    label = {HEARTBEAT_MISSED: names.LABEL_HEARTBEAT, PROBE_DOWN: names.LABEL_PROBE}.get(alertname)
    if label is None or any(rule.could_be(given) for rule in running.rules_by_name[alertname]):
        return None
    return _thing(running, alertname, given)


def _watched(running: Running, thing: Heartbeat | Probe, given: Mapping[str, str]) -> Subject:
    beat = isinstance(thing, Heartbeat)
    kind: Literal["heartbeat", "probe"] = "heartbeat" if beat else "probe"
    alertname = HEARTBEAT_MISSED if beat else PROBE_DOWN
    inside = thing.cronjob is not None if isinstance(thing, Heartbeat) else thing.from_ != "outpost"
    asked = {label: value for label, value in given.items() if label != names.LABEL_SOURCE}
    if inside and given.get(names.LABEL_SOURCE) not in OUTPOST_SOURCES and alertname in running.rules_by_name:
        name = given.get(names.LABEL_ALERTNAME, alertname)
        return _of_rules(running, name, {**asked, kind: thing.name}, _of_cronjob(thing))
    labels = {
        names.LABEL_ALERTNAME: alertname,
        names.LABEL_SOURCE: kind,
        kind: thing.name,
        names.LABEL_SEVERITY: thing.severity,
        **asked,
    }
    return Subject(kind, labels, given, thing=thing)


def _of_cronjob(thing: Heartbeat | Probe) -> dict[str, str]:
    """The labels that every alert about a CronJob carries, as the rules look at this one alone."""
    if not isinstance(thing, Heartbeat) or thing.cronjob is None:
        return {}
    namespace, _, cronjob = thing.cronjob.partition("/")
    return {"namespace": namespace, "cronjob": cronjob}


def _silence(watchdog: Watchdog | None, given: Mapping[str, str]) -> Subject:
    """The dead man's switch has gone off."""
    if watchdog is None:
        raise NoSuchAlertError("the outpost waits for no Watchdog: `homelabmon check` says why")
    labels = {
        names.LABEL_ALERTNAME: names.ALERT_CLUSTER_SILENT,
        names.LABEL_SOURCE: names.SOURCE_OUTPOST,
        names.LABEL_SEVERITY: "critical",
        **given,
    }
    return Subject("outpost", labels, given, thing=watchdog)


# Rules -------------------------------------------------------------------------------------------------------------


def _of_rules(
    running: Running, alertname: str, given: Mapping[str, str], known: Mapping[str, str] = MappingProxyType({})
) -> Subject:
    rules = running.rules_by_name[alertname]
    fitting = [rule for rule in rules if rule.could_be(given)]
    warnings = []
    if not fitting:
        fitting = [rules[0]]
        warnings.append(_never(alertname, rules, given))
    rule = fitting[0]
    labels = {names.LABEL_ALERTNAME: alertname, **known, **rule.static, **given}
    warnings += _strange_labels(running, rule, given)
    others = {tuple(sorted(other.static.items())): other for other in fitting[1:] if other.static != rule.static}
    return Subject("rule", labels, given, rule, None, tuple(others.values()), tuple(warnings))


def _never(alertname: str, rules: Iterable[Rule], given: Mapping[str, str]) -> str:
    """Which fixed labels no rule of the name has so."""
    wrong = {}
    for label, value in given.items():
        has = sorted({rule.static[label] for rule in rules if label in rule.static})
        if has and value not in has:
            wrong[label] = " or ".join(has)
    if not wrong:
        shown = ", ".join(f"{label}={value}" for label, value in given.items())
        return f"no rule of {alertname} has all of {shown}: explained as asked"
    said = " and ".join(f"{label}={has}, never {given[label]}" for label, has in wrong.items())
    return f"{alertname} has {said}: explained as asked"


def _strange_labels(running: Running, rule: Rule, given: Mapping[str, str]) -> Iterator[str]:
    for label in given:
        if label == names.LABEL_ALERTNAME:
            continue
        if label not in rule.labels:
            known = sorted(rule.labels.names - {names.LABEL_ALERTNAME, "__name__"})
            yield f"{rule.name} never carries the label {label!r}; {suggest(label, known, 'it has: ')}"
        elif label not in rule.static and label not in rule.brings and rule.labels.open:
            known = sorted({*rule.brings, *rule.static, *names_asked(running)})
            meant = max(known, key=lambda name: SequenceMatcher(None, label, name).ratio(), default="")
            if label not in known and SequenceMatcher(None, label, meant).ratio() >= _ALIKE:
                yield f"no route asks for the label {label!r}; did you mean {meant!r}?"


def _no_such(running: Running, alertname: str) -> str:
    if not alertname:
        return "which alert? Name one, or give the labels of one: explain NodeDown, explain source=falco"
    if alertname in running.known.off:
        return f"the alert {alertname} never fires here: {running.known.off[alertname]}"
    if not running.rules:
        return f"no rule defines an alert {alertname!r}: without the component prometheus nothing evaluates rules"
    things = [beat.name for beat in running.stack.heartbeats] + [probe.name for probe in running.stack.probes]
    guess = suggest(alertname, [*running.rules_by_name, *things], "")
    meant = guess if guess.startswith("did you mean") else "`explain --all` lists them"
    return f"no rule defines an alert {alertname!r}; {meant} (--unknown: it comes from elsewhere)"
