"""The corpus of broken specifications: what is wrong with each stands in its first lines, and nothing else may be reported.

`# expect: code line:column "part of the message"`, one line for each problem. A folder is a system of several files: there the lines
stand in its system.yaml and say `file:line:column`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from outlast.errors import Problem
from outlast.language import is_scenario, read_scenario
from outlast.loading import check

CORPUS = Path(__file__).parent / "broken"
CASES = sorted(path for path in CORPUS.iterdir() if path.is_dir() or path.suffix == ".yaml")
_EXPECT = re.compile(r'# expect: ([\w-]+) (?:([\w-]+\.yaml):)?(\d+):(\d+) "(.*)"')


def problems_of(path: Path) -> Iterable[Problem]:
    """Everything that is wrong with a scenario, a machine, or a system: reading it, compiling it, and what lint says."""
    return read_scenario(path)[1] if path.is_file() and is_scenario(path) else check(path).problems


def expected_of(path: Path) -> list[tuple[str, str, int, int, str]]:
    """Code, file, line, column and a part of the message of every problem a case announces."""
    file = path / "system.yaml" if path.is_dir() else path
    found = []
    for line in file.read_text("utf-8").splitlines():
        if not line.startswith("# expect"):
            break
        match = _EXPECT.fullmatch(line)
        assert match, line
        found.append((match[1], match[2] or file.name, int(match[3]), int(match[4]), match[5]))
    return found


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_exactly_the_announced_problems_are_found(path: Path) -> None:
    """Every problem is reported once, at its place, and no other."""
    expected = expected_of(path)
    found = list(problems_of(path))

    assert expected or path.stem == "good"
    assert [row[:4] for row in expected] == [_where(problem) for problem in found]
    assert [part for (*_, part), problem in zip(expected, found, strict=True) if part not in str(problem)] == []


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_every_problem_shows_its_line(path: Path) -> None:
    """The excerpt of a problem is the line it stands on, and its column is in it."""
    for problem in problems_of(path):
        assert problem.place
        file = Path(problem.place.file)
        assert file.is_relative_to(path)
        assert file.read_text("utf-8").splitlines()[problem.place.line - 1] == problem.excerpt
        assert 1 <= problem.place.column <= len(problem.excerpt) + 1


def _where(problem: Problem) -> tuple[str, str, int, int]:
    assert problem.place
    return (problem.code, Path(problem.place.file).name, problem.place.line, problem.place.column)
