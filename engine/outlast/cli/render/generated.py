"""What a generated table covers, on a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from outlast.cli.render.words import columns, counted
from outlast.cli.shapes import Data
from outlast.proofs.generate import Generated, Goal, Kind

KINDS: dict[Kind, tuple[str, str]] = {
    "state": ("state", ""),
    "transition": ("row", ""),
    "pair": ("pair of rows", "pairs of rows"),
    "timer": ("timer", ""),
    "value": ("bound of a value", "bounds of values"),
}


def summary(found: Generated) -> Iterator[RenderableType]:
    """The size of the table, what it covers, and what is missing with the reasons."""
    steps = f"{counted(len(found.suite.cases), 'case')}, {counted(found.steps, 'step')}"
    yield Text.assemble((str(found.suite.name), "name"), f": {steps}, of which {found.refusals} are refused")
    for kind, (noun, plural) in KINDS.items():
        done, total = found.count(kind)
        if total:
            of_all = f"{done} of " if done < total else "all of "
            yield Text(f"  {of_all}{counted(total, noun, plural)} covered", style="good" if done == total else "doubt")
    grid = columns()
    for item in found.missing:
        grid.add_row(Text(f"    {said(item.goal)}"), Text(item.reason, style="quiet"))
    if found.missing:
        yield grid


def said(goal: Goal) -> str:
    """`job.grace-over`."""
    return f"{goal.machine}.{' → '.join(goal.words)}"


def data(found: Generated, file: str) -> Data:
    """The same as data: the form of `outlast generate --json`."""
    kinds = dict.fromkeys(goal.kind for goal in (*found.covered, *(item.goal for item in found.missing)))
    return {
        "suite": str(found.suite.name),
        "file": file,
        "cover": found.cover,
        "cases": len(found.suite.cases),
        "steps": found.steps,
        "refusals": found.refusals,
        "covered": {kind: found.count(kind)[0] for kind in kinds},
        "missing": [
            {"kind": item.goal.kind, "machine": item.goal.machine, "name": item.goal.name, "reason": item.reason}
            for item in found.missing
        ],
    }
