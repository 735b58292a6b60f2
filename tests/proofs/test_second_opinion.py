"""The library `transitions`, as an independent interpreter, agrees with ours; and it would be seen if it did not."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import attrs
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from outlast import LimitExceeded, Plan, load, model, scenarios, under
from outlast.expr import DURATION, tree
from outlast.moments import HOUR, MINUTE, SECOND
from outlast.place import Word
from outlast.plan import Machine, Transition
from outlast.plan.tables import Computed
from outlast.proofs.second_opinion import Difference, Unsupported, expressible, second_opinion
from tests.oracle.machines import SEEDS, random_run, to_yaml

SYSTEMS = {name: (load(name), scenarios(name)) for name in ("sagemaker", "tcp", "tour")}
INEXPRESSIBLE = {
    "coffee-machine": {"`making` is parallel", "`where-it-was` is a history"},
}
"""Machines on which there is no second opinion, with all the reasons."""

STORIES = [
    pytest.param(plan, scenario, dict(readings), id="-".join((name, *(f"{a}={r}" for a, r in readings))))
    for system in ("sagemaker", "tcp")
    for plan, told in [SYSTEMS[system]]
    for name, scenario in told.items()
    for readings in ((), *((alternative,) for alternative in plan.alternatives))
]


@pytest.mark.parametrize(("plan", "scenario", "readings"), STORIES)
def test_every_story_under_every_reading(plan: Plan, scenario: model.Scenario, readings: dict[str, str]) -> None:
    """State for state, after every step and at every instant at which something is due."""
    assert second_opinion(plan, scenario, readings) == []


def test_the_readings_matter() -> None:
    """The comparison does see what a reading changes: ours under one, the library under another."""
    plan, told = SYSTEMS["sagemaker"]
    seen = {
        (name, reading)
        for name, reading in plan.alternatives
        for scenario in told.values()
        if second_opinion(plan, scenario, theirs=under(plan, {name: reading}))
    }
    assert seen == set(plan.alternatives)


@pytest.mark.parametrize("name", [name for plan, _ in SYSTEMS.values() for name in plan.machines])
def test_what_the_library_cannot_express(name: str) -> None:
    """Exactly these machines are out of its reach, and it is said why."""
    machine = next(plan.machines[name] for plan, _ in SYSTEMS.values() if name in plan.machines)

    assert {item.reason for item in expressible(machine)} == INEXPRESSIBLE.get(name, set())


def test_an_inexpressible_machine_is_not_imitated() -> None:
    """A story with one of its instances has the reasons for an answer."""
    plan, told = SYSTEMS["tour"]
    found = second_opinion(plan, told["one-cup"])

    assert found
    assert all(isinstance(item, Unsupported) for item in found)
    assert str(found[0]) == "coffee-machine: `making` is parallel"


# ---- broken on purpose


def changed(machine: str, change: Callable[[Machine], Machine], plan: Plan) -> Plan:
    """The plan with one machine changed."""
    return attrs.evolve(plan, machines={**plan.machines, machine: change(plan.machines[machine])})


def row(key: str, change: Callable[[Transition], Transition]) -> Callable[[Machine], Machine]:
    """A change of one row."""

    def changing(machine: Machine) -> Machine:
        rows = tuple(change(each) if each.key == key else each for each in machine.transitions)
        assert rows != machine.transitions
        return attrs.evolve(machine, transitions=rows)

    return changing


def swapped(one: str, other: str) -> Callable[[Machine], Machine]:
    """Two rows in each other's place: their priority."""

    def changing(machine: Machine) -> Machine:
        first, second = machine.arrows[one], machine.arrows[other]
        rows = list(machine.transitions)
        rows[first.index] = attrs.evolve(second, index=first.index)
        rows[second.index] = attrs.evolve(first, index=second.index)
        return attrs.evolve(machine, transitions=tuple(rows))

    return changing


def silent(state: str) -> Callable[[Machine], Machine]:
    """A state without its entry and exit actions."""

    def changing(machine: Machine) -> Machine:
        assert machine.state(state).entry or machine.state(state).exit
        states = tuple(attrs.evolve(each, entry=(), exit=()) if each.name == state else each for each in machine.states)
        return attrs.evolve(machine, states=states)

    return changing


A_MINUTE = Computed(tree.Literal(MINUTE, DURATION))

BREAKS = {
    "priority": (
        "tcp",
        "endpoint",
        swapped("out-of-sequence@synchronized", "nothing-new"),
        "fields states timers under way",
    ),
    "guard": ("sagemaker", "job", row("start-background", lambda each: attrs.evolve(each, guard=None)), "states"),
    "target": ("sagemaker", "job", row("background-expires", lambda each: attrs.evolve(each, targets=(0,))), "states"),
    "deadline": ("sagemaker", "job", row("grace-over", lambda each: attrs.evolve(each, delay=A_MINUTE)), "timers"),
    "actions": ("sagemaker", "job", row("fail", lambda each: attrs.evolve(each, actions=())), "effects"),
    "entry": ("sagemaker", "job", silent("running-background"), "effects"),
    "exit": ("sagemaker", "job", silent("executing"), "refs"),
    "refusal": ("sagemaker", "job", row("start-unsigned", lambda each: attrs.evolve(each, refuse="")), "accepted"),
    "observation": ("sagemaker", "job", lambda machine: attrs.evolve(machine, watches=()), "states"),
}


@pytest.mark.parametrize("broken", BREAKS)
def test_a_difference_is_found(broken: str) -> None:
    """With one thing changed on the library's side, some story tells the two apart, and by what was changed."""
    system, machine, change, aspects = BREAKS[broken]
    plan, told = SYSTEMS[system]
    theirs = changed(machine, change, plan)
    found = [item for scenario in told.values() for item in second_opinion(plan, scenario, theirs=theirs)]

    assert found
    assert all(isinstance(item, Difference) for item in found)
    assert any(isinstance(item, Difference) and item.aspect in aspects for item in found)


# ---- stories nobody wrote


@cache
def cast(system: str) -> tuple[model.Given, ...]:
    """Who is on stage, from one of the system's own stories."""
    name = {"sagemaker": "the-order-of-the-switches", "tcp": "three-way-handshake"}[system]
    return SYSTEMS[system][1][name].given


@st.composite
def stories(draw: st.DrawFn, system: str) -> model.Scenario:
    """Events without payload, to anybody, at any time."""
    plan, _ = SYSTEMS[system]
    pauses = {"sagemaker": [0, MINUTE, HOUR, 9 * HOUR, 200 * HOUR], "tcp": [0, SECOND // 20, SECOND, 400 * SECOND]}[
        system
    ]
    events = [
        (who, event.name)
        for who in cast(system)
        for event in plan.machines[who.machine].events.values()
        if not event.internal and not event.payload
    ]
    at, steps = 0, list[model.Say]()
    for (who, event), pause in draw(st.lists(st.tuples(st.sampled_from(events), st.sampled_from(pauses)), max_size=25)):
        at += pause
        steps.append(model.Say(at, who.machine, who.name, Word(event)))
    ending = model.Expectation(at + 1_000 * HOUR)
    return model.Scenario(Word("drawn"), given=cast(system), steps=tuple(steps), expect=(ending,))


@pytest.mark.parametrize("system", ["sagemaker", "tcp"])
@given(data=st.data())
def test_drawn_stories(system: str, data: st.DataObject) -> None:
    """Whatever is said to whom and when, and under any one reading, the two agree."""
    plan, _ = SYSTEMS[system]
    readings = data.draw(st.sampled_from([{}, *({name: reading} for name, reading in plan.alternatives)]))

    assert second_opinion(plan, data.draw(stories(system)), readings) == []


@given(seed=SEEDS)
def test_drawn_machines(seed: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Small random machines, too: they agree, or the library cannot express the machine and that is said."""
    drawn, said = random_run(seed, 4)
    file = tmp_path_factory.getbasetemp() / "m.yaml"
    file.write_text(to_yaml(drawn), "utf-8")
    plan = load(file)
    steps = tuple(model.Say(at, Word("m"), Word("it"), Word(event)) for at, event in enumerate(said))
    story = model.Scenario(Word("drawn"), given=(model.Given(Word("m"), Word("it")),), steps=steps)
    try:
        found = second_opinion(plan, story)
    except LimitExceeded:
        assume(condition=False)
        raise

    assert found == list(expressible(plan.machines["m"]))
