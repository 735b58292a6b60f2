"""What a set of runs has exercised: rows taken, and for each leaf of each guard whether it was ever seen true and ever false.

An observer from outside: it is shown Steps, and evaluates the guards once more from what each Step kept. The engine does not know it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import attrs

from outlast.expr import Context, Expr, compiled, render, tree
from outlast.plan import Plan, Transition
from outlast.run import Snapshot, Step


@attrs.frozen(order=True)
class LeafOutcome:
    """One condition of the guard of one row being true, or being false."""

    machine: str
    row: str
    leaf: str
    outcome: bool

    def __str__(self) -> str:
        return f"{self.machine}.{self.row}: `{self.leaf}` never {str(self.outcome).lower()}"


@attrs.define(eq=False)
class Coverage:
    """Give `watch` to whatever runs; ask afterwards. Rows of several sources count as one."""

    plan: Plan
    taken: dict[tuple[str, str], int] = attrs.field(factory=dict)
    """(machine, row) -> how often."""
    outcomes: set[LeafOutcome] = attrs.field(factory=set)

    def watch(self, step: Step) -> None:
        """Take note of one Step."""
        name = step.after.machine
        for row in step.taken:
            self.taken[name, row] = self.taken.get((name, row), 0) + 1
        heard = set(step.before.configuration)
        reached = heard | set(step.entered)
        machine = step.plan.machines[name]
        for arrow in machine.transitions:
            if arrow.guard is None:
                continue
            source = machine.states[arrow.source].name
            if arrow.kind == "eventless" and source in reached:
                self._look(step, arrow, step.after, {*step.after.configuration, source})
            elif source in heard and _listens(step, arrow):
                self._look(step, arrow, step.before, heard)

    def _look(self, step: Step, row: Transition, snapshot: Snapshot, configuration: set[str]) -> None:
        assert row.guard
        payload = dict(step.event.payload) if step.event else {}
        known = {"own id": snapshot.id}
        context = Context(snapshot.values, payload, configuration, step.others, step.plan.readings, known)
        for leaf in leaves(row.guard.expr):
            outcome = bool(compiled(leaf)(context))
            self.outcomes.add(LeafOutcome(snapshot.machine, row.id, render(leaf), outcome))

    # ---- asking

    @property
    def rows(self) -> tuple[tuple[str, str], ...]:
        """Every (machine, row) there is, in order."""
        rows = ((machine.name, row.id) for machine in self.plan.machines.values() for row in machine.transitions)
        return tuple(dict.fromkeys(rows))

    @property
    def not_taken(self) -> tuple[str, ...]:
        """The rows nothing has taken, as `machine.row`."""
        return tuple(f"{machine}.{row}" for machine, row in self.rows if (machine, row) not in self.taken)

    @property
    def possible(self) -> tuple[LeafOutcome, ...]:
        """Both outcomes of every leaf of every guard, in the order of the file."""
        return tuple(dict.fromkeys(_possible(self.plan)))

    @property
    def not_seen(self) -> tuple[LeafOutcome, ...]:
        """The outcomes nothing has shown."""
        return tuple(outcome for outcome in self.possible if outcome not in self.outcomes)

    def clauses(self) -> frozenset[str]:
        """The clauses cited by rows that were taken."""
        cited = (
            clause
            for machine in self.plan.machines.values()
            for row in machine.transitions
            if (machine.name, row.id) in self.taken
            for clause in row.because
        )
        return frozenset(cited)


def leaves(guard: Expr) -> Iterator[Expr]:
    """The conditions a guard is made of, below `and`, `or`, `not` and names, from left to right."""
    match guard:
        case tree.Named(body=body):
            yield from leaves(body)
        case tree.Not(operand=operand):
            yield from leaves(operand)
        case tree.All(parts=parts) | tree.Any(parts=parts):
            for part in parts:
                yield from leaves(part)
        case _:
            yield guard


def _listens(step: Step, row: Transition) -> bool:
    if step.timer is not None:
        return row.key == step.timer
    return step.event is not None and bool(row.descriptors) and row.hears(step.event.name)


def _possible(plan: Plan) -> Iterable[LeafOutcome]:
    for machine in plan.machines.values():
        for row in machine.transitions:
            for leaf in leaves(row.guard.expr) if row.guard else ():
                for outcome in (True, False):
                    yield LeafOutcome(machine.name, row.id, render(leaf), outcome)
