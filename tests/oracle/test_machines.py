"""The random machines: well formed, printable, rich in what the standard is about; and counterexamples get small."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.oracle.appendix_d import Machine, run
from tests.oracle.features import count, features
from tests.oracle.legal import complaints, not_a_configuration
from tests.oracle.machines import SEEDS, events, machines, random_run, runs, to_yaml
from tests.oracle.smaller import smaller

AS_DRAWN = settings(phases=[Phase.explicit, Phase.reuse, Phase.generate], deadline=None)

OFTEN = {  # in how many of 100 runs each must be met at least
    "has parallel": 60,
    "has parallel inside parallel": 15,
    "has shallow history of a state": 30,
    "has shallow history of a parallel": 20,
    "has deep history of a state": 30,
    "has deep history of a parallel": 20,
    "has final state inside": 50,
    "has final state at the top": 15,
    "has initial transition of a state": 20,
    "has initial transition to history": 8,
    "has eventless row": 25,
    "has internal row": 25,
    "has row with several targets": 40,
    "has row with several sources": 40,
    "has guard": 60,
    "has raise": 40,
    "has set": 60,
    "has if": 60,
    "several transitions at once": 10,
    "several targets entered": 15,
    "preempted by an earlier state": 10,
    "preempted by a descendant": 6,
    "targetless row taken while its source is exited": 6,
    "one row taken from two sources at once": 0.5,
    "internal row taken": 8,
    "eventless row taken": 15,
    "internal event": 10,
    "macrostep of three microsteps": 20,
    "matched by *": 5,
    "matched by prefix": 15,
    "error.execution handled": 4,
    "history restored: deep": 8,
    "history restored: shallow": 8,
    "history default taken": 4,
    "history default taken inside its parent": 4,
    "done row taken, of a state": 5,
    "done row taken, of a parallel": 0.5,
    "machine done": 4,
}


def test_every_feature_is_frequent() -> None:
    """Each part of the standard is met often enough for a disagreement about it to show."""
    percent = {feature: times / 6 for feature, times in count(600).items()}

    assert {
        feature: percent.get(feature, 0) for feature, least in OFTEN.items() if percent.get(feature, 0) < least
    } == {}
    assert percent["endless macrostep"] < 15


@AS_DRAWN
@given(st.integers(1, 20).flatmap(machines))
def test_machines_are_well_formed(machine: Machine) -> None:
    """Whatever the size, every target is legal and every name is known."""
    assert list(complaints(machine)) == []


@AS_DRAWN
@given(runs())
def test_configurations_are_legal(drawn: tuple[Machine, list[str]]) -> None:
    """After every macrostep one child of each active composite is active, and all regions of a parallel state (3.11)."""
    for trace in run(*drawn):
        assert list(not_a_configuration(drawn[0], trace.configuration)) == []


@AS_DRAWN
@given(machines())
def test_yaml_round_trip(machine: Machine) -> None:
    """The text says what the data says, in the same order, without aliases."""
    text = to_yaml(machine)

    again = yaml.safe_load(text)
    assert repr(again) == repr(machine)
    assert "&id" not in text


@AS_DRAWN
@given(machines(dotted=False))
def test_dotted_names_can_be_left_out(machine: Machine) -> None:
    """Without `dotted`, no event from outside has a dot."""
    assert list(machine["events"]) == ["a", "b", "c"]


@AS_DRAWN
@given(machines().flatmap(lambda machine: st.tuples(st.just(machine), events(machine))))
def test_events_are_declared(drawn: tuple[Machine, list[str]]) -> None:
    """Only declared events are said from outside, and a trace comes back for each."""
    machine, said = drawn
    traces = run(machine, said)

    assert set(said) <= set(machine["events"])
    assert [trace.event for trace in traces] == [None, *said][: len(traces)]
    assert len(traces) == 1 + len(said) or traces[-1].endless


@AS_DRAWN
@given(SEEDS)
def test_a_seed_says_everything(seed: int) -> None:
    """The same seed gives the same machine and the same events."""
    assert random_run(seed) == random_run(seed)


@pytest.mark.parametrize(
    ("wanted", "states"),
    [
        ("preempted by a descendant", 4),
        ("history restored: deep", 4),
        ("history default taken inside its parent", 3),
        ("done row taken, of a parallel", 5),
        ("one row taken from two sources at once", 3),
    ],
)
def test_counterexamples_get_small(wanted: str, states: int) -> None:
    """What is left of a machine is just enough to show what was looked for."""

    def shows(machine: Machine, said: list[str]) -> bool:
        return wanted in features(machine, run(machine, said))

    first = next(drawn for drawn in map(random_run, range(10_000)) if shows(*drawn))
    machine, said = smaller(*first, shows)

    assert shows(machine, said)
    assert list(complaints(machine)) == []
    assert f"s{states + 1}" not in to_yaml(machine)
    assert len(machine["transitions"]) <= 3
