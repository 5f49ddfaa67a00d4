"""What a schema refuses, in our words: place, value, and what to write instead.

Asked by :mod:`homelabmon.load` about stack.yaml, and by the relay about its own configuration.

Imported only when something is wrong. pydantic says what kind of mistake it is; which words it is told in is decided
here. May import: errors, spec, source.
"""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from typing import Any, Final, NamedTuple

from pydantic import BaseModel, ValidationError

from homelabmon.source import Source
from homelabmon.spec.expressions import MatcherSyntaxError
from homelabmon.spec.findings import Finding, Path, format_path
from homelabmon.spec.secrets import SecretRef, redact
from homelabmon.spec.suggest import suggest

_SECRET_KEYS: Final = frozenset({"webhook", "token", "password", "bearer_token", "apikey", "api_key"})
_REDACTED: Final = "[redacted]"
_CURLED: Final = "\u201c\u201d\u201e\u2018\u2019\u00ab\u00bb"
"""Quotes as word processors write them; to YAML they are part of the text."""
_PLAIN_NAME: Final = re.compile(r"(?:[A-Za-z]{1,24}\d{0,3}|\d{1,4})(?:[-_. /]+(?:[A-Za-z]{1,24}\d{0,3}|\d{1,4})){0,6}")
"""What people call a Secret or its key. A token has letters and digits mixed, or is long without a break."""


_MODEL: Final[ContextVar[type[BaseModel]]] = ContextVar("model")
"""What the whole file is read as, while :func:`findings_of` looks for words."""


def findings_of(error: ValidationError, source: Source, model: type[BaseModel]) -> list[Finding]:
    """Everything that an error of the schema says, each with its place in the file, which was read as a ``model``."""
    before = _MODEL.set(model)
    try:
        return _findings_of(error, source)
    finally:
        _MODEL.reset(before)


def _findings_of(error: ValidationError, source: Source) -> list[Finding]:
    found = []
    for item in error.errors(include_url=False):
        path = data_path(item["loc"])
        on_key = item["type"] == "extra_forbidden" or "[key]" in item["loc"]
        message, fix = _words(item, path)
        place = path[:-1] if item["type"] == "missing" else path
        found.append(
            Finding("schema", message, fix, path, file=source.name, position=source.position(place, key=on_key))
        )
    return found


def data_path(loc: Sequence[str | int]) -> Path:
    """pydantic's loc without what does not stand in the data: ``[key]`` markers of mapping keys."""
    return tuple(part for part in loc if part != "[key]")


def _words(error: Mapping[str, Any], path: Path) -> tuple[str, str]:
    """What is wrong, with the value, and what to write instead."""
    kind, context = error["type"], error.get("ctx", {})
    value = path[-1] if "[key]" in error["loc"] else error["input"]
    if kind == "missing" and SecretRef in _models_at(path):
        return f"the key {path[-1]!r} is missing", f"add `{path[-1]}: {{secret: NAME, key: KEY}}`"
    if kind == "missing":
        return f"the key {path[-1]!r} is missing", f"add `{path[-1]}:`{_hint(path)}"
    if kind == "extra_forbidden":
        return f"unknown key {path[-1]!r}", _unknown_key(path)
    if kind in ("value_error", "assertion_error") and not (value is None and _speaks_of_a_value(context["error"])):
        return _refused(context["error"], value, path)
    if value is None:
        return _no_value(kind, context, path)
    if isinstance(value, str) and value[:1] in _CURLED and value[:1]:
        return f"{_show(value, path)} begins with a typographic quote", 'write plain quotes: "…"'
    words = _KINDS.get(kind)
    if words is not None:
        return words(_Mistake(value, context, path))
    return f"{error['msg'][:1].lower()}{error['msg'][1:]}, got {_show(value, path)}", _example_fix(path)


def _refused(error: Exception, value: Any, path: Path) -> tuple[str, str]:
    """A mistake that a validator of ours has found: its text is what is wrong, a colon, and what to write."""
    if isinstance(error, MatcherSyntaxError):
        what, _, fix = str(error).partition("; ")
        fix = fix or 'write one matcher in Alertmanager\'s notation, such as namespace=~"media|tv"'
    else:
        what, _, fix = str(error).partition(": ")
    if isinstance(value, (str, int, float)) and not isinstance(value, bool) and repr(value) not in what:
        what = f"{_show(value, path)}: {what}"
    return what, fix


def _speaks_of_a_value(error: Exception) -> bool:
    """Whether a validator's text is about a value that is there, so that a missing one deserves other words."""
    return not str(error).startswith("the key has no value")


def _no_value(kind: str, context: Mapping[str, Any], path: Path) -> tuple[str, str]:
    """A key, or an item of a list, after which nothing stands."""
    if path and isinstance(path[-1], int):
        return "the item has no value", "write one, or remove the item"
    example = _example(path)
    if kind == "literal_error":
        write = f"write one of: {', '.join(_choices(context))}"
    elif kind in ("bool_type", "bool_parsing"):
        write = "write true or false"
    elif SecretRef in _models_at(path):
        write = "write where the secret is: {secret: NAME, key: KEY}"
    else:
        write = f"write for example {example}" if example else "write one"
    return "the key has no value", write if _is_required(path) else f"{write}, or remove the key"


# Kinds of mistakes -------------------------------------------------------------------------------------------------


class _Mistake(NamedTuple):
    """The value that is wrong, what pydantic knows about the mistake, and the place."""

    value: Any
    context: Mapping[str, Any]
    path: Path


Words = Callable[[_Mistake], tuple[str, str]]


def _literal(mistake: _Mistake) -> tuple[str, str]:
    value, context, path = mistake
    choices = _choices(context)
    if isinstance(value, (list, dict)):
        return f"expected one word, got {_kind(value)}", f"write one of: {', '.join(choices)}"
    otherwise = "write " if len(choices) == 1 else "write one of: "
    return f"{_show(value, path)} is not allowed here", suggest(str(value), choices, otherwise)


def _choices(context: Mapping[str, Any]) -> list[str]:
    return [part.strip("' ") for part in context["expected"].replace(" or ", ", ").split(",")]


def _pattern(mistake: _Mistake) -> tuple[str, str]:
    value, context, path = mistake
    pattern = context["pattern"]
    if path[-1:] in (("secret",), ("key",)) and SecretRef in _models_at(path[:-1]):
        return _secret_name(value, path)
    fix = _PATTERNS.get(pattern, f"it must match {pattern}")
    text = fix if isinstance(fix, str) else fix(str(value))
    return f"{_show(value, path)} is not valid here", text


def _secret_name(value: str, path: Path) -> tuple[str, str]:
    if _shown_name(value) is None:
        what = "name of a Secret" if path[-1] == "secret" else "name of a key inside the Secret"
        message = f"expected the {what}, got something else (not shown here)"
        return message, "put the secret itself into a Secret of the cluster, and write {secret: NAME, key: KEY}"
    if path[-1] == "secret":
        rule = "a Secret's name has lower case letters, digits, dashes and dots"
        return f"{value!r} is no name of a Secret", f"{rule}, such as {_slug(value, '-.') or 'discord-webhooks'}"
    rule = "a key inside a Secret has letters, digits, dashes, dots and underscores"
    return f"{value!r} is no key of a Secret", f"{rule}, such as {re.sub(r'[^-._a-zA-Z0-9]+', '-', value)}"


def _text(mistake: _Mistake) -> tuple[str, str]:
    value, _, path = mistake
    got = f"expected a text, got {_kind(value)} {_show(value, path)}".rstrip()
    if "mention" in path and isinstance(value, int) and not isinstance(value, bool):
        return got, _mention(str(value))
    if isinstance(value, dict) and (name := _shown_name(value.get("secret"))):
        return got, f"write the name of the Secret alone: {_quoted(name[1:-1])}"
    return got, "put it in quotes, as it stands" if isinstance(value, (int, float)) else "write a text"


def _mapping(mistake: _Mistake) -> tuple[str, str]:
    value, _, path = mistake
    got = f"expected a mapping, got {_kind(value)} {_show(value, path)}".rstrip()
    if path[-1:] == ("mention",) and isinstance(value, (str, int)) and not isinstance(value, bool):
        who = str(value) if _MENTION.fullmatch(str(value)) else f"role:{value}"
        return got, f'write by severity whom to ping: {{critical: "{who}"}}'
    if SecretRef in _models_at(path):
        sort = _kind(value).replace("the ", "a ")
        return f"expected a mapping, got {sort}", "write where the secret is: {secret: NAME, key: KEY}"
    example = _example(path)
    if example:
        return got, f"write for example {example}"
    return got, _instead(value, path) or "write keys and values below it, or {}"


def _instead(value: Any, path: Path) -> str:
    """Where a mapping is wanted that must have some keys: those, the only one with the value that stands there."""
    fields = [field for model in _models_at(path)[:1] for field in model.model_fields.items()]
    needed = [info.alias or name for name, info in fields if info.is_required()]
    if len(needed) != 1:
        return f"write {{{', '.join(f'{key}: …' for key in needed)}}}" if needed else ""
    if SecretRef in _models_at((*path, *needed)):
        return f"write {{{needed[0]}: {{secret: NAME, key: KEY}}}}"
    told = isinstance(value, str) and _show(value, path) == repr(value)
    return f"write {{{needed[0]}: {_quoted(value) if told else '…'}}}"


def _list(mistake: _Mistake) -> tuple[str, str]:
    value, _, path = mistake
    got = f"expected a list, got {_kind(value)} {_show(value, path)}".rstrip()
    if isinstance(value, (str, int, float)) and not isinstance(value, bool) and _show(value, path) != _REDACTED:
        kinds = _kinds_at((*path, 0))
        if isinstance(value, str) and kinds and all(kind in (int, float) for kind in kinds):
            return got, _example_fix(path) or "write a list of numbers"
        return got, f"write [{_quoted(value)}]"
    if isinstance(value, dict) and "name" in value:
        return got, "put a dash before its first key: each item of a list begins with one"
    if isinstance(value, dict) and all(isinstance(item, (dict, list)) for item in value.values()):
        named = any("name" in model.model_fields for model in _models_at((*path, 0)))
        first = next(iter(value), None)
        if named and isinstance(first, str) and redact(first) == first:
            return got, f"write one item a line, each with its name: `- name: {first}`"
    return got, "write [a, b], or one `- item` a line"


def _nothing(mistake: _Mistake) -> tuple[str, str]:
    value, context, path = mistake
    least = context.get("min_length", 1)
    if least > 1:
        return f"{len(value)} are too few", f"write at least {least}"
    return "nothing is in it", "write at least one" if _is_required(path) else "write at least one, or remove the key"


def _empty(mistake: _Mistake) -> tuple[str, str]:
    value, _, path = mistake
    if value is path[-1]:
        return "the key is empty", "write a name before the colon"
    text = "the text is empty"
    if isinstance(path[-1], int):
        return text, "write something, or remove the item"
    return text, "write something" if _is_required(path) else "write something, or remove the key"


def _too_long(mistake: _Mistake) -> tuple[str, str]:
    value, context, path = mistake
    most = context["max_length"]
    return f"{_show(value, path)} has {len(value)} characters", f"write at most {most}"


def _too_many(mistake: _Mistake) -> tuple[str, str]:
    value, context, _ = mistake
    return f"{context.get('actual_length', len(value))} are too many", f"write at most {context['max_length']}"


def _truth(mistake: _Mistake) -> tuple[str, str]:
    value, _, path = mistake
    said = str(value).lower()
    meant = "true" if said in ("yes", "on", "y", "1") else "false" if said in ("no", "off", "n", "0") else ""
    got = _show(value, path) or _kind(value)
    return f"expected true or false, got {got}", f"write {meant or 'true or false'}"


def _number(mistake: _Mistake) -> tuple[str, str]:
    value, _, path = mistake
    whole = "a whole number" if _wants_integer(path) else "a number"
    got = f"expected {whole}, got {_kind(value)} {_show(value, path)}".rstrip()
    if isinstance(value, str) and re.fullmatch(r"-?\d+(\.0*)?", value.strip()):
        return got, f"write it without quotes: {value.strip().partition('.')[0]}"
    if isinstance(value, float) and value.is_integer():
        return got, f"write {value:.0f}"
    return got, f"write {whole}"


def _bound(mistake: _Mistake) -> tuple[str, str]:
    value, context, path = mistake
    if value != value:
        return "nan is no number", "write one"
    for key, wrong, write in (
        ("ge", "too small", "{} or more"),
        ("gt", "too small", "more than {}"),
        ("le", "too large", "{} or less"),
        ("lt", "too large", "less than {}"),
    ):
        if key in context:
            return f"{_show(value, path)} is {wrong}", f"write {write.format(f'{context[key]:g}')}"
    return f"{_show(value, path)} is out of range", ""


def _time(mistake: _Mistake) -> tuple[str, str]:
    value, context, path = mistake
    reason = str(context.get("error", "")).strip()
    shown = _show(value, path) or _kind(value)
    return (
        f"{shown} is no day and time" + (f" ({reason})" if reason else ""),
        'write local time without offset, such as "2026-12-01T20:00"',
    )


_KINDS: Final[Mapping[str, Words]] = {
    "literal_error": _literal,
    "string_pattern_mismatch": _pattern,
    "string_type": _text,
    **dict.fromkeys(("model_type", "dict_type", "model_attributes_type"), _mapping),
    **dict.fromkeys(("list_type", "tuple_type"), _list),
    "too_short": _nothing,
    "too_long": _too_many,
    "string_too_short": _empty,
    "string_too_long": _too_long,
    **dict.fromkeys(("bool_type", "bool_parsing"), _truth),
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float", "float_type", "float_parsing"), _number),
    **dict.fromkeys(("greater_than_equal", "greater_than", "less_than_equal", "less_than", "int_parsing_size"), _bound),
    **dict.fromkeys(
        ("datetime_type", "datetime_parsing", "datetime_from_date_parsing", "datetime_object_invalid"), _time
    ),
}


# What to write -----------------------------------------------------------------------------------------------------

_MENTION: Final = re.compile(r"(?:role|user):[1-9][0-9]{0,20}|everyone|here")
_SERVICES: Final = frozenset(
    {
        "slack",
        "telegram",
        "email",
        "mail",
        "ntfy",
        "pushover",
        "teams",
        "msteams",
        "matrix",
        "gotify",
        "webhook",
        "pagerduty",
        "opsgenie",
        "signal",
    }
)
"""Where other alert senders post to; a channel is on Discord."""


def _mention(text: str) -> str:
    """Whom to ping, as it should be written."""
    told = re.fullmatch(
        r"<@([&!]?)([1-9][0-9]{0,20})>|@(everyone|here)|@?(?:(role|user)[:= ]+)?([1-9][0-9]{0,20})", text.strip(), re.I
    )
    if told is None:
        return "write role:ID, user:ID, everyone or here"
    if told[2]:
        return f"write {'role' if told[1] == '&' else 'user'}:{told[2]}"
    if told[3]:
        return f"write {told[3].lower()}"
    if told[4]:
        return f"write {told[4].lower()}:{told[5]}"
    return f'write "role:{told[5]}" for a role, "user:{told[5]}" for a person'


def _slug(text: str, also: str) -> str:
    """The text as a name: lower case, with a dash for everything else. Empty where nothing is left."""
    plain = re.sub(rf"[^a-z0-9{re.escape(also)}]+", "-", text.lower())
    return plain.strip("-._")[:63].strip("-._")


def _name_rule(rule: str, also: str) -> Callable[[str], str]:
    return lambda text: f"{rule}, such as `{_slug(redact(text), also) or 'my-app'}`"


def _camel(text: str) -> str:
    words = re.findall(r"[A-Za-z0-9]+", text)
    name = "".join(word[:1].upper() + word[1:] for word in words)
    known = name if name and not name[0].isdigit() else "DiskAlmostFull"
    return f"use letters, digits and underscores, such as `{known}`"


def _clock(text: str) -> str:
    hour, _, minute = text.strip().partition(":")
    if hour.isdecimal() and minute.isdecimal() and int(hour) < 24 and int(minute) < 60 and len(minute) == 2:
        return f'write "{int(hour):02}:{minute}"'
    return 'write a time as "HH:MM", from "00:00" to "24:00"'


_WEB: Final = "write an address with http:// or https://"


def _web(text: str) -> str:
    if "://" not in text and re.match(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", text) and " " not in text:
        return f"write the whole address: https://{text}"
    return _WEB


_PATTERNS: Final[Mapping[str, str | Callable[[str], str]]] = {
    r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$": _name_rule("use lower case letters, digits and dashes", "-"),
    r"^[a-z0-9]([-a-z0-9_]*[a-z0-9])?$": _name_rule("use lower case letters, digits, dashes and underscores", "-_"),
    r"^[a-zA-Z_][a-zA-Z0-9_]*$": _camel,
    r"^https?://[^\s/?#{}<>\"`^\\]+[^\s{}<>\"`^\\]*$": _web,
    r"^https?://[^\s/?#]+[^\s]*$": _web,
    r"^[0-9]+(\.[0-9]+)?(Ki|Mi|Gi|Ti|Pi|k|M|G|T|P)?$": "write a size such as 50Gi",
    r"^1\.\d{2}$": 'write a minor version in quotes, such as "1.34"',
    r"^v?\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$": "write an exact version, such as 88.5.3",
    r"^oci://\S+$": "write an OCI address, such as oci://ghcr.io/owner/charts/name",
    r"^/": "start it with a slash, such as /metrics",
    r"^(/[A-Za-z0-9._-]+)+$": "write a path of letters, digits, dots and dashes, such as /var/lib/homelabmon/public",
    r"^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):\d{1,5}$": "write host:port, such as 192.168.1.10:9100",
    r"^((role|user):[1-9][0-9]{0,20}|everyone|here)$": _mention,
    r"^\d{15,21}$": "write the number Discord shows under Copy Thread ID, in quotes",
    r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$": _clock,
    r"^/\S+$": "write an absolute path, such as /run/containerd/containerd.sock",
    r"^[-._a-zA-Z0-9]+\.yaml$": "write a file name that ends in .yaml, such as own-rules.yaml",
    r"^\./[^\s]*[^/\s]$": "write a path that starts with ./ and ends without a slash, such as ./rendered",
    r"^[-._a-zA-Z0-9]+$": "use letters, digits, dashes, dots and underscores",
    r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$": "use lower case letters, digits, dashes and dots",
    r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?/[a-z0-9]([-a-z0-9.]*[a-z0-9])?$": "write namespace/name, such as backups/restic",
    r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-._A-Za-z0-9]{0,61}[A-Za-z0-9])?$": (
        "write the key of a Kubernetes label, such as app.kubernetes.io/name"
    ),
    r"^([A-Za-z0-9]([-._A-Za-z0-9]{0,61}[A-Za-z0-9])?)?$": (
        "a Kubernetes label's value has at most 63 letters, digits, dashes, dots and underscores"
    ),
    r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$": "write a domain, such as cluster.local",
    r"^[a-z0-9][a-z0-9._:/-]*[a-z0-9]$": "write an image without its tag, such as ghcr.io/homelabmon/homelabmon",
    r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$": "write an image's tag, such as 1.2.3",
    r"^([0-9]+m|[0-9]+(\.[0-9]{1,3})?)$": "write thousandths of a processor or processors, such as 20m or 0.5",
    r"^\S+$": "write it without blanks",
    r"^\d+(B|KB|MB|GB|TB|KiB|MiB|GiB|TiB)$": "write a size such as 80GiB",
    r"^sha256:[0-9a-f]{64}$": "write sha256: and the 64 digits of the image's digest",
}
"""What to write, by the pattern that a text does not match: the same for all texts, or made from the one written."""


def _unknown_key(path: Path) -> str:
    if len(path) == 3 and path[0] == "channels" and str(path[2]).lower() in _SERVICES:
        return "a channel posts to Discord, and to nothing else so far: write discord: {webhook: …}"
    key = str(path[-1])
    home = _home_of(key) if key not in _SHARED else None
    if home is not None and home != path and (len(home) == 1 or not _is_required(home)):
        return f"write it as {format_path(home)}" if len(home) > 1 else "write it at the top level of the file"
    models = _models_at(path[:-1])
    known = [info.alias or name for model in models[:1] for name, info in model.model_fields.items()]
    return suggest(str(path[-1]), known, "known keys here: ")


_SHARED: Final = frozenset({"name", "namespace", "description", "values", "enabled", "interval", "timeout", "channel"})
"""Keys that too many sections have for one of them to be meant."""


def _home_of(key: str) -> Path | None:
    """The one place outside of lists where a key of this name belongs; None where there is none, or more than one."""
    found: list[Path] = []
    level: list[tuple[Path, type[BaseModel]]] = [((), _MODEL.get())]
    while level and not found:
        following: list[tuple[Path, type[BaseModel]]] = []
        for path, model in level:
            for name, info in model.model_fields.items():
                here = (*path, info.alias or name)
                if here[-1] == key:
                    found.append(here)
                following += [(here, kind) for kind in _models(info.annotation)]
        level = following if len(following) < 100 else []
    return found[0] if len(found) == 1 else None


def _hint(path: Path) -> str:
    example = _example(path)
    return f", for example `{path[-1]}: {example}`" if example else ""


def _example_fix(path: Path) -> str:
    example = _example(path)
    return f"write for example {example}" if example else ""


def _example(path: Path) -> str:
    """The first example that the model gives for a key, as YAML in one line."""
    info = _field_at(path)
    return str(info.examples[0]).replace("'", '"') if info is not None and info.examples else ""


def _is_required(path: Path) -> bool:
    info = _field_at(path)
    return info is not None and bool(info.is_required())


def _wants_integer(path: Path) -> bool:
    return any(kind is int for kind in _kinds_at(path))


# Showing values ----------------------------------------------------------------------------------------------------


def _show(value: Any, path: Path) -> str:
    """A value for a message, as YAML has it: short, and never a secret."""
    named = any(isinstance(part, str) and part.lower() in _SECRET_KEYS for part in path)
    if named or any(SecretRef in _models_at(path[:length]) for length in range(1, len(path) + 1)):
        return _shown_name(value) or _REDACTED if path[-1] in ("secret", "key") else _REDACTED
    if isinstance(value, (dict, list)):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    text = redact(repr(value))
    return text if len(text) <= 80 else f"{text[:77]}..."


def _shown_name(value: Any) -> str | None:
    """A text that can only be a name; None for what could be a credential."""
    known = isinstance(value, str) and _PLAIN_NAME.fullmatch(value) and redact(value) == value
    return repr(value) if known else None


def _quoted(value: str | int | float) -> str:
    text = str(value)
    return text if re.fullmatch(r"[\w./-]+", text) else f"{text!r}"


def _kind(value: object) -> str:
    names = {dict: "a mapping", list: "a list", str: "the text", bool: "the truth value", type(None): "nothing"}
    return names.get(type(value), "the number")


# The models along a path -------------------------------------------------------------------------------------------


def _field_at(path: Path) -> Any:
    """What the model says about the key at a path, or None where no model describes it."""
    for model in _models_at(path[:-1]) if path else ():
        for name, info in model.model_fields.items():
            if path[-1] in (name, info.alias):
                return info
    return None


def _models_at(path: Path) -> list[type[BaseModel]]:
    """The models that may describe the mapping at a path of the file."""
    return [kind for kind in _kinds_at(path) if isinstance(kind, type) and issubclass(kind, BaseModel)]


def _models(kind: Any) -> list[type[BaseModel]]:
    return [part for part in _strip(kind) if isinstance(part, type) and issubclass(part, BaseModel)]


def _kinds_at(path: Path) -> list[Any]:
    """The types that may stand at a path of the file."""
    kinds: Iterable[Any] = [_MODEL.get()]
    for part in path:
        kinds = [inner for kind in kinds for inner in _inside(kind, part)]
    return [option for kind in kinds for option in _strip(kind)]


def _strip(kind: Any) -> list[Any]:
    """The alternatives of an annotation, without Annotated, Optional and unions."""
    origin = typing.get_origin(kind)
    if origin is typing.Annotated:
        return _strip(typing.get_args(kind)[0])
    if origin in (typing.Union, types.UnionType):
        return [inner for part in typing.get_args(kind) for inner in _strip(part)]
    return [kind]


def _inside(kind: Any, part: str | int) -> list[Any]:
    found: list[Any] = []
    for option in _strip(kind):
        arguments = typing.get_args(option)
        if isinstance(option, type) and issubclass(option, BaseModel):
            found += [info.annotation for name, info in option.model_fields.items() if part in (name, info.alias)]
        elif arguments and isinstance(part, int):
            found.append(arguments[0])
        elif len(arguments) == 2:
            found.append(arguments[1])
    return found
