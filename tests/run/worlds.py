"""Small systems for the tests of the engine: machine files as text, compiled together."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import outlast
from outlast import System, Terms, model
from outlast.catalog import bundled
from outlast.language import read_machine
from outlast.place import Word
from outlast.plan import Plan, compile_system
from outlast.run import Step
from tests.oracle.appendix_d import Machine
from tests.oracle.machines import to_yaml

ACTORS = (model.Actor(Word("boss")), model.Actor(Word("guest")))


@cache
def plan_of(*machines: str) -> Plan:
    """The plan of machines given as text, with the actors `boss` and `guest`."""
    read = []
    for text in machines:
        machine, problems = read_machine(text, "machine.yaml")
        assert machine is not None, problems
        assert not problems, problems
        read.append(machine)
    plan, unresolved = compile_system(model.System(Word("test"), machines=tuple(read), actors=ACTORS))
    assert not unresolved, unresolved
    return plan


def random_plan(machine: Machine) -> Plan:
    """The plan of a random machine."""
    return plan_of(to_yaml(machine))


def system_of(*machines: str, terms: Terms | None = None) -> System:
    """A system of machines given as text."""
    return System(plan_of(*machines), terms=terms or Terms())


def told(*steps: Step) -> list[str]:
    """Steps in short: `instance cause: rows`, with `-` where no row was taken."""
    return [f"{step.instance} {step.event or step.cause}: {' '.join(step.taken) or '-'}" for step in steps]


def every_step(step: Step) -> list[Step]:
    """A step and all it caused."""
    return [step, *step.caused]


@cache
def bundled_plans() -> dict[str, Plan]:
    """The bundled systems."""
    return {name: outlast.load(name) for name in bundled()}


STORIES: list[tuple[str, Path]] = [
    (name, file) for name, folder in bundled().items() for file in sorted((folder / "scenarios").glob("*.yaml"))
]
"""Every bundled story: its system, its file."""
