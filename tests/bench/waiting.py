"""Timers: what it costs to let one fire while very many wait."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import attrs

import outlast
from outlast import Plan, Snapshot, System
from tests.bench.machine import SPECS
from tests.bench.measuring import Run, cpu, spread
from tests.bench.report import Column, Table

FIRED = 1000
SIZES = (1_000, 10_000, 100_000, 1_000_000)


def tables(run: Run) -> Iterator[Table]:
    """One row for each size of the system."""
    plan = outlast.load(SPECS / "waiting.yaml")
    rows = []
    for size in SIZES[:2] if run.smoke else SIZES:
        system = crowd(plan, size)
        each = FIRED // run.rounds
        taken = [cpu(partial(fire, system), each) / each for _ in range(run.rounds)]
        fired = sum(snapshot.configuration == ("expired",) for snapshot in system.world.values())
        assert fired == each * run.rounds, f"{fired} timers have fired, not {each * run.rounds}"
        rows.append((f"{size:,} timers waiting", (spread([seconds * 1e6 for seconds in taken]),)))
    about = "A system whose instances each wait for a timer of their own: `advance` past the next that is due, one at a time."
    yield Table("Timers", about, (Column("µs for one to fire", spread=True),), tuple(rows))


def crowd(plan: Plan, size: int) -> System:
    """A system of so many instances, the timer of each due a microsecond after that of the one before."""
    one = System(plan)
    first = one.add("job", "first").snapshot
    (timer,) = first.timers

    def waiting(number: int) -> Snapshot:
        due = timer.due + number
        return attrs.evolve(first, id=f"j{number}", timers=(attrs.evolve(timer, due=due, latest=due),))

    many = tuple(waiting(number) for number in range(size))
    return System.restore(plan, attrs.evolve(one.snapshot(), instances=many))


def fire(system: System, count: int) -> None:
    """Let time pass up to the next timer, so many times."""
    for _ in range(count):
        due = system.next_due
        assert due is not None
        (step,) = system.advance_to(due)
        assert step.taken == ("run-out",)
