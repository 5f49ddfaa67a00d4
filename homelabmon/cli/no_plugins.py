"""Tells pydantic that it has no plugins, before it looks for some. Called once, by the program; never by the library.

What a command says must not depend on what else is installed beside it, and a plugin sees every value that is
validated. Looking for plugins also imports ``importlib.metadata``, and with it ``email``, ``csv`` and ``zipfile``: a
twentieth of `homelabmon render`. pydantic's own switch, ``PYDANTIC_DISABLE_PLUGINS``, is read after that import, and
programs that we start would inherit it.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any, Final

_LOADER: Final = "pydantic.plugin._loader"


class _NoPlugins(ModuleType):
    """Stands where pydantic's loader would. A pydantic that asks it for anything else gets its own loader back."""

    @staticmethod
    def get_plugins() -> tuple[()]:
        """The plugins: none."""
        return ()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        del sys.modules[_LOADER]
        return getattr(importlib.import_module(_LOADER), name)


def go_without_plugins() -> None:
    """Takes effect for models that are built from here on. Nothing happens where pydantic has already looked."""
    sys.modules.setdefault(_LOADER, _NoPlugins(_LOADER))
