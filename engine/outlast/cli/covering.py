"""`outlast draw --coverage`: how often a table of cases takes every row. Loaded when asked for: it brings the runners of tables."""

from __future__ import annotations

from outlast.cli import testing
from outlast.cli.pictures import chosen, picture
from outlast.errors import MisuseError
from outlast.plan import Plan
from outlast.proofs.coverage import Coverage
from outlast.views.graph import machine_graph
from outlast.views.heat import coverage_marks


def coverage(plan: Plan, machine: str | None, table: str) -> dict[str, str]:
    """Name -> SVG of machines after a run of the table. Raises MisuseError for a table about another system."""
    found = testing.gather((table,), "")
    if found.plan.name != plan.name:
        raise MisuseError(f"`{table}` is about {found.plan.name}, not {plan.name}")
    seen = Coverage(found.plan)
    for _ in testing.judged(found, "system", seen):
        pass
    return {
        name: picture(plan, machine_graph(plan, name), coverage_marks(plan, name, seen.taken))
        for name in chosen(plan.machines, machine)
    }
