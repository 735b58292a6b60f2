"""SCXML, the W3C's language of state machines: documents in, documents out.

document     text -> elements that know their place
variables    what a document says about its data
vocabulary   the words the W3C's own tests are written in, as our expressions
lower        elements -> our model
export       a machine of a plan -> text

A document becomes a system: one machine for itself and one for every place that invokes another document. What a document needs and
we do not have is a SpecError that names element, line and reason. The expressions of a document may be those every data model has
(numbers, quoted texts, `true`, `false`, `In('state')`), or ours, with `datamodel="outlast"`, which is what `to_scxml` writes.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar, cast

import attrs

from outlast import model
from outlast.bridge.scxml.document import parse, problem
from outlast.bridge.scxml.export import to_scxml
from outlast.bridge.scxml.lower import Machines
from outlast.bridge.scxml.variables import Files
from outlast.errors import SpecError
from outlast.expr import tree
from outlast.language import read_machine
from outlast.language.writer import write_machine
from outlast.place import Place
from outlast.plan import Plan, compile_system

__all__ = ["import_scxml", "load_scxml", "read_scxml", "to_scxml"]


def read_scxml(path: str | Path, files: Files | None = None) -> model.System:
    """The system a document describes. `files` gives the text of what it names; default: what stands beside it. Raises SpecError."""
    path = Path(path)
    return Machines(files or (lambda name: (path.parent / name).read_bytes())).system(
        parse(path.read_bytes(), str(path)), path.name.split(".")[0]
    )


def load_scxml(path: str | Path, files: Files | None = None) -> Plan:
    """The plan of a document. Raises SpecError."""
    plan, problems = compile_system(read_scxml(path, files))
    if problems:
        raise SpecError(problems)
    return plan


def import_scxml(path: str | Path) -> str:
    """The document as a machine file in our YAML. Raises SpecError if it needs what the file cannot say."""
    system = read_scxml(path)
    machine, *others = system.machines
    if others:
        raise problem("yaml", f"invokes `{others[0].name}`: a machine file is one machine", others[0].place)
    for value in _everything(machine):
        if isinstance(value, tree.Known | tree.Faulty):
            raise problem("yaml", f"`{_cannot(value)}` cannot be said in a machine file", value.place or machine.place)
        if isinstance(value, model.Field) and value.type == "any":
            text = f"`{value.name}` holds values of several types, or of a type that is not known"
            raise problem("yaml", text, machine.place)
        if isinstance(value, model.Send) and value.address is not None:
            raise problem(
                "yaml", "a send to whoever is found at run time cannot be said in a machine file", value.place
            )
    text = write_machine(_written(machine))
    _, problems = read_machine(text, f"{machine.name}.yaml")
    if problems:
        raise SpecError(problems)
    return text


T = TypeVar("T")


def _written(value: T) -> T:
    """The same as an author writes it: what is resolved already goes back to names."""
    found: object = value
    if isinstance(value, tree.Inside):
        found = tree.Is(tree.Name(("self",)), tuple(tree.Name((state,)) for state in value.states), place=value.place)
    elif isinstance(value, tree.Payload):
        found = tree.Name(("event", value.name), place=value.place)
    elif isinstance(value, tuple):
        found = tuple(_written(item) for item in value)
    elif attrs.has(type(value)) and not isinstance(value, Place):
        found = type(value)(
            **{field.name: _written(getattr(value, field.name)) for field in attrs.fields(cast("Any", type(value)))}
        )
    return found  # type: ignore[return-value]  # an expression for an expression, and else the same


def _cannot(value: tree.Known | tree.Faulty) -> str:
    """What cannot be said, in words."""
    return value.fact if isinstance(value, tree.Known) else value.text


def _everything(value: object) -> Iterator[object]:
    """A value of the model and everything in it."""
    yield value
    if attrs.has(type(value)):
        for field in attrs.fields(cast("Any", type(value))):
            yield from _everything(getattr(value, field.name))
    elif isinstance(value, tuple):
        for item in value:
            yield from _everything(item)
