"""python-statemachine: a class with states and events as attributes, or a text in YAML."""

from __future__ import annotations

from typing import Any

from statemachine import State, StateMachine
from statemachine.io import load

from tests.bench.contender import Contender, one_by_one
from tests.bench.machine import FINAL, LIMIT, ROWS, STATES


class _Fields:
    def __init__(self) -> None:
        self.enabled, self.limit, self.count = True, LIMIT, 0

    def may(self) -> bool:
        return self.enabled and self.count < self.limit

    def add(self) -> None:
        self.count += 1


def _declare() -> Any:
    states = {name: State(initial=name == "queued", final=name in FINAL) for name in STATES}
    events: dict[str, Any] = {}
    for source, event, target in ROWS:
        guarded = {"cond": "may", "on": "add"} if event == "reattach" else {}
        row = states[source].to(states[target], **guarded)
        events[event] = events[event] | row if event in events else row
    return type("Job", (StateMachine,), states | events)


_Job = _declare()
_TEXT = """
name: Job
datamodel: {enabled: "True", limit: "1000000000", count: "0"}
states:
  queued: {initial: true, transitions: [{event: start, target: interactive}]}
  interactive:
    transitions:
      - {event: detach, target: background}
      - {event: checkpoint, target: resumable}
      - {event: finish, target: completed}
      - {event: fail, target: failed}
  background:
    transitions:
      - {event: disconnect, target: grace}
      - {event: finish, target: completed}
      - {event: fail, target: failed}
  grace:
    transitions:
      - event: reattach
        target: interactive
        cond: enabled and count < limit
        on: [{assign: {location: count, expr: count + 1}}]
      - {event: timeout, target: expired}
  resumable: {transitions: [{event: requeue, target: queued}]}
  completed: {final: true}
  failed: {final: true}
  expired: {final: true}
"""

CONTENDERS = [
    Contender(
        name="python-statemachine",
        role="peer",
        new=lambda: _Job(_Fields()),
        run=one_by_one(lambda job: job.send),
        state=lambda job: str(next(iter(job.configuration)).id),
        count=lambda job: int(job.model.count),
        distribution="python-statemachine",
        program="import statemachine",
        load=lambda: load(_TEXT, format="yaml"),
    )
]
