"""Compiling: what the tables hold. What is not accepted is in tests/broken."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from outlast import model
from outlast.errors import UnknownName
from outlast.expr import DURATION, Context, parse, render, tree
from outlast.language import read_machine
from outlast.place import Word
from outlast.plan import Plan, compile_system, matches, under

LAMP = """
machine: lamp
title: A lamp
fields: {power: {type: int, min: 1, max: 60, step: 5, default: 6}, warm: {type: bool, optional: true}}
refs: {grid: grid, timer: {machine: lamp, optional: true}}
events: {switch: {payload: {how: {enum: [soft, hard]}, by: string}}, switch.off: {payload: {how: {enum: [soft, hard], optional: true}}}}
guards: {bright: power > 30 and not overloaded, overloaded: grid.peak}
states:
  off: {}
  on:
    regions:
      level: {initial-transition: {to: high, do: [{set: {power: 11}}]}, states: {low: {}, high: {}}}
      colour: {states: {red: {}, blue: {initial: true}, last: {history: deep, to: red}}}
  broken: {final: true}
transitions:
  - {id: push, from: [off, on], event: switch, when: event.how is soft, to: last}
  - {id: burn, from: on, after: lifetime - 1h, to: broken}
  - {id: flicker, from: on, within: 3s}
  - {id: trip, from: on, event: grid.down, to: off}
  - {id: end, from: on, done: on, to: off}
  - {id: child, from: on, done: timer, to: off}
  - {id: fuse, from: low, when: timer.bright, to: high}
"""
GRID = """
machine: grid
guards: {peak: load >= 7 and self is not down}
fields: {load: {type: int, default: 3}}
states: {up: {}, down: {}}
"""


def system(texts: Mapping[str, str], **parts: object) -> model.System:
    """A system of machines."""
    machines = []
    for name, text in texts.items():
        machine, problems = read_machine(text, f"{name}.yaml")
        assert machine
        assert problems == []
        machines.append(machine)
    return model.System(Word("house"), machines=tuple(machines), **parts)  # type: ignore[arg-type]  # whatever a test needs


CONSTANTS = (model.Constant(Word("year"), parse("365d")), model.Constant(Word("lifetime"), parse("2 * year")))
ASSUMPTIONS = (model.Assumption(Word("A-1"), "Which?", ((Word("this"), ""), (Word("that"), "")), Word("this")),)


@pytest.fixture(scope="module")
def plan() -> Plan:
    """The lamp and its grid."""
    compiled, problems = compile_system(
        system({"lamp": LAMP, "grid": GRID}, constants=CONSTANTS, assumptions=ASSUMPTIONS)
    )
    assert problems == ()
    return compiled


def test_states_are_numbered_in_document_order(plan: Plan) -> None:
    """The descendants of a state are the numbers that follow it."""
    lamp = plan.machines["lamp"]

    rows = [(state.name, state.kind, state.parent, state.end, state.children, state.histories) for state in lamp.states]

    assert rows == [
        ("off", "atomic", -1, 1, (), ()),
        ("on", "parallel", -1, 9, (2, 5), ()),
        ("level", "composite", 1, 5, (3, 4), ()),
        ("low", "atomic", 2, 4, (), ()),
        ("high", "atomic", 2, 5, (), ()),
        ("colour", "composite", 1, 9, (6, 7), (8,)),
        ("red", "atomic", 5, 7, (), ()),
        ("blue", "atomic", 5, 8, (), ()),
        ("last", "deep-history", 5, 9, (), ()),
        ("broken", "final", -1, 10, (), ()),
    ]
    assert lamp.state("red").ancestors == (5, 1)
    assert [state.name for state in lamp.states if lamp.state("on").holds(state.index)] == [
        *("level", "low", "high", "colour", "red", "blue", "last")
    ]


def test_every_composite_knows_where_it_begins(plan: Plan) -> None:
    """The marked child, the first one, or what the initial transition says."""
    lamp = plan.machines["lamp"]

    defaults = {state.name: state.default.targets for state in lamp.states if state.default}

    assert defaults == {"level": (4,), "colour": (7,), "last": (6,)}
    assert lamp.default.targets == (0,)


def test_rows_are_one_for_each_source(plan: Plan) -> None:
    """Their order is that of the file, and so is their priority; timers stand apart."""
    lamp = plan.machines["lamp"]

    rows = [(row.key, lamp.states[row.source].name, row.kind, row.trigger) for row in lamp.transitions]

    assert rows == [
        ("push@off", "off", "event", "switch"),
        ("push@on", "on", "event", "switch"),
        ("burn", "on", "after", "after lifetime - 1h"),
        ("flicker", "on", "within", "within 3s"),
        ("trip", "on", "event", "grid.down"),
        ("end", "on", "done", "done.state.on"),
        ("child", "on", "done", "done.invoke.timer"),
        ("fuse", "low", "eventless", ""),
    ]
    assert lamp.state("on").transitions == (1, 4, 5, 6)
    assert lamp.state("on").timers == (2, 3)


def test_constants_are_computed(plan: Plan) -> None:
    """From literals and the constants before them."""
    burn = plan.machines["lamp"].arrows["burn"]

    assert burn.delay
    assert burn.delay.run(Context()) == (2 * 365 * 24 - 1) * 3_600_000_000
    assert tree.type_of(burn.delay.expr) == DURATION


def test_a_guard_read_through_a_ref_reads_through_that_ref(plan: Plan) -> None:
    """`timer.bright` is the guard of another lamp, which looks at the grid of that lamp."""
    lamp = plan.machines["lamp"]
    guard = lamp.arrows["fuse"].guard
    assert guard
    assert isinstance(guard.expr, tree.Named)

    read = [render(node) for node in tree.walk(guard.expr.body) if isinstance(node, tree.Far | tree.Inside)]

    assert read == ["timer.power", "timer.grid.load", "timer.grid is down"]
    assert ("timer", "grid") in lamp.slots
    assert lamp.watches == ((("grid",), "down"),)


def test_the_payload_of_a_row_is_what_all_its_events_carry(plan: Plan) -> None:
    """`switch` hears `switch.off` too, whose `how` may be absent."""
    guard = plan.machines["lamp"].arrows["push@off"].guard
    assert guard

    payload = [node for node in tree.walk(guard.expr) if isinstance(node, tree.Payload)]

    assert [(node.name, node.optional) for node in payload] == [("how", True)]


def test_readings_are_chosen_without_compiling_again(plan: Plan) -> None:
    """`under` gives the same tables under other readings, and knows which there are."""
    other = under(plan, {"A-1": "that"})

    assert (plan.readings, other.readings) == ({"A-1": "this"}, {"A-1": "that"})
    assert other.machines is plan.machines
    assert plan.alternatives == (("A-1", "that"),)
    with pytest.raises(UnknownName, match="no assumption is called `A-2`"):
        under(plan, {"A-2": "that"})
    with pytest.raises(UnknownName, match="no reading of A-1 is called `thad`"):
        under(plan, {"A-1": "thad"})


def test_the_hash_names_what_was_written(plan: Plan) -> None:
    """Comments and places do not count, a number does."""

    def hashed(text: str) -> str:
        parts = {"lamp": text, "grid": GRID}
        return compile_system(system(parts, constants=CONSTANTS, assumptions=ASSUMPTIONS))[0].hash

    assert hashed("# a lamp\n\n" + LAMP) == plan.hash
    assert hashed(LAMP.replace("within: 3s", "within: 4s")) != plan.hash


@pytest.mark.parametrize(
    ("descriptor", "event", "heard"),
    [
        ("a", "a", True),
        ("a", "a.b", True),
        ("a", "ab", False),
        ("a.b", "a", False),
        ("a.*", "a", True),
        ("a.", "a.b.c", True),
        ("*", "anything.at.all", True),
    ],
)
def test_event_descriptors(descriptor: str, event: str, *, heard: bool) -> None:
    """SCXML 3.12.1: token by token."""
    assert matches(descriptor, event) is heard


def test_problems_do_not_hide_each_other() -> None:
    """One wrong name in every part of a machine, and each is told."""
    text = """
machine: m
fields: {f: {type: int, default: nought}}
refs: {r: nobody}
events: {go: {by: someone}}
guards: {g: ff > 1}
requires: [{id: q, that: f > g, says: No.}]
states: {a: {entry: [{emit: nothing}]}, b: {}}
transitions:
  - {id: one, from: c, event: gone, to: d}
"""

    _, problems = compile_system(system({"m": text}))

    assert sorted(problem.code for problem in problems) == [
        "unknown-actor",
        "unknown-effect",
        "unknown-event",
        "unknown-machine",
        "unknown-name",
        "unknown-name",
        "unknown-state",
        "unknown-state",
        "wrong-type",
    ]
    assert all(problem.place for problem in problems)
