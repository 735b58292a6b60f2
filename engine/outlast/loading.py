"""From a name or a path to a plan: reading, compiling and checking in one call."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path

import attrs

from outlast import catalog, model
from outlast.errors import Problem, SpecError, UnknownName
from outlast.language import read_scenario, read_stream, read_system_files, source
from outlast.place import Place, place_of
from outlast.plan import Plan, compile_system, under
from outlast.plan.lint import lint
from outlast.plan.overlap import Decide, example
from outlast.run.staging import as_story, problems_of
from outlast.values import frozen


@frozen(eq=False)
class Checked:
    """A system with everything that is wrong with it; `plan` is None when it cannot be compiled at all."""

    plan: Plan | None
    problems: tuple[Problem, ...]
    scenarios: tuple[model.Scenario, ...] = ()

    @property
    def errors(self) -> tuple[Problem, ...]:
        """What keeps the system from being used."""
        return tuple(problem for problem in self.problems if problem.severity == "error")


def find(name_or_path: str | os.PathLike[str]) -> Path:
    """The folder or file of a system: the name of a bundled one, or a path. Raises UnknownName."""
    text = os.fspath(name_or_path)
    path = Path(text)
    if path.name == text and (catalog.specs() / path / "system.yaml").is_file():
        return catalog.specs() / path
    if not path.exists():
        raise UnknownName("bundled system or path", text, catalog.bundled())
    return path


def load(name_or_path: str | os.PathLike[str], readings: Mapping[str, str] | None = None) -> Plan:
    """The plan of a bundled system, a system's folder, or a single machine's file, under `readings`.

    Raises UnknownName for what is not there, SpecError with every problem of what is. Does not lint: see `check`. While the files of a
    system hold the same bytes, its plan is the same object.
    """
    plan, problems = _compiled(find(name_or_path))
    if plan is None or problems:
        raise SpecError(problems)
    return under(plan, readings or {})


@lru_cache(maxsize=32)
def load_text(text: str, file: str = "text") -> Plan:
    """The plan of a whole system as one text, as `outlast.language.writer.write_stream` writes it; no file is looked at.

    `file` is what places in it are said to be in. Raises SpecError. For the same text it is the same object.
    """
    read = read_stream(text, file)
    plan, problems = _plan_of(read.system, read.problems)
    if plan is None or problems:
        raise SpecError(problems)
    return plan


def check(name_or_path: str | os.PathLike[str], decide: Decide = example) -> Checked:
    """Everything `load` looks at, and lint (see there for `decide`), and the system's scenarios. Raises UnknownName only."""
    path = find(name_or_path)
    plan, problems = _compiled(path)
    if plan is None or problems:
        return Checked(None, _sorted(problems))
    found = [*lint(plan, decide)]
    for composition in plan.compositions.values():
        found += problems_of(plan, as_story(composition.source))
    scenarios: list[model.Scenario] = []
    for file in scenario_files(path):
        scenario, wrong = read_scenario(file)
        found += wrong
        if scenario is not None and not wrong:
            if scenario.name != file.stem:
                text = f"the scenario `{scenario.name}` stands in {file.name}"
                found.append(
                    Problem("wrong-file", text, place_of(scenario.name), f"call the file {scenario.name}.yaml")
                )
            found += problems_of(plan, scenario)
            scenarios.append(scenario)
    return Checked(plan, _sorted(found), tuple(scenarios))


def scenario_files(system: Path) -> list[Path]:
    """The scenario files of a system's folder (or of the folder its system.yaml is in), by name."""
    system = system.parent if system.name == "system.yaml" else system
    return sorted((system / "scenarios").glob("*.yaml")) if system.is_dir() else []


def load_scenario(path: str | os.PathLike[str]) -> model.Scenario:
    """One scenario file. Raises SpecError."""
    scenario, problems = read_scenario(Path(path))
    if scenario is None or problems:
        raise SpecError(problems)
    return scenario


def scenarios(name_or_path: str | os.PathLike[str]) -> dict[str, model.Scenario]:
    """Name -> scenario for every scenario of a system. Raises UnknownName, SpecError."""
    found = (load_scenario(file) for file in scenario_files(find(name_or_path)))
    return {str(scenario.name): scenario for scenario in found}


@frozen(eq=False)
class _Sound:
    """A plan without problems, and the files it was made of with the hashes of their bytes."""

    plan: Plan
    files: tuple[tuple[Path, bytes], ...]

    def is_current(self) -> bool:
        """Whether every file holds what it held then: looked up byte by byte, since times of files are too coarse to tell."""
        try:
            return all(source.digest(file) == digest for file, digest in self.files)
        except OSError:
            return False


_sound: dict[Path, _Sound] = {}
_MOST = 64
"""So many sound systems are remembered; then all of them are forgotten."""


def _compiled(path: Path) -> tuple[Plan | None, tuple[Problem, ...]]:
    """The plan of a system, and what is wrong with it. One that was sound is not compiled again while its files are the same."""
    known = _sound.get(path)
    if known is None or not known.is_current():
        read = read_system_files(path)
        plan, problems = _plan_of(read.system, read.problems)
        if plan is None or problems:
            return plan, problems
        known = _Sound(plan, read.files)
        if len(_sound) >= _MOST:
            _sound.clear()
        _sound[path] = known
    return known.plan, ()


def _plan_of(system: model.System | None, problems: Iterable[Problem]) -> tuple[Plan | None, tuple[Problem, ...]]:
    problems = list(problems)
    if system is None:
        return None, _sorted(problems)
    plan, unresolved = compile_system(system)
    if problems:
        return None, _sorted((*problems, *(problem for problem in unresolved if _stands_alone(problem, problems))))
    return plan, _sorted(unresolved)


def _stands_alone(problem: Problem, read: Iterable[Problem]) -> bool:
    """Whether what compiling found is wrong in itself, not because something could not be read.

    Not on a line where reading failed already; and not a name that is missing only because its declaration was not
    understood: it does stand somewhere in its file as a key.
    """
    place = problem.place
    if place is None or any(
        other.place and (other.place.file, other.place.line) == (place.file, place.line) for other in read
    ):
        return False
    if problem.code == "no-states":
        return False
    missing = re.search(r"`([^`]+)`", problem.text) if problem.code.startswith("unknown-") else None
    return not (
        missing and any(re.search(rf"(?<![\w-]){re.escape(missing[1])}\s*:", text) for text in _texts(place, read))
    )


def _texts(place: Place, read: Iterable[Problem]) -> Iterator[str]:
    """The files in which something could not be read, and the one a problem stands in."""
    for file in dict.fromkeys([place.file, *(other.place.file for other in read if other.place)]):
        if Path(file).is_file():
            yield Path(file).read_text(encoding="utf-8", errors="replace")


def _sorted(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """In order of place, each once, each with its source line."""
    lines: dict[str, list[str]] = {}

    def with_excerpt(problem: Problem) -> Problem:
        if problem.place is None or problem.excerpt is not None:
            return problem
        file = problem.place.file
        if file not in lines:
            text = Path(file).read_text(encoding="utf-8", errors="replace") if Path(file).is_file() else ""
            lines[file] = text.splitlines()
        within = problem.place.line <= len(lines[file])
        return attrs.evolve(problem, excerpt=lines[file][problem.place.line - 1] if within else None)

    return tuple(with_excerpt(problem) for problem in sorted(dict.fromkeys(problems), key=lambda item: item.order))
