"""`outlast import` and `outlast export`, there and back."""

from __future__ import annotations

from pathlib import Path

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
