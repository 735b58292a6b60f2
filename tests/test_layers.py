"""The chapters of the package import backwards only; siblings do not know each other; no import hides."""

from __future__ import annotations

import ast
import graphlib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

LAYERS = """
    values < place < errors < moments catalog < expr < model < language < plan < run < loading
    < views proofs store fleet bridge < service < __init__ < cli pytest_items publish < pytest_plugin __main__
"""
RANK = {name: rank for rank, layer in enumerate(LAYERS.split("<")) for name in layer.split()}
HIDDEN: dict[str, str] = {
    "outlast": "public names are loaded when first used; type checkers read them from under TYPE_CHECKING",
    "outlast.values": "to type checkers `frozen` is attrs' own, whose classes they know",
}
"""Modules that may import inside a function or under a condition, each with its reason: an extra, say."""

SPEC = find_spec("outlast")
assert SPEC
assert SPEC.submodule_search_locations
PACKAGE = Path(SPEC.submodule_search_locations[0])
MODULES = {
    ".".join(("outlast", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}


def layer(module: str) -> str:
    """The chapter a module belongs to: the first name after `outlast`."""
    return [*module.split("."), "__init__"][1]


def imports(module: str) -> Iterator[str]:
    """The modules of the package that `module` imports, wherever it does so."""
    for node in ast.walk(ast.parse(MODULES[module].read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names if name.name in MODULES)
        elif isinstance(node, ast.ImportFrom) and node.module in MODULES:
            inner = [f"{node.module}.{name.name}" for name in node.names]
            yield from (name if name in MODULES else node.module for name in inner)


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_backwards(module: str) -> None:
    """A module imports its own chapter and those before it, and nothing beside it."""
    rank = RANK[layer(module)]

    assert [name for name in imports(module) if layer(name) != layer(module) and RANK[layer(name)] >= rank] == []


def test_there_is_no_cycle() -> None:
    """Inside a chapter, too, modules stand in an order."""
    graphlib.TopologicalSorter({module: {*imports(module)} - {module} for module in MODULES}).prepare()


@pytest.mark.parametrize("module", MODULES)
def test_imports_stand_at_the_top(module: str) -> None:
    """No import hides in a function or behind a condition, unless HIDDEN says why."""
    tree = ast.parse(MODULES[module].read_text("utf-8"))
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]

    assert module in HIDDEN or [node.lineno for node in found if node not in tree.body] == []
