"""Files -> systems, machines and scenarios. A system is a folder; what it names must be files in that folder."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar, cast

import attrs

from outlast import model
from outlast.errors import Problem, did_you_mean
from outlast.language.build import build
from outlast.language.grammar import CLAUSE_LIST, RECORDS
from outlast.language.nodes import Mapping, Node, Sequence, compose
from outlast.language.reader import Found, Reader
from outlast.language.source import Source, from_bytes, from_file, from_text
from outlast.place import Place, Word
from outlast.values import frozen

T = TypeVar("T")
Problems = list[Problem]
CLAUSES = "clauses.yaml"
"""The file of a system's clauses, where we give it its name."""
BETWEEN = "\n---\n"
"""What parts the documents of a stream: inside a document that is written by us no line begins so."""


def read_machine(text: str | bytes | Path, file: str = "") -> tuple[model.Machine | None, Problems]:
    """The machine of a text or file, as far as it could be read (None: not at all), and every problem found."""
    return _whole(text, file, "machine", model.Machine)


def read_scenario(text: str | bytes | Path, file: str = "") -> tuple[model.Scenario | None, Problems]:
    """The scenario of a text or file, as far as it could be read (None: not at all), and every problem found."""
    return _whole(text, file, "scenario", model.Scenario)


@frozen
class SystemFile:
    """A system.yaml by itself: a system without what is in other files, and the names of those."""

    system: model.System
    machines: tuple[Word, ...]
    clauses: Word | None


def read_system_file(text: str | bytes | Path, file: str = "") -> tuple[SystemFile | None, Problems]:
    """The system.yaml of a text or file, without looking at the files it names, and every problem found."""
    source = _source(text, file)
    return _system_file(source, compose(source)), _sorted(source.problems)


def read_clauses(text: str | bytes | Path, file: str = "") -> tuple[tuple[model.Clause, ...], Problems]:
    """The clauses of a text or file, and every problem found."""
    source = _source(text, file)
    return _clauses(source), _sorted(source.problems)


@frozen
class SystemRead:
    """A system as far as it could be read (None: not at all), every problem found, and its files with the SHA-256 of their bytes."""

    system: model.System | None
    problems: Problems
    files: tuple[tuple[Path, bytes], ...]


def read_system(path: str | Path) -> tuple[model.System | None, Problems]:
    """The system at `path`, as far as it could be read (None: not at all), and every problem found in all of its files.

    `path` is a folder with a system.yaml, such a file, or the file of one machine: a system of that machine alone.
    """
    read = read_system_files(path)
    return read.system, read.problems


def read_system_files(path: str | Path) -> SystemRead:
    """`read_system`, with which files it is made of."""
    path = Path(path)
    if path.is_dir():
        path = path / "system.yaml"
    source = _source(path, str(path))
    root = compose(source)
    if not _has_key(root, "system") and (path.name != "system.yaml" or _has_key(root, "machine")):
        machine = _document(source, root, "machine", model.Machine)
        system = model.System(machine.name, machines=(machine,), place=machine.place) if machine else None
        return SystemRead(system, _sorted(source.problems), _digests([source]))
    return _system(source, root, path.parent)


def read_stream(text: str, file: str) -> SystemRead:
    """The system of a text that `write_stream` wrote; `file` is what places in it are said to be in."""
    first, *parts = text.split(BETWEEN)
    source = from_text(first, f"{file}/system.yaml")
    read = _system_file(source, compose(source))
    sources = [source]
    if not read:
        return SystemRead(None, _sorted(source.problems), ())
    names = [f"{name}.yaml" for name in read.machines] + [CLAUSES] * (read.clauses is not None)
    if len(names) != len(parts):
        where = Place(source.file, 1, 1)
        source.report("missing-file", f"{len(names)} documents should follow, there are {len(parts)}", where)
    sources += (from_text(part, f"{file}/{name}") for name, part in zip(names, parts, strict=False))
    machines = [
        _document(part, compose(part), "machine", model.Machine) for part in sources[1 : len(read.machines) + 1]
    ]
    system = attrs.evolve(read.system, machines=tuple(machine for machine in machines if machine))
    if read.clauses is not None and len(names) == len(parts):
        system = attrs.evolve(system, clauses=_clauses(sources[-1]))
    return SystemRead(system, _sorted([problem for each in sources for problem in each.problems]), ())


def is_scenario(path: Path) -> bool:
    """Whether a file is a scenario rather than a machine or system: whether it has that key."""
    return _has_key(compose(_source(path, str(path))), "scenario")


def _source(text: str | bytes | Path, file: str) -> Source:
    """The source of a text, or of the file at a path; one that cannot be read is a problem at its beginning."""
    if isinstance(text, str):
        return from_text(text, file)
    if isinstance(text, bytes):
        return from_bytes(text, file)
    try:
        return from_file(text)
    except OSError as error:
        source = Source(str(text), "")
        if isinstance(error, FileNotFoundError):
            source.report("missing-file", f"there is no file `{text.name}`", source.place(0, 0))
        else:
            reason = (error.strerror or str(error)).lower()
            source.report("unreadable-file", f"`{text.name}` cannot be read: {reason}", source.place(0, 0))
        return source


def _whole(text: str | bytes | Path, file: str, record: str, kind: type[T]) -> tuple[T | None, Problems]:
    source = _source(text, file)
    return _document(source, compose(source), record, kind), _sorted(source.problems)


def _sorted(problems: Problems) -> Problems:
    return sorted(problems, key=lambda problem: problem.order)


def _has_key(root: Node | None, key: str) -> bool:
    return isinstance(root, Mapping) and any(name.text == key for name, _ in root.pairs)


def _document(source: Source, root: Node | None, record: str, kind: type[T]) -> T | None:
    """The value of a whole file."""
    found = _record(source, root, record)
    value = build(found) if found else None
    return value if isinstance(value, kind) else None


def _record(source: Source, root: Node | None, record: str) -> Found | None:
    if root is None:
        return None
    if not isinstance(root, Mapping):
        kind = "a list" if isinstance(root, Sequence) else "a text"
        keys = RECORDS[record].keys[0].name
        source.report(
            "wrong-kind", f"a file with {RECORDS[record].noun} begins with `{keys}: …`, this is {kind}", root.place
        )
        return None
    return Reader(source, build).record(root, RECORDS[record], record)


def _clauses(source: Source) -> tuple[model.Clause, ...]:
    root = compose(source)
    found = Reader(source, build).read(root, CLAUSE_LIST, "clauses") if root else None
    return cast("tuple[model.Clause, ...]", found or ())


def _system_file(source: Source, root: Node | None) -> SystemFile | None:
    found = _record(source, root, "system")
    if not found:
        return None
    return SystemFile(cast(model.System, build(found)), found.words("machines"), found.word("clauses"))


def _system(source: Source, root: Node | None, folder: Path) -> SystemRead:
    read, sources = _system_file(source, root), [source]
    if not read:
        return SystemRead(None, _sorted(source.problems), _digests(sources))
    machines = []
    for name in read.machines:
        if part := _part(source, folder, Word(f"{name}.yaml", name.place)):
            sources.append(part)
            machine = _document(part, compose(part), "machine", model.Machine)
            if machine:
                _same_name(part, machine, name)
                machines.append(machine)
    system = attrs.evolve(read.system, machines=tuple(machines))
    if read.clauses is not None and (part := _part(source, folder, read.clauses)):
        sources.append(part)
        system = attrs.evolve(system, clauses=_clauses(part))
    problems = [problem for each in sources for problem in each.problems]
    return SystemRead(system, _sorted(problems), _digests(sources))


def _digests(sources: Iterable[Source]) -> tuple[tuple[Path, bytes], ...]:
    return tuple((Path(source.file), source.digest) for source in sources)


def _same_name(part: Source, machine: model.Machine, name: Word) -> None:
    if machine.name != name and not machine.name.startswith("?"):
        place = machine.name.place or Place(part.file, 1, 1)
        part.report(
            "wrong-file",
            f"this is `{machine.name}`, in the file of `{name}`",
            place,
            "a machine stands in a file of its own name",
        )


def _part(source: Source, folder: Path, name: Word) -> Source | None:
    """A file the system names; None, with a problem where it is named, if there is none in the folder."""
    path = folder / name
    assert name.place
    try:
        if not path.resolve().is_relative_to(folder.resolve()):
            source.report("outside-folder", f"`{name}` leads out of the folder of the system", name.place)
            return None
        if not path.is_file():
            beside = sorted(file.name for file in folder.glob("*.y*ml") if file.name != "system.yaml")
            source.report(
                "missing-file", f"there is no file `{name}` beside this one", name.place, did_you_mean(name, beside)
            )
            return None
        return from_file(path)
    except OSError as error:
        source.report(
            "unreadable-file", f"`{name}` cannot be read: {(error.strerror or str(error)).lower()}", name.place
        )
        return None
