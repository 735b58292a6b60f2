"""`happen`: a story settles the moment of a `within` row."""

from __future__ import annotations

import attrs
import pytest

from outlast.language import read_machine, read_scenario
from outlast.model import System
from outlast.place import Word
from outlast.plan import Plan, compile_system
from outlast.run import run_scenario

MACHINE = """
machine: m
events: {again: {}}
states: {a: {}, b: {}, c: {}}
transitions:
  - {id: over, from: a, within: 10m, to: b}
  - {id: late, from: a, after: 5m, to: c}
  - {id: again, from: [a, b, c], event: again, to: a}
"""


@pytest.fixture(scope="module")
def plan() -> Plan:
    """One machine with a `within` row that stands before an `after` row."""
    machine, problems = read_machine(MACHINE)
    assert machine
    assert problems == []
    plan, unresolved = compile_system(System(Word("s"), machines=(machine,)))
    assert unresolved == ()
    return plan


ROWS = [  # steps, then the state after each instant that is asked for; "!": a step does not come about
    ("{at: 3m, happen: {m x: over}}", {"2m": "a", "3m": "b", "10m": "b"}, True),
    ("{at: 0m, happen: {m x: over}}", {"0m": "b"}, True),
    ("{at: 5m, happen: {m x: over}}", {"5m": "b"}, True),  # in the order of what is due: `over` stands first
    ("{at: 6m, happen: {m x: over}}", {"6m": "c"}, False),  # `late` was earlier
    ("{at: 11m, happen: {m x: over}}", {"11m": "c"}, False),  # beyond its bound
    ("{at: 3m, m x: again}, {at: 7m, happen: {m x: over}}", {"3m": "a", "7m": "b"}, True),
    ("{at: 3m, m x: again}, {at: 3m, happen: {m x: over}}", {"3m": "b"}, True),  # the timer armed by `again`
    ("{at: 3m, happen: {m x: over}}, {at: 3m, m x: again}", {"3m": "a"}, True),  # the one armed before
    ("{at: 1m, happen: {m x: over}}, {at: 2m, m x: again}, {at: 4m, happen: {m x: over}}", {"1m": "b", "3m": "a", "4m": "b"}, True),
]  # fmt: skip


@pytest.mark.parametrize(("steps", "states", "well"), ROWS, ids=[row[0] for row in ROWS])
def test_a_moment(plan: Plan, steps: str, states: dict[str, str], well: bool) -> None:
    """The row fires then if it can, and the story fails if it does not."""
    expected = "".join(f"  - {{at: {at}, m x: {state}}}\n" for at, state in states.items())
    story, problems = read_scenario(f"scenario: s\ngiven: {{m x: {{}}}}\nsteps: [{steps}]\nexpect:\n{expected}")
    assert story
    assert problems == []
    run = run_scenario(plan, story)
    seen = {verdict.wanted: verdict.status for verdict in run.verdicts}

    assert (seen.pop("happens", "held") == "held") is well
    assert set(seen.values()) == {"held"}


def test_a_row_that_begins_to_wait_again() -> None:
    """A moment that is told is one: the timer armed when it has come stands for the next."""
    machine, _ = read_machine(MACHINE.replace("to: b}", "to: a}").replace("after: 5m", "after: 50m"))
    assert machine
    plan, _ = compile_system(System(Word("s"), machines=(machine,)))
    steps = "{at: 3m, happen: {m x: over}}, {at: 3m, happen: {m x: over}}, {at: 7m, happen: {m x: over}}"
    story, _ = read_scenario(f"scenario: s\ngiven: {{m x: {{}}}}\nsteps: [{steps}]\nexpect: [{{at: 8m, m x: a}}]")
    assert story
    run = run_scenario(plan, story)

    assert run.ok
    assert [moment.at for moment in run.moments if moment.step.cause == "timer"] == [
        180_000_000,
        180_000_000,
        420_000_000,
    ]


def test_only_a_within_row_has_a_moment(plan: Plan) -> None:
    """Any other row is unknown here."""
    story, _ = read_scenario("scenario: s\ngiven: {m x: {}}\nsteps: [{at: 1m, happen: {m x: late}}]")
    assert story
    with pytest.raises(Exception, match="no within is called `late`"):
        run_scenario(plan, attrs.evolve(story))
