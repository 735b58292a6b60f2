"""What an error looks like on standard error. Loaded when there is one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import attrs
from rich.text import Text

from outlast.cli.render.problems import problems
from outlast.cli.terminal import complain
from outlast.errors import OutlastError, Problem, SpecError


def about(error: OutlastError | OSError) -> None:
    """Print an error we expect: the problems of a specification each with its line, anything else in one line."""
    match error:
        case SpecError():
            complain(problems(_with_lines(error)))
        case OutlastError():
            complain(Text(f"outlast: {error}"))
        case _:
            complain(Text(f"outlast: {error.filename}: {(error.strerror or str(error)).lower()}"))


def _with_lines(error: SpecError) -> Iterator[Problem]:
    """The problems, each with the line it stands on, where its file can still be read."""
    for problem in error.problems:
        file = Path(problem.place.file) if problem.place else None
        if problem.excerpt is None and problem.place and file and file.is_file():
            lines = file.read_text("utf-8", "replace").splitlines()
            yield attrs.evolve(problem, excerpt="".join(lines[problem.place.line - 1 : problem.place.line]))
        else:
            yield problem
