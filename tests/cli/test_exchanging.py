"""`outlast import` and `outlast export`, there and back."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from outlast.cli.app import MISUSE, PROBLEMS
from outlast.language import read_machine
from tests.cli.conftest import Outlast


def test_a_machine_goes_out_and_comes_back(outlast: Outlast, tmp_path: Path) -> None:
    """The document that was written is read again as a machine file with the same states."""
    written = outlast("export", "tour", "coffee-machine", "--to", "scxml")
    assert written.exit_code == 0
    document = tmp_path / "coffee-machine.scxml"
    document.write_text(written.stdout, "utf-8")

    back = outlast("import", str(document))

    assert back.exit_code == 0, back.output
    machine, problems = read_machine(back.stdout, "coffee-machine.yaml")
    assert machine is not None and not problems
    assert [state.name for state in machine.states] == ["off", "on", "tank-out"]


def test_what_cannot_be_said_is_told(outlast: Outlast, tmp_path: Path) -> None:
    """Both ways: with the place, and exit code 1; an unknown machine is a mistake of the caller."""
    assert outlast("export", "tour", "tea-machine").exit_code == MISUSE
    document = tmp_path / "script.scxml"
    document.write_text(
        '<scxml xmlns="http://www.w3.org/2005/07/scxml">\n<script>x</script><state id="a"/></scxml>', "utf-8"
    )

    refused = outlast("import", str(document))

    assert refused.exit_code == PROBLEMS
    assert "script.scxml:2" in refused.stderr and "scxml-script" in refused.stderr


def test_a_system_goes_out_as_a_program(outlast: Outlast) -> None:
    """It is of the whole system; a machine as SCXML is of one."""
    assert "class Macrostep" in outlast("export", "tour", "--to", "walker").stdout
    assert outlast("export", "tour", "coffee-machine", "--to", "walker").exit_code == MISUSE
    assert "say which machine: `coffee-machine`" in outlast("export", "tour").stderr


def test_a_composition_goes_out_as_a_model(outlast: Outlast, tmp_path: Path) -> None:
    """For Spin, with names for every state; it is of one composition, and says so."""
    assert (
        "#define in_train_grace_period (job_state[0] == "
        in outlast("export", "sagemaker", "one-job", "--to", "promela").stdout
    )
    assert "no composition is called `no-job`" in outlast("export", "sagemaker", "no-job", "--to", "promela").stderr
    assert "say which composition: `one-job`" in outlast("export", "sagemaker", "--to", "promela").stderr

    (tmp_path / "lamp.yaml").write_text("machine: lamp\nstates: {lit: {}}\ntransitions: []\n")
    assert "the system has no composition" in outlast("export", str(tmp_path / "lamp.yaml"), "--to", "promela").stderr


@pytest.mark.needs("spin")
@pytest.mark.parametrize("composition", ["one-job", "two-jobs"])
def test_spin_reads_the_model(outlast: Outlast, tmp_path: Path, composition: str) -> None:
    """Also with two jobs, whose children stand in line."""
    (tmp_path / "model.pml").write_text(outlast("export", "sagemaker", composition, "--to", "promela").stdout)

    done = subprocess.run(["spin", "-a", "model.pml"], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (0, "")
