"""Reads YAML that others wrote (CRDs, charts, what Helm renders): fast, and lenient where it means no harm."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import yaml


class YamlError(Exception):
    """Not YAML; the text names line and column."""


def documents(text: str) -> list[Any]:
    """Every document, without the empty ones. A plain ``=`` is text: YAML 1.1 gives it a tag no loader constructs."""
    import yaml

    try:
        return [document for document in yaml.load_all(text, _loader()) if document is not None]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = "" if mark is None else f"line {mark.line + 1}, column {mark.column + 1}: "
        raise YamlError(f"{place}{error.problem or error}") from None
    except (yaml.YAMLError, ValueError) as error:
        raise YamlError(str(error)) from None


def _as_text(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> object:
    return loader.construct_scalar(node)


@cache
def _loader() -> type[yaml.SafeLoader | yaml.CSafeLoader]:
    import yaml

    base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    loader: type[yaml.SafeLoader] = type("_Loader", (base,), {})
    loader.add_constructor("tag:yaml.org,2002:value", _as_text)
    return loader
