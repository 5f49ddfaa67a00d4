"""Imports run one way. Read from the source with ``ast``, so that an import inside a function counts as well.

The exceptions: ``cli`` and ``__main__`` may import late whatever a command needs.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pytest

from tests.outside import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE: Final = "homelabmon"

FOUNDATION: Final = {"errors", "spec"}
FILES: Final = {"source", "wording"}
READING: Final = {*FOUNDATION, *FILES, "routing", "components", "notifiers", "stack", "load"}
MAY_USE: Final = {
    "__init__": set[str](),
    "errors": {"spec"},
    "spec": {"errors"},
    "routing": FOUNDATION,
    "components": {*FOUNDATION, "routing"},
    "notifiers": {*FOUNDATION, "routing"},
    "source": FOUNDATION,
    "stack": READING,
    "wording": {*FOUNDATION, "source"},
    "load": READING,
    "checks": READING,
    "render": {*READING, "checks"},
    "gitops": {*READING, "checks", "render"},
    "journey": {*READING, "checks", "render", "relay"},
    "relay": {*FOUNDATION, *FILES, "routing", "notifiers"},
    "simulation": {*READING, "journey", "relay"},
    "cli": {*READING, "checks", "render", "gitops", "journey", "relay", "simulation"},
    "__main__": {*FOUNDATION, "cli"},
}
"""Each part of the package, and the parts it may import besides itself. Every part may ask for the version."""

LATE_IMPORTS_ARE_FREE: Final = {"cli", "__main__"}

IMPORT_NAMES: Final = {"dnspython": "dns", "google-re2": "re2", "pydantic": "pydantic_core", "pyyaml": "yaml"}
"""Distributions that are imported, or also imported, by another name."""


@dataclass(frozen=True)
class Import:
    """One imported module. ``early``: at import time; an import for types only, or inside a function, is not."""

    target: str
    line: int
    early: bool
    in_function: bool


@dataclass(frozen=True)
class Module:
    name: str
    path: str
    imports: tuple[Import, ...]

    @property
    def part(self) -> str:
        return part_of(self.name)


def part_of(module: str) -> str:
    """``homelabmon.render.plan`` belongs to ``render``."""
    _, _, rest = module.partition(".")
    return rest.partition(".")[0] or "__init__"


def read_package() -> dict[str, Module]:
    sources = {}
    for path in sorted((ROOT / PACKAGE).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        sources[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    modules = {}
    for name, path in sources.items():
        imports = Reader(name, path.name == "__init__.py", set(sources)).read(ast.parse(path.read_text()))
        modules[name] = Module(name, str(path.relative_to(ROOT)), tuple(imports))
    return modules


class Reader(ast.NodeVisitor):
    """Collects the imports of one module, each as the name of the module it loads."""

    def __init__(self, name: str, is_package: bool, known: set[str]) -> None:
        self.parents = name.split(".") if is_package else name.split(".")[:-1]
        self.known = known
        self.imports: list[Import] = []
        self.functions = 0
        self.type_checking = 0

    def read(self, tree: ast.AST) -> list[Import]:
        self.visit(tree)
        return self.imports

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self.functions += 1
        self.generic_visit(node)
        self.functions -= 1

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815

    def visit_If(self, node: ast.If) -> None:
        guarded = ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")
        self.type_checking += guarded
        for statement in node.body:
            self.visit(statement)
        self.type_checking -= guarded
        for statement in node.orelse:
            self.visit(statement)

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self.add(alias.name, node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        start = self.parents[: len(self.parents) - node.level + 1] if node.level else []
        base = ".".join([*start, *(node.module.split(".") if node.module else [])])
        for alias in node.names:
            submodule = f"{base}.{alias.name}"
            self.add(submodule if submodule in self.known else base, node)

    def add(self, target: str, node: ast.stmt) -> None:
        early = not self.functions and not self.type_checking
        self.imports.append(Import(target, node.lineno, early=early, in_function=bool(self.functions)))


PACKAGE_MODULES: Final = read_package()


def ours(module: Module) -> Iterator[Import]:
    return (item for item in module.imports if item.target.partition(".")[0] == PACKAGE)


def test_every_part_of_the_package_has_its_place() -> None:
    assert {module.part for module in PACKAGE_MODULES.values()} - set(MAY_USE) == set()


@pytest.mark.parametrize("part", MAY_USE)
def test_imports_run_one_way(part: str) -> None:
    allowed = {"__init__", part, *MAY_USE[part]}
    assert [
        f"{module.path}:{item.line}: {part} must not use {item.target}"
        for module in PACKAGE_MODULES.values()
        if module.part == part
        for item in ours(module)
        if part_of(item.target) not in allowed
        if not (item.in_function and part in LATE_IMPORTS_ARE_FREE)
    ] == []


def test_components_do_not_know_one_another() -> None:
    """What they share lies in modules of their own, which know no component either."""
    folder = f"{PACKAGE}.components"
    components = {item.target for item in ours(PACKAGE_MODULES[folder]) if item.target.startswith(f"{folder}.")}
    assert [
        f"{module.path}:{item.line}: imports {component}"
        for name, module in PACKAGE_MODULES.items()
        if name.startswith(f"{folder}.")
        for item in ours(module)
        for component in components
        if is_below(item.target, component) and not is_below(name, component)
    ] == []


def is_below(module: str, folder: str) -> bool:
    return module == folder or module.startswith(f"{folder}.")


def test_no_module_is_in_a_cycle_of_imports() -> None:
    early = {
        name: {item.target for item in ours(module) if item.early and item.target in PACKAGE_MODULES} - {name}
        for name, module in PACKAGE_MODULES.items()
    }
    while leaves := [name for name, targets in early.items() if not targets & set(early)]:
        for name in leaves:
            del early[name]
    assert {name: sorted(targets & set(early)) for name, targets in early.items()} == {}


@pytest.mark.parametrize("part", ["errors", "spec", "routing", "notifiers", "wording"])
def test_what_everything_rests_on_needs_the_base_install_only(part: str) -> None:
    assert foreign(part, installed_with()) == []


@pytest.mark.parametrize("part", ["source", "relay"])
def test_the_relay_runs_on_its_own_extra(part: str) -> None:
    """No templates, no Kubernetes schemas, no Helm: its container holds what base and `relay` bring and no more."""
    assert foreign(part, installed_with("relay")) == []


OPTIONAL: Final = {("homelabmon.source", "ruamel")}
"""Imported where it is there, done without where it is not."""


def foreign(part: str, allowed: set[str]) -> list[str]:
    allowed = {PACKAGE, *allowed, *sys.stdlib_module_names}
    return [
        f"{module.path}:{item.line}: imports {item.target}"
        for module in PACKAGE_MODULES.values()
        if module.part == part
        for item in module.imports
        if (top := item.target.partition(".")[0]) not in allowed
        if (module.name, top) not in OPTIONAL
    ]


def installed_with(*extras: str) -> set[str]:
    """The names that the dependencies of the base and of some extras are imported by."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    dependencies = project["dependencies"] + [
        dependency for extra in extras for dependency in project["optional-dependencies"][extra]
    ]
    names = [re.split(r"[^A-Za-z0-9._-]", dependency, maxsplit=1)[0].lower() for dependency in dependencies]
    return {name.replace("-", "_") for name in names} | {IMPORT_NAMES[name] for name in names if name in IMPORT_NAMES}
