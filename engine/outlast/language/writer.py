"""Model or text -> text in canonical form: keys in the order of the grammar, rows in braces, comments where they were."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from collections.abc import Mapping as Lookup
from typing import TypeAlias

from outlast import model
from outlast.errors import Problem, SpecError
from outlast.language import unbuild
from outlast.language.drafts import Drafter, Group
from outlast.language.files import BETWEEN, CLAUSES, read_clauses, read_machine, read_scenario, read_system_file
from outlast.language.grammar import CLAUSE_LIST, RECORDS
from outlast.language.layout import block
from outlast.language.nodes import Mapping, Node, Sequence, comments, compose
from outlast.language.shapes import Record, Shape, Use
from outlast.language.source import from_text

Read: TypeAlias = Callable[[str, str], tuple[object, Iterable[Problem]]]
"""A text and the name of its file -> what it means, and every problem."""


def format_text(text: str, file: str = "") -> str:
    """The same specification, machine, scenario or list of clauses in canonical form.

    Its meaning and its comments do not change, and formatting it again changes nothing. Raises SpecError if the text has problems.
    """
    root = compose(from_text(text, file))
    shape = _shape(root) if root else CLAUSE_LIST
    readers: dict[str, Read] = {"machine": read_machine, "scenario": read_scenario, "system": read_system_file}
    return format_as(text, file, shape, readers[shape.record] if isinstance(shape, Use) else read_clauses)


def format_as(text: str, file: str, shape: Shape, read: Read, records: Lookup[str, Record] = RECORDS) -> str:
    """`format_text` for a text of this shape, whose records are `records` and whose meaning `read` tells. Raises SpecError."""
    source = from_text(text, file)
    root = compose(source)
    if source.problems or root is None:
        raise SpecError(source.problems)

    def meaning(of: str) -> object:
        value, problems = read(of, file)
        if problems := list(problems):
            raise SpecError(problems)
        return value

    before, said = meaning(text), comments(source, root)
    written = _written(Drafter(source, list(said), records), root, shape)
    again = from_text(written, file)
    kept = comments(again, compose(again))
    assert before == meaning(written), "the canonical form has another meaning"
    assert sorted(one.text for one in said) == sorted(one.text for one in kept), "a comment is lost"
    return written


def write_machine(machine: model.Machine) -> str:
    """The text of a machine file; it reads back as the same machine. Raises MisuseError if no text says what it does."""
    return _written(Drafter(None, []), unbuild.machine(machine))


def write_scenario(scenario: model.Scenario) -> str:
    """The text of a scenario file; it reads back as the same scenario."""
    return _written(Drafter(None, []), unbuild.scenario(scenario))


def write_clauses(clauses: tuple[model.Clause, ...]) -> str:
    """The text of a file of clauses; it reads back as the same clauses."""
    return _written(Drafter(None, []), unbuild.clauses(clauses))


def write_system(system: model.System) -> dict[str, str]:
    """The files of a system's folder, by name; together they read back as the same system."""
    files = {"system.yaml": _written(Drafter(None, []), unbuild.system(system, CLAUSES))}
    files |= {f"{machine.name}.yaml": write_machine(machine) for machine in system.machines}
    return files | ({CLAUSES: write_clauses(system.clauses)} if system.clauses else {})


def write_stream(system: model.System) -> str:
    """A whole system as one text, a stream of YAML documents: its system.yaml, its machines in order, its clauses.

    `read_stream` reads it back as the same system. Raises MisuseError if no text says what it does.
    """
    documents = [_written(Drafter(None, []), unbuild.system(system, CLAUSES))]
    documents += map(write_machine, system.machines)
    documents += [write_clauses(system.clauses)] if system.clauses else []
    return BETWEEN[1:].join(documents)


def _shape(root: Node) -> Shape:
    if isinstance(root, Sequence):
        return CLAUSE_LIST
    keys = {key.text for key, _ in root.pairs} if isinstance(root, Mapping) else set()
    return Use(next((kind for kind in ("scenario", "system") if kind in keys), "machine"))


def _written(drafter: Drafter, root: Node, shape: Shape | None = None) -> str:
    limit = len(drafter.source.text) if drafter.source else 0
    head = drafter.leading(root.span[0]) if drafter.source else []
    draft = drafter.draft(root, shape or _shape(root), limit)
    assert isinstance(draft, Group)
    draft.tail += drafter.leading(limit + 1)
    draft.items[0].before = [line for line in draft.items[0].before if line]
    lines: list[str] = []
    for line in [*head, *block(draft, 0)]:
        if line or (lines and lines[-1]):
            lines.append(line)
    return "\n".join(lines).rstrip("\n") + "\n"
