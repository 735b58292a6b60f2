"""Numbers on the picture of a machine: how often its rows were taken, or how many instances sit in its states."""

from __future__ import annotations

from collections.abc import Mapping

from outlast.errors import UnknownName
from outlast.plan import Plan
from outlast.views.svg import Mark, MarkKind, Marks


def coverage_marks(plan: Plan, machine: str, taken: Mapping[tuple[str, str], int]) -> Marks:
    """How often each row of a machine was taken, by (machine, row); what never was steps back, and says 0."""
    counts = {row.id: taken.get((machine, row.id), 0) for row in plan.machines[machine].transitions}
    covered = sum(map(bool, counts.values()))
    legend: tuple[tuple[MarkKind, str], ...] = (
        ("hot", f"how often taken: {covered} of {len(counts)} rules at least once"),
        ("cold", "never"),
    )
    return Marks({row: _mark(count, counts) for row, count in counts.items()}, legend=legend)


def count_marks(plan: Plan, machine: str, counts: Mapping[str, int]) -> Marks:
    """How many instances sit in each state of a machine, by its name; those inside a composite are counted in it too.

    Raises UnknownName for what is no state of the machine.
    """
    states = plan.machines[machine].states
    for name in counts:
        if name not in plan.machines[machine].numbers:
            raise UnknownName(f"state of {machine}", name, plan.machines[machine].numbers)
    sums = {
        state.name: max(
            counts.get(state.name, 0), sum(counts.get(each.name, 0) for each in states if state.holds(each.index))
        )
        for state in states
        if not state.is_history and not _holds_regions(plan, machine, state.index)
    }
    legend: tuple[tuple[MarkKind, str], ...] = (("hot", "how many instances are there now"), ("cold", "none"))
    return Marks(boxes={name: _mark(count, sums) for name, count in sums.items()}, legend=legend)


def _holds_regions(plan: Plan, machine: str, index: int) -> bool:
    """Whether states below are active together, so that adding them up would count an instance twice."""
    states = plan.machines[machine].states
    return any(state.kind == "parallel" for state in states[index : states[index].end])


def _mark(count: int, all_of_them: Mapping[str, int]) -> Mark:
    """The number, and a line as strong as it is large beside the others."""
    most = max(all_of_them.values())
    kind: MarkKind = "cold" if not count else "hot" if 2 * count > most else "warm" if 10 * count > most else "mild"
    return Mark(kind, str(count))
