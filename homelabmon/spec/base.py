"""The base of every typed model, and the scalar types they share. Imported by every model; imports only pydantic."""

import ipaddress
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from homelabmon.spec.hosts import base_address, web_address


class Model(BaseModel):
    """Frozen, closed (an unknown key is an error), and addressed by the names that stand in stack.yaml.

    A default that is a model is written `Model.model_construct()`: calling the model would build its validator at
    every start, and its defaults need no validation.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        populate_by_name=True,
        protected_namespaces=(),
        defer_build=True,
    )

    @classmethod
    def descriptions(cls) -> dict[str, str]:
        """What each field is for, by field name: the text below it in the source, parents' fields included.

        Read only when asked for (schema, docs): pydantic would parse every source file at every start.
        """
        from homelabmon.spec.describe import attribute_docs

        return {name: text for base in reversed(cls.__mro__) for name, text in attribute_docs(base).items()}

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        schema = handler(core_schema)
        properties = handler.resolve_ref_schema(schema).get("properties", {})
        for name, text in cls.descriptions().items():
            info = cls.model_fields.get(name)
            if info is not None:
                properties.get(info.alias or name, {}).setdefault("description", text)
        return schema


class Scalar:
    """How a scalar is validated, whole, and what the JSON Schema says about it when that does not follow.

    One annotation where pydantic has one for each part: it takes every annotation up anew wherever the type stands, and
    durations and names stand in 200 places. ``build`` makes the schema.
    """

    __slots__ = ("_build", "_described")

    def __init__(self, build: Callable[[], CoreSchema], described: Mapping[str, Any] | None = None) -> None:
        self._build = build
        self._described = described

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return self._build()

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return handler(schema) if self._described is None else dict(self._described)


_DURATION = re.compile(r"(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?")
_UNITS = (("w", 604800.0), ("d", 86400.0), ("h", 3600.0), ("m", 60.0), ("s", 1.0), ("ms", 0.001))
DURATION_PATTERN = r"^(0|(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?(\d+ms)?)$"


def parse_duration(value: object) -> object:
    """A Prometheus duration (``30d``, ``1h30m``, ``60s``, ``0``) as a timedelta; anything else is left to pydantic.

    Raises ValueError for a string that is no duration. Units as in Prometheus model.ParseDuration, years left out:
    a year has no fixed length here.
    """
    if isinstance(value, timedelta):
        return value
    if value == "0" or (value == 0 and not isinstance(value, bool)):
        return timedelta(0)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        amount = f"{abs(value):g}"
        raise ValueError(f"a duration needs a unit: write {amount}s or {amount}m")
    if not isinstance(value, str):
        raise ValueError(f"a duration is a text: write for example {_DURATIONS}")
    match = _DURATION.fullmatch(value)
    if not value or match is None:
        raise ValueError(_no_duration(value))
    parts = zip(match.groups(), _UNITS, strict=True)
    seconds = sum(int(number) * unit for number, (_, unit) in parts if number)
    if seconds > _LONGEST:
        raise ValueError("longer than a hundred years: write for example 30d")
    return timedelta(seconds=seconds)


_DURATIONS = "60s, 5m, 1h30m or 30d"
_LONGEST = 100 * 365 * 86400.0


def _no_duration(text: str) -> str:
    """What is wrong with a text that is no duration, and what was most likely meant."""
    from homelabmon.spec.duration_hints import meant

    positive = text.strip().removeprefix("-")
    seconds = meant(positive)
    if seconds is None or seconds > _LONGEST or (not seconds and positive.strip("0. ")[:1].isdigit()):
        return f"not a duration: write for example {_DURATIONS} (largest unit first)"
    shown = format_duration(seconds)
    return (
        f"a duration cannot be negative: write {shown}"
        if positive != text.strip()
        else f"not a duration: write {shown}"
    )


def format_duration(value: timedelta | float) -> str:
    """A timedelta, or a number of seconds, in Prometheus' notation, largest unit first: ``1h30m``; zero is ``0s``."""
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    millis = round(seconds * 1000)
    text = ""
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)):
        count, millis = divmod(millis, size)
        if count:
            text += f"{count}{unit}"
    return text or "0s"


def format_go_duration(value: timedelta) -> str:
    """The same in Go's notation, which knows neither days nor weeks (Flux intervals): ``30d`` is ``720h``."""
    hours, rest = divmod(round(value.total_seconds()), 3600)
    return (f"{hours}h" if hours else "") + (format_duration(rest) if rest or not hours else "")


DURATION_SCHEMA: Final[Mapping[str, Any]] = {
    "type": ["string", "integer"],
    "pattern": DURATION_PATTERN,
    "minLength": 1,
    "minimum": 0,
    "maximum": 0,
    "examples": ["60s", "5m", "1h30m", "30d"],
}
"""A duration to an editor. Of numbers only 0, which needs no unit."""


def _duration() -> CoreSchema:
    return core_schema.no_info_before_validator_function(
        parse_duration,
        core_schema.timedelta_schema(),
        serialization=core_schema.plain_serializer_function_ser_schema(
            format_duration, return_schema=core_schema.str_schema()
        ),
    )


Duration = Annotated[timedelta, Scalar(_duration, DURATION_SCHEMA)]
"""A length of time, written as Prometheus writes it."""


def _positive(value: timedelta) -> timedelta:
    if value <= timedelta(0):
        raise ValueError("must be longer than zero: write for example 60s, or remove the key")
    return value


PositiveDuration = Annotated[
    timedelta,
    Scalar(
        lambda: core_schema.no_info_after_validator_function(_positive, _duration()),
        {
            "type": "string",
            "pattern": f"^(?=.*[1-9]){DURATION_PATTERN.removeprefix('^')}",
            "examples": ["60s", "5m", "1h30m", "30d"],
        },
    ),
]


def text(
    pattern: str | None = None,
    *,
    shortest: int | None = None,
    longest: int | None = None,
    then: Callable[[str], str] | None = None,
) -> Scalar:
    """Texts that have a pattern, or a length in characters, and what else ``then`` asks of them (it may raise)."""

    def build() -> CoreSchema:
        plain = core_schema.str_schema(pattern=pattern, min_length=shortest, max_length=longest)
        return plain if then is None else core_schema.no_info_after_validator_function(then, plain)

    return Scalar(build)


_QUANTITY = r"^[0-9]+(\.[0-9]+)?(Ki|Mi|Gi|Ti|Pi|k|M|G|T|P)?$"


def _some(value: str) -> str:
    if not value.strip("0.KMGTPik"):
        raise ValueError("must be more than nothing: write a size such as 50Gi")
    if in_bytes(value) < 2**20:
        raise ValueError("less than a mebibyte, as the unit is missing or too small: write a size such as 50Gi")
    if in_bytes(value) > 2**50:
        raise ValueError("more than a pebibyte, which no volume here can have: write a size such as 50Gi")
    return value


def _with_unit(value: object) -> object:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        raise ValueError(f"a size needs a unit: write {value:g}Gi or {value:g}Mi")
    return value


Quantity = Annotated[
    str,
    Scalar(
        lambda: core_schema.no_info_after_validator_function(
            _some, core_schema.no_info_before_validator_function(_with_unit, core_schema.str_schema(pattern=_QUANTITY))
        ),
        {"type": "string", "pattern": _QUANTITY, "examples": ["50Gi"]},
    ),
]
"""A Kubernetes quantity of bytes: ``50Gi``."""

_BYTES = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50}
_BYTES |= {"k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15}


def in_bytes(quantity: str) -> int:
    """A Kubernetes quantity in bytes: ``512Mi`` is 536870912."""
    for unit, size in _BYTES.items():
        if quantity.endswith(unit):
            return int(float(quantity.removesuffix(unit)) * size)
    return int(float(quantity))


DnsLabel = Annotated[str, text(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", longest=63)]
"""A Kubernetes object name that must be a DNS label (RFC 1123): lower case letters, digits and dashes."""

NAME: Final = r"^[a-z0-9]([-a-z0-9_]*[a-z0-9])?$"
Name = Annotated[str, text(NAME, longest=63)]
"""A name inside stack.yaml: lower case letters, digits, dashes and underscores."""


def _own_label(value: str) -> str:
    if value.startswith("__"):
        raise ValueError("names that start with __ are Prometheus' own: choose another name")
    return value


LabelName = Annotated[str, text(shortest=1, longest=256)]
"""A Prometheus label name. UTF-8 is allowed since Prometheus 3."""
OwnLabel = Annotated[str, text(shortest=1, longest=256, then=_own_label)]
"""A label that is set, not matched: not one of Prometheus' own."""

AlertName = Annotated[str, text(r"^[a-zA-Z_][a-zA-Z0-9_]*$")]
HttpUrl = Annotated[str, text(r"^https?://[^\s/?#{}<>\"`^\\]+[^\s{}<>\"`^\\]*$", then=web_address)]
BaseUrl = Annotated[HttpUrl, AfterValidator(base_address)]
"""An address to which paths are added."""
Link = Annotated[str, text(r"^https?://[^\s/?#]+[^\s]*$", then=web_address)]
"""An address for people, which may hold a template of Prometheus."""


def _address(value: object) -> str:
    try:
        return str(ipaddress.ip_address(value if isinstance(value, str) else str(value)))
    except ValueError:
        raise ValueError("not an IP address: write for example 192.168.1.229") from None


IPAddress = Annotated[
    str,
    Scalar(
        lambda: core_schema.no_info_before_validator_function(_address, core_schema.str_schema()),
        {"type": "string", "anyOf": [{"format": "ipv4"}, {"format": "ipv6"}], "examples": ["192.168.1.229"]},
    ),
]
"""An IPv4 or IPv6 address, kept as canonical text."""


def _null_is_no_value(value: object) -> object:
    if value is None:
        raise ValueError("the key has no value: write {} to switch it on with defaults, or remove the key")
    return value


class _Section(BeforeValidator):
    def __get_pydantic_json_schema__(self, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        schema = handler(core_schema)
        kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
        return kinds[0] if len(kinds) == 1 else schema


Enabled = _Section(_null_is_no_value)
"""For optional sections: the absent key means off, ``{}`` means on, a key without a value is an error."""


class Shorthand:
    """Tells the JSON Schema of the shorter form of a value, which a validator before it writes out."""

    __slots__ = ("form",)

    def __init__(self, form: Mapping[str, Any]) -> None:
        self.form = form

    def __get_pydantic_json_schema__(self, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"anyOf": [dict(self.form), handler(core_schema)]}


class _Unique(AfterValidator):
    """A list in which nothing may stand twice, to editors as well."""

    def __get_pydantic_json_schema__(self, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(core_schema), "uniqueItems": True}


def _once(items: tuple[Any, ...]) -> tuple[Any, ...]:
    seen: dict[Any, int] = {}
    for number, item in enumerate(items):
        first = seen.setdefault(item, number)
        if first != number:
            raise ValueError(f"{item} stands twice (items {first + 1} and {number + 1}): keep one of them")
    return items


Unique = _Unique(_once)
"""For lists of plain values that are sets: an item that stands twice is a slip."""


class OneOrMany:
    """Tells the JSON Schema that a list may also be written as its only item, which a validator before it wraps."""

    def __get_pydantic_json_schema__(self, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        schema = handler(core_schema)
        return {"anyOf": [schema["items"], schema]}


Values = dict[str, Any]
"""Helm values as they stand, an escape hatch: the chart decides what is in them."""
