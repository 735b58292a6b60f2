"""Faults in the SageMaker specification are found, each by the property that is about it."""

from __future__ import annotations

from pathlib import Path

import pytest

from outlast import loading
from outlast.language import read_scenario
from outlast.language.writer import write_scenario
from outlast.proofs.timed import check
from outlast.run import run_scenario
from tests.proofs.faults import FAULTS, Fault


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name.replace(" ", "-"))
def test_a_fault_is_refuted(fault: Fault, tmp_path: Path) -> None:
    """The property fails, and the story of how is told by the engine exactly so."""
    plan = fault.planted(tmp_path)

    (verdict,) = check(plan, properties=[fault.property], first=True)

    assert verdict.outcome == "refuted", verdict
    assert verdict.trace
    story, problems = read_scenario(write_scenario(verdict.trace.scenario))
    assert story
    assert problems == []
    run = run_scenario(plan, story)
    assert [item.wanted for item in run.verdicts if item.status != "held"] == []


def test_the_specification_is_proved() -> None:
    """Every property holds in one user's one job, and none is left undetermined."""
    verdicts = list(check(loading.load("sagemaker"), first=True))

    assert [str(verdict) for verdict in verdicts if not verdict.ok] == []
    assert len(verdicts) >= 20
