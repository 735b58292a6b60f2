"""automaton: a table of transitions; it knows no guards."""

from __future__ import annotations

from typing import Any

from automaton.machines import FiniteMachine

from tests.bench.contender import Contender, one_by_one
from tests.bench.machine import FINAL, ROWS, STATES


def _table() -> Any:
    machine = FiniteMachine()
    for state in STATES:
        machine.add_state(state, terminal=state in FINAL)
    for source, event, target in ROWS:
        machine.add_transition(source, target, event)
    machine.default_start_state = "queued"
    return machine


_TABLE = _table()


def _new() -> Any:
    machine = _TABLE.copy(shallow=True)
    machine.initialize()
    return machine


CONTENDERS = [
    Contender(
        name="automaton (no guards)",
        role="peer",
        new=_new,
        run=one_by_one(lambda machine: machine.process_event),
        state=lambda machine: str(machine.current_state),
        count=None,
        distribution="automaton",
        program="import automaton.machines",
    )
]
