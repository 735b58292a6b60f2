"""transitions: what every ratio is a ratio to."""

from __future__ import annotations

from typing import Any

from transitions import Machine
from transitions.extensions import HierarchicalMachine

from tests.bench.contender import Contender, one_by_one
from tests.bench.machine import LIMIT, ROWS, STATES


class Job:
    """The model a machine is put upon."""

    state: str
    trigger: Any

    def __init__(self) -> None:
        self.enabled, self.limit, self.count = True, LIMIT, 0

    def may(self) -> bool:
        """The guard."""
        return self.enabled and self.count < self.limit

    def add(self) -> None:
        """The action."""
        self.count += 1


def _contender(name: str, kind: Any) -> Contender:
    guarded = {"reattach": {"conditions": "may", "before": "add"}}
    rows = [{"source": a, "trigger": event, "dest": b, **guarded.get(event, {})} for a, event, b in ROWS]
    machine = kind(
        model=None, states=list(STATES), transitions=rows, initial="queued", auto_transitions=False, send_event=False
    )

    def new() -> Job:
        job = Job()
        machine.add_model(job)
        machine.models.clear()  # it would look for the next one among all before it
        return job

    return Contender(
        name=name,
        role="peer",
        new=new,
        run=one_by_one(lambda job: job.trigger),
        state=lambda job: str(job.state),
        count=lambda job: int(job.count),
        distribution="transitions",
        program="import transitions",
    )


CONTENDERS = [_contender("transitions", Machine), _contender("transitions, nested", HierarchicalMachine)]
