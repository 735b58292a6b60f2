"""hat-stc: hierarchical, with guards and actions, in a hundred lines."""

from __future__ import annotations

from typing import Any

import hat.stc

from tests.bench.contender import Contender, one_by_one
from tests.bench.machine import FINAL, LIMIT, ROWS, STATES


class Job:
    """A statechart and the fields its guard and its action are about."""

    def __init__(self) -> None:
        self.enabled, self.limit, self.count = True, LIMIT, 0
        self.chart = hat.stc.Statechart(_STATES, {"add": self.add}, {"may": self.may})

    def may(self, _chart: Any, _event: Any) -> bool:
        """The guard."""
        return self.enabled and self.count < self.limit

    def add(self, _chart: Any, _event: Any) -> None:
        """The action."""
        self.count += 1


def _state(name: str) -> Any:
    rows = [
        hat.stc.Transition(event, target, ["add"], ["may"])
        if event == "reattach"
        else hat.stc.Transition(event, target)
        for source, event, target in ROWS
        if source == name
    ]
    return hat.stc.State(name, transitions=rows, final=name in FINAL)


_STATES = [_state(name) for name in STATES]
_EVENTS = {event: hat.stc.Event(event) for _, event, _ in ROWS}

CONTENDERS = [
    Contender(
        name="hat-stc",
        role="peer",
        new=Job,
        run=one_by_one(lambda job: lambda event: job.chart.step(_EVENTS[event])),
        state=lambda job: str(job.chart.state),
        count=lambda job: int(job.count),
        distribution="hat-stc",
        program="import hat.stc",
    )
]
