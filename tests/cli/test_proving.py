"""`outlast check` on properties: exit codes, what is shown, what is written."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.cli.conftest import Outlast
from tests.proofs.faults import FAULTS
from tests.proofs.lamps import planned

PROVED = "  - {id: fine, of: lamp, while: self is lit, never-longer-than: 5m, says: It fades in time.}\n"
REFUTED = "  - {id: short, of: lamp, while: self is lit, never-longer-than: 4m, says: It fades too soon.}\n"

ROWS = [  # properties, options, exit code, a line
    (PROVED, [], 0, "       1 property in two: 1 proved (1 states, 1 zones, 0.0 s)"),
    (PROVED + REFUTED, [], 1, "short in two: refuted"),
    (PROVED + REFUTED, ["--property", "fine"], 0, "2 warnings"),
    (PROVED + REFUTED, ["--no-prove"], 0, "2 warnings"),
    (PROVED, ["--budget", "1"], 3, "fine in two: undetermined"),
    (PROVED, ["--in", "two", "--whole"], 0, "2 warnings"),
    (PROVED, ["--everywhere"], 0, "2 warnings"),
    (PROVED, ["--unreached"], 0, "9 of 10 rows are taken in two"),
    (PROVED, ["--unreached"], 0, "never left: lamp.broken"),
    (PROVED, ["--property", "nothing"], 2, ""),
    (PROVED, ["--in", "nothing"], 2, ""),
]


@pytest.mark.parametrize(("properties", "options", "code", "line"), ROWS)
def test_exit_codes(
    outlast: Outlast, tmp_path: Path, properties: str, options: list[str], code: int, line: str
) -> None:
    """Proved is 0, refuted 1, undetermined 3; what does not exist is a misuse."""
    planned(tmp_path, properties)
    result = outlast("check", str(tmp_path), *options)

    assert result.exit_code == code, result.output
    assert not line or _without_seconds(line) in map(_without_seconds, result.stdout.splitlines()), result.stdout


def _without_seconds(line: str) -> str:
    """A line up to the parenthesis that says what it cost."""
    return line.split(" (", maxsplit=1)[0].strip()


def test_a_counterexample_is_written_and_told(outlast: Outlast, tmp_path: Path) -> None:
    """Four files; the scenario runs, and the run is as the check has shown it."""
    planned(tmp_path, REFUTED)
    folder = tmp_path / "found"
    outlast("check", str(tmp_path), "--traces", str(folder))

    assert sorted(path.name for path in folder.iterdir()) == [
        f"short.two.{ending}" for ending in ("case.yaml", "mmd", "svg", "yaml")
    ]
    picture = ElementTree.fromstring((folder / "short.two.svg").read_text("utf-8"))  # noqa: S314  # our own
    assert picture.tag.endswith("svg")
    assert "It fades too soon." in " ".join(picture.itertext())
    told = outlast("run", str(folder / "short.two.yaml"), "--system", str(tmp_path))
    assert told.exit_code == 0, told.output
    held = outlast("fmt", "--check", str(folder / "short.two.yaml"))
    assert held.exit_code == 0, held.output


@pytest.mark.parametrize(
    "name", ["sixteen minutes", "a waiting job fails with its session", "signing out is not heard"]
)
def test_a_run_breaks_the_property_again(outlast: Outlast, tmp_path: Path, name: str) -> None:
    """A fault in the shipped system: its counterexample, told, ends where the property is broken, and elsewhere without the fault."""
    (fault,) = [one for one in FAULTS if one.name == name]
    folder = tmp_path / "faulty"
    folder.mkdir()
    fault.planted(folder)
    checked = outlast("check", str(folder), "--property", fault.property, "--traces", str(tmp_path / "found"))
    assert checked.exit_code == 1, checked.output

    story = str(tmp_path / "found" / f"{fault.property}.one-job.yaml")
    assert outlast("run", story, "--system", str(folder)).exit_code == 0
    assert outlast("run", story, "--system", "sagemaker").exit_code == 1


def test_the_table_of_a_counterexample_holds(outlast: Outlast, tmp_path: Path) -> None:
    """The case says what the system does as it stands."""
    planned(tmp_path, REFUTED)
    folder = tmp_path / "conformance"
    outlast("check", str(tmp_path), "--traces", str(folder))
    table = (folder / "short.two.case.yaml").read_text("utf-8")

    assert table.startswith("suite: short\n")
    assert "{at: 4m 1us, then: {lamp a: lit}}" in table
