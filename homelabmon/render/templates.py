"""Reads templates: the user's own folder first, then ours. Delimiters are ``<< >>``, ``<% %>`` and ``<# #>``.

Not Jinja's own braces: ``{{ }}`` belongs to Prometheus, Helm and Vector in the files we write.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import jinja2

import homelabmon
from homelabmon.errors import RenderError
from homelabmon.render.compiled import Compiled
from homelabmon.render.yaml_io import dump, load_all, load_one
from homelabmon.source import shown
from homelabmon.spec.base import format_duration, format_go_duration
from homelabmon.spec.contribution import Template


def shipped_folder() -> Path:
    """Our templates: inside the installed package, or beside it in a checkout."""
    package = Path(homelabmon.__file__).parent
    installed = package / "_templates"
    return installed if installed.is_dir() else package.parent / "templates"


class Templates:
    """Renders templates to text or data. ``override`` is the user's folder; a file in it replaces ours."""

    def __init__(self, override: Path | None = None, cache: Path | None = None) -> None:
        self.override = override
        self.shipped = shipped_folder()
        self.folders = [
            folder.resolve() for folder in (override, self.shipped) if folder is not None and folder.is_dir()
        ]
        self._compiled = None if cache is None else Compiled(cache)
        self._environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(self.folders),
            variable_start_string="<<",
            variable_end_string=">>",
            block_start_string="<%",
            block_end_string="%>",
            comment_start_string="<#",
            comment_end_string="#>",
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            undefined=jinja2.StrictUndefined,
            autoescape=False,  # noqa: S701 - no HTML here
            auto_reload=False,
            bytecode_cache=self._compiled,
        )
        filters: dict[str, Any] = self._environment.filters
        filters["json"] = to_json
        filters["duration"] = format_duration
        filters["go_duration"] = _go_duration
        filters["promql"] = promql_text
        filters["indent_yaml"] = indented_yaml

    def text(self, template: Template) -> str:
        """The rendered text. Raises RenderError naming the template and line."""
        origin = self.origin(template.path)
        try:
            return self._environment.get_template(template.path).render(template.params)
        except jinja2.TemplateNotFound as error:
            raise RenderError(f"{self.origin(str(error.name))}: no such template") from None
        except jinja2.TemplateSyntaxError as error:
            raise RenderError(f"{self.origin(str(error.name))}:{error.lineno}: {error.message}") from None
        except jinja2.UndefinedError as error:
            raise RenderError(f"{origin}{_line(error, template.path)}: {error.message}") from None
        except UnicodeDecodeError as error:
            line = error.object[: error.start].count(b"\n") + 1
            text = f"byte 0x{error.object[error.start]:02x} is not UTF-8; save the file as UTF-8"
            raise RenderError(f"{origin}:{line}: {text}") from None
        except Exception as error:  # a template may raise anything; it is its author's, with the line
            raise RenderError(f"{origin}{_line(error, template.path)}: {error}") from None

    def origin(self, path: str) -> str:
        """What a template is called in errors: a user's own by its file, ours as one that can be replaced."""
        own = self.override / path if self.override is not None else None
        return shown(own) if own is not None and own.is_file() else f"templates/{path}"

    def keep(self) -> None:
        """Keep what was compiled for the next run, if there is a place for it."""
        if self._compiled is not None:
            self._compiled.keep()

    def mapping(self, template: Template) -> dict[str, Any]:
        """The rendered text as one YAML mapping."""
        return load_one(self.text(template), self.origin(template.path))

    def documents(self, template: Template) -> list[dict[str, Any]]:
        """The rendered text as YAML documents, each a mapping."""
        origin = self.origin(template.path)
        documents = load_all(self.text(template), origin)
        for document in documents:
            if not isinstance(document, dict):
                raise RenderError(f"{origin}: every document must be a mapping")
            metadata = document.get("metadata")
            if not document.get("kind") or not isinstance(metadata, dict) or not metadata.get("name"):
                raise RenderError(f"{origin}: every document must be an object with kind and metadata.name")
        return documents


def _line(error: BaseException, path: str) -> str:
    """``:`` and the template line in which an error was raised; jinja2 maps its frames back to template lines."""
    line, frame = 0, error.__traceback__
    while frame is not None:
        if frame.tb_frame.f_code.co_filename.endswith(path):
            line = frame.tb_lineno
        frame = frame.tb_next
    return f":{line}" if line else ""


def to_json(value: Any) -> str:
    """A value as JSON, which is YAML in flow style: the safe way to put any value into a template."""
    return json.dumps(_plain(value), ensure_ascii=False)


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return value
    if isinstance(value, timedelta):
        return format_duration(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def _go_duration(value: timedelta | float) -> str:
    return format_go_duration(value if isinstance(value, timedelta) else timedelta(seconds=value))


def promql_text(value: str) -> str:
    """A text for use between double quotes in PromQL."""
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def indented_yaml(value: Any, columns: int) -> str:
    """A value as block YAML, each line after the first indented: for large values inside a template."""
    return dump(_plain(value)).rstrip("\n").replace("\n", "\n" + " " * columns)


def cache_folder() -> Path | None:
    """Where compiled templates and schemas are kept; None when nothing can be kept anywhere.

    ``$HOMELABMON_CACHE``; else beside Python's own compiled files of the package, where the package is the user's; else
    ``$XDG_CACHE_HOME/homelabmon/<version>``.
    """
    named = os.environ.get("HOMELABMON_CACHE")
    package = Path(homelabmon.__file__).parent
    if named:
        return _usable(Path(named))
    if _is_own(package):
        return _usable(package / "__pycache__" / "homelabmon")
    try:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError:
        return None
    return _usable(base / "homelabmon" / homelabmon.__version__)


def _usable(folder: Path) -> Path | None:
    """The folder, made when it is not there; only one of the user's own is trusted with compiled code."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if _is_own(folder) else None


def _is_own(folder: Path) -> bool:
    return os.access(folder, os.W_OK) and folder.stat().st_uid == os.getuid()
