"""Small changes of a system, one at a time, to see whether a table of cases notices.

A row is dropped, led elsewhere, its guard turned round, its time made a second longer. A mutant that no case kills is a rule to which
nobody holds an implementation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, TypeAlias

import attrs

from outlast import model
from outlast.expr import DURATION, tree
from outlast.moments import SECOND
from outlast.plan import Plan, compile_system
from outlast.proofs.conformance.judging import judge
from outlast.proofs.conformance.reading import FittedCase
from outlast.proofs.conformance.runners import SystemRunner
from outlast.proofs.coverage import Coverage
from outlast.values import frozen

Change: TypeAlias = Literal["drop", "retarget", "negate", "second"]


@frozen(eq=False)
class Mutant:
    """A system with one row changed."""

    machine: str
    row: str
    change: Change
    system: model.System
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.change} {self.machine}.{self.row}" + (f" ({self.detail})" if self.detail else "")


@frozen(eq=False)
class Fate:
    """What became of a mutant: the case that killed it, None if it survives."""

    mutant: Mutant
    killer: str | None


def mutants(system: model.System) -> Iterator[Mutant]:
    """Every change of one row."""
    for machine in system.machines:
        states = [state for top in machine.states for state in _leaves(top)]
        for number, row in enumerate(machine.transitions):
            for change, detail, rows in _changes(row, states):
                transitions = (*machine.transitions[:number], *rows, *machine.transitions[number + 1 :])
                changed = attrs.evolve(machine, transitions=transitions)
                machines = tuple(changed if each is machine else each for each in system.machines)
                yield Mutant(str(machine.name), str(row.id), change, attrs.evolve(system, machines=machines), detail)


def _leaves(state: model.State) -> Iterator[model.State]:
    if state.children:
        for child in state.children:
            yield from _leaves(child)
    else:
        yield state


def _changes(
    row: model.Transition, states: list[model.State]
) -> Iterator[tuple[Change, str, tuple[model.Transition, ...]]]:
    yield "drop", "", ()
    if row.guard is not None:
        yield "negate", "", (attrs.evolve(row, guard=tree.Not(row.guard)),)
    others = [state.name for state in states if state.name not in (*row.targets, *row.sources)]
    if row.targets and others:
        yield "retarget", f"to {others[0]}", (attrs.evolve(row, targets=(others[0],)),)
    if not row.targets and not row.refuse and others:
        yield "retarget", f"to {others[-1]}", (attrs.evolve(row, targets=(others[-1],)),)
    second = tree.Literal(SECOND, DURATION)
    match row.trigger:
        case model.After(delay=delay):
            yield "second", "", (attrs.evolve(row, trigger=model.After(tree.Arithmetic("+", delay, second))),)
        case model.Within(bound=bound):
            yield "second", "", (attrs.evolve(row, trigger=model.Within(tree.Arithmetic("+", bound, second))),)
        case _:
            pass


def fates(plan: Plan, cases: Iterable[FittedCase], chosen: Iterable[Mutant] | None = None) -> Iterator[Fate]:
    """Each mutant that can be compiled, with the case that kills it; cases that take the changed row are tried first."""
    cases = list(cases)
    takes = {id(case): _rows_taken(case) for case in cases}
    for mutant in chosen if chosen is not None else mutants(plan.source):
        changed, problems = compile_system(mutant.system)
        if changed is None or problems:
            continue
        runner = SystemRunner(changed)
        key = (mutant.machine, mutant.row)
        ordered = sorted(cases, key=lambda case: key not in takes[id(case)])
        killer = next((str(case.case.id) for case in ordered if judge(case, runner).status == "failed"), None)
        yield Fate(mutant, killer)


def _rows_taken(case: FittedCase) -> set[tuple[str, str]]:
    seen = Coverage(case.plan)
    SystemRunner(watch=seen.watch).run(case, case.case.bounds)
    return {*seen.taken, *((item.machine, item.row) for item in seen.outcomes)}
