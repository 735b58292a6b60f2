"""What a check of systems found, and the sum."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from outlast.cli.render.problems import problems
from outlast.cli.render.words import columns, counted, coverage_text
from outlast.loading import Checked


def name_of(name: str, found: Checked) -> str:
    """What a system is called; what was typed, if it cannot be known."""
    return found.plan.name if found.plan else name


def checked(name: str, found: Checked, *, width: int | None = None) -> Group:
    """All that was found in one system, warnings last, and what it consists of."""
    return Group(*_checked(name, found, width))


def _checked(name: str, found: Checked, width: int | None) -> Iterator[RenderableType]:
    warnings = [item for item in found.problems if item.severity == "warning"]
    for group in (found.errors, warnings):
        if group:
            yield from (problems(group), Text())
    grid = columns(widths=(width, None))
    if found.plan is None:
        grid.add_row(Text(name, style="title"), Text("cannot be compiled", style="bad"))
    else:
        size = f"{counted(len(found.plan.machines), 'machine')}, {counted(len(found.scenarios), 'scenario')}"
        grid.add_row(Text(name_of(name, found), style="title"), Text(size))
        if found.plan.clauses:
            grid.add_row("", Text(f"clauses: {coverage_text(found.plan)}"))
    yield grid


def total(found: Sequence[Checked]) -> Text:
    """The sum in one line."""
    errors = sum(len(item.errors) for item in found)
    warnings = sum(len(item.problems) for item in found) - errors
    parts = [counted(number, noun) for number, noun in ((errors, "problem"), (warnings, "warning")) if number]
    words = " and ".join(parts) if parts else "no problems"
    if len(found) > 1:
        words += f" in {len(found)} systems"
    return Text(words, style="bad" if errors else "doubt" if warnings else "good")
