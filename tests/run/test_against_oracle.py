"""Random machines: the interpreter agrees, step for step, with a naive one written straight from SCXML Appendix D."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import Phase, given, settings

from outlast import model
from outlast.errors import LimitExceeded
from outlast.language import read_machine
from outlast.plan import Plan, compile_system
from outlast.run import Event, Step, Terms, start, step
from outlast.run.instances import blank
from tests.oracle.appendix_d import Machine, Trace
from tests.oracle.appendix_d import run as oracle
from tests.oracle.machines import Run, runs, to_yaml
from tests.oracle.smaller import smaller

LIMIT = 100


def compiled(machine: Machine) -> Plan:
    """The plan of a machine given as plain data."""
    read, problems = read_machine(to_yaml(machine), "machine.yaml")
    assert read is not None, problems
    assert not problems, problems
    plan, unresolved = compile_system(model.System(read.name, machines=(read,)))
    assert not unresolved, unresolved
    return plan


def ours(machine: Machine, events: list[str]) -> list[object]:
    """What the engine does, in the words of `theirs`."""
    plan = compiled(machine)
    name = next(iter(plan.machines))
    terms = Terms(microsteps=LIMIT)
    told: list[object] = []
    try:
        done = start(plan, blank(plan, name, "x", {}, {}), 0, terms=terms)
        told.append(_told(plan, done))
        for event in events:
            done = step(plan, done.after, Event(event), 0, terms=terms)
            told.append(_told(plan, done))
    except LimitExceeded:
        told.append("endless")
    return told


def _told(plan: Plan, done: Step) -> object:
    machine = plan.machines[done.after.machine]
    return (
        [
            (
                micro.event,
                [machine.arrows[key].id for key in micro.transitions],
                list(micro.exited),
                list(micro.entered),
            )
            for micro in done.microsteps
        ],
        [effect.name for effect in done.effects],
        list(done.after.configuration),
        dict(zip(machine.fields, done.after.values, strict=True)),
        done.after.done,
    )


def theirs(machine: Machine, events: list[str]) -> list[object]:
    """What the oracle does."""
    return ["endless" if trace.endless else _trace(trace) for trace in oracle(machine, events, limit=LIMIT)]


def _trace(trace: Trace) -> object:
    microsteps = [
        (micro.event, list(micro.transitions), list(micro.exited), list(micro.entered)) for micro in trace.microsteps
    ]
    effects: list[Any] = [effect if isinstance(effect, str) else effect[0] for effect in trace.effects]
    return (microsteps, effects, list(trace.configuration), dict(trace.fields), trace.done)


def differs(machine: Machine, events: list[str]) -> bool:
    """Whether the two disagree anywhere."""
    return ours(machine, events) != theirs(machine, events)


@settings(phases=[Phase.explicit, Phase.reuse, Phase.generate], deadline=None, max_examples=300)
@given(runs())
def test_they_agree(drawn: Run) -> None:
    """Microsteps, effects, configuration, fields and doneness are the same after every event."""
    if differs(*drawn):
        machine, events = smaller(*drawn, differs)
        pytest.fail(f"{to_yaml(machine)}\n{events}\nours:   {ours(machine, events)}\ntheirs: {theirs(machine, events)}")
