"""What the walker gets: the plan's rows, numbers and words, and a clear line where it could not go on."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

import outlast
from outlast.errors import MisuseError
from outlast.expr import ANY, INT, STRING, leaves, render, tree
from outlast.plan import tables
from outlast.views.explorer.stories import one_of_each, story_of
from outlast.views.explorer.tables import EXACT, obstacle, tables_of
from tests.run.worlds import bundled_plans, plan_of

BEYOND = [  # what a row asks or does, or what a state does; and what is said about it
    ({"guard": tables.Computed(tree.Known("event name"))}, {}, "reads `[event name]`, which no machine file can"),
    ({"guard": tables.Computed(tree.Faulty("in Latin"))}, {}, "reads `[in Latin]`, which no machine file can"),
    ({"guard": tables.Computed(tree.Payload("x", ANY))}, {}, "reads `event.x`, which has no type"),
    (
        {"guard": tables.Computed(tree.Literal(2**53, INT))},
        {},
        "counts to 9007199254740992: JavaScript is exact up to 9007199254740991",
    ),
    (
        {"actions": (tables.Send("go", "far", None, address=tables.Computed(tree.Literal("x", STRING))),)},
        {},
        "sends to the address `'x'`",
    ),
    ({}, {"spawns": (tables.Spawn("kid", "m", forward=True),)}, "listens to what its child `kid` is told or says"),
    ({}, {"done_data": (("n", tables.Computed(tree.TRUE)),)}, "answers with data in `off`"),
]


@pytest.mark.parametrize("system", ["sagemaker", "tcp", "tour"])
def test_every_row_is_there(system: str) -> None:
    """Under its id, from its source, in the plan's order; so are the states, and the text of every leaf of every guard."""
    plan = bundled_plans()[system]
    data = tables_of(plan)
    for name, machine in plan.machines.items():
        written = data["machines"][name]
        rows = [(row["id"], source) for row in written.get("rows", []) for source in row["from"]]
        texts = {text for text, _ in written["leaves"]}
        guards = {render(leaf) for row in machine.transitions if row.guard for leaf in leaves(row.guard.expr)}

        assert [(row.id, row.source) for row in machine.transitions] == rows
        assert [state.name for state in machine.states] == [state["name"] for state in written["states"]]
        assert {text for text in guards if " not " not in text} <= texts | {
            text.replace(" not ", " ") for text in texts
        }


def test_one_export_serves_all_readings() -> None:
    """But for the readings themselves, nothing in the tables depends on them."""
    plan = bundled_plans()["sagemaker"]
    other = outlast.load("sagemaker", {"A-02": "pin"})

    assert tables_of(plan) | {"readings": {}} == tables_of(other) | {"readings": {}}


@pytest.mark.parametrize(("row", "state", "says"), BEYOND)
def test_what_it_cannot_do_is_said(row: dict[str, Any], state: dict[str, Any], says: str) -> None:
    """What only SCXML documents can say, or what is too large, is refused in one line."""
    plan = bundled_plans()["tour"]
    machine = plan.machines["coffee-machine"]
    changed = attrs.evolve(
        machine,
        transitions=(attrs.evolve(machine.transitions[0], **row), *machine.transitions[1:]),
        states=(attrs.evolve(machine.states[0], **state), *machine.states[1:]),
    )
    plan = attrs.evolve(plan, machines={machine.name: changed})

    assert obstacle(plan) == f"`coffee-machine` {says}"
    with pytest.raises(MisuseError, match="`tour` cannot be walked in JavaScript: `coffee-machine` "):
        tables_of(plan)


def test_numbers_beyond_its_own_are_refused() -> None:
    """JavaScript leaves integers out beyond 2^53."""
    machine = "machine: m\nfields: {{n: {{type: int, default: {}}}}}\nstates: {{a: {{}}}}"

    assert obstacle(plan_of(machine.format(EXACT))) is None
    assert "`n`" in str(obstacle(plan_of(machine.format(EXACT + 1))))


def test_a_story_is_all_it_needs() -> None:
    """Given, what is said, and the instants at which something is claimed; marked steps keep their mark."""
    story = story_of(bundled_plans()["sagemaker"], outlast.scenarios("sagemaker")["both-switches-off"])
    said = [step["send"]["event"] for step in story["steps"] if "send" in step]
    marked = [step for step in story["steps"] if "under" in step]

    assert ["start", "start", "sign-out", "disable-background", "disable-tip"] == said
    assert {
        "machine": "interactive-session",
        "instance": "ana",
        "state": "signed-in",
        "refs": {"center": "acme"},
    } in story["given"]
    assert [{"at": 605_700_000_000, "under": {"A-02": "pin"}}] == marked


def test_without_a_story() -> None:
    """One of each machine that can be made, bound to the others."""
    plan = bundled_plans()["sagemaker"]
    given = {part["instance"]: part for part in one_of_each(plan)["given"]}
    alone = one_of_each(attrs.evolve(plan, machines={"job": plan.machines["job"]}))

    assert list(plan.machines) == list(given)
    assert {"domain": "studio-domain", "session": "interactive-session"} == given["job"]["refs"]
    assert {"kind": "training"} == given["job"]["fields"]
    assert alone["given"] == []


def test_every_action_and_expression_is_exported() -> None:
    """Nothing of the plan's words is unknown to the export: each kind of action occurs, and each leads somewhere."""
    machine = """
machine: m
fields: {n: {type: int, default: 1, min: 0}, b: {type: bool, default: false}, d: {type: duration, optional: true}, k: {enum: [x, y], default: x}}
refs: {kid: {machine: m, optional: true}}
events: {go: {payload: {by: {type: int, default: 2}}}, later: {}}
effects: {told: {payload: {n: int}}}
states:
  a: {spawn: {kid: {machine: m}}, exit: [{cancel: soon}, {stop: kid}]}
  z: {final: true}
transitions:
  - {id: go, from: a, event: go, when: "(n + event.by * 2 - 1 > 3 or not b) and d is absent and kid.n in [1, 2] and kid is a",
     do: [{set: {n: n + event.by}}, {emit: {told: {n: n}}}, {raise: later}, {send: {event: later, to: kid, after: 3s, id: soon}},
          {if: "k != y", do: [{set: {b: true}}], else: [{set: {k: x}}]}], to: z}
"""
    plan = plan_of(machine)
    kinds = {type(action) for row in plan.machines["m"].transitions for action in row.actions}
    (row,) = tables_of(plan)["machines"]["m"]["rows"]

    assert kinds == {tables.Assign, tables.Emit, tables.Raise, tables.Send, tables.If}
    assert [next(iter(action)) for action in row["do"]] == ["set", "emit", "raise", "send", "if"]
    assert row["when"][0] == "all"
