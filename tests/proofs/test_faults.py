"""Faults in the bundled specifications are found, each by the property that is about it."""

from __future__ import annotations

from pathlib import Path

import pytest

from outlast import catalog, loading
from outlast.language import read_scenario
from outlast.language.writer import write_scenario
from outlast.proofs.timed import check
from outlast.run import run_scenario
from tests.proofs.faults import FAULTS, TCP_FAULTS, TOUR_FAULTS, Fault

ALL = (*FAULTS, *TCP_FAULTS, *TOUR_FAULTS)
HELD_TWICE = {"session-is-the-limit"}
"""No single fault refutes it where it is checked first: there the limit of the runtime is as long."""


@pytest.mark.parametrize("fault", ALL, ids=lambda fault: fault.name.replace(" ", "-"))
def test_a_fault_is_refuted(fault: Fault, tmp_path: Path) -> None:
    """The property fails, and the story of how is told by the engine exactly so."""
    plan = fault.planted(tmp_path)

    (verdict,) = check(plan, properties=[fault.property], first=True)

    assert verdict.outcome == "refuted", verdict
    if verdict.kind == "reachable":  # what cannot be brought about has no story
        assert verdict.trace is None
        return
    assert verdict.trace
    story, problems = read_scenario(write_scenario(verdict.trace.scenario))
    assert story
    assert problems == []
    run = run_scenario(plan, story)
    assert [item.wanted for item in run.verdicts if item.status != "held"] == []


@pytest.mark.parametrize("system", catalog.bundled())
def test_the_specification_is_proved(system: str) -> None:
    """Every property holds in its first composition, and none is left undetermined."""
    plan = loading.load(system)
    verdicts = list(check(plan, first=True))

    assert [str(verdict) for verdict in verdicts if not verdict.ok] == []
    assert {verdict.id for verdict in verdicts} == {found.id for found in plan.properties}


@pytest.mark.parametrize("system", catalog.bundled())
def test_every_property_has_a_fault(system: str) -> None:
    """A property that no fault refutes may say nothing."""
    caught = {fault.property for fault in ALL if fault.system == system}

    assert {found.id for found in loading.load(system).properties} - caught <= HELD_TWICE
