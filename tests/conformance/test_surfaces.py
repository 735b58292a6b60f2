"""The table from the command line and from pytest."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from importlib.resources import files
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from outlast.catalog import specs
from outlast.cli import main

TABLES = specs() / "sagemaker" / "conformance"
WRONG = """\
suite: wrong
system: sagemaker
given:
  identity-center acme: {}
cases:
  - id: W-1
    title: The default is not a day
    because: TIP-10
    steps:
      - {at: 0m, then: {identity-center acme: {background-duration: 1d}}}
  - id: W-2
    title: It is a week
    because: [TIP-10, TIP-12]
    steps:
      - {at: 0m, then: {identity-center acme: {background-duration: 7d}}}
  - id: W-3
    title: It should be a fortnight
    because: TIP-10
    level: should
    steps:
      - {at: 0m, then: {identity-center acme: {background-duration: 14d}}}
"""


@pytest.fixture
def wrong(tmp_path: Path) -> Path:
    """A table with one case that fails, one that holds, and one that is not met."""
    path = tmp_path / "conformance" / "wrong.yaml"
    path.parent.mkdir()
    path.write_text(WRONG)
    return path


def outlast(*words: str) -> Result:
    """Call the command line at 100 columns, without colour."""
    return CliRunner().invoke(main, words, env={"COLUMNS": "100", "NO_COLOR": "1"}, catch_exceptions=False)


def test_a_bundled_table_passes() -> None:
    """`outlast test SYSTEM` sums up by clause and tells how much is covered."""
    done = outlast("test", "sagemaker")
    lines = done.stdout.splitlines()

    assert done.exit_code == 0
    assert lines[0] == "TIP-01  5 ✓   A BS keeps living when its user is no longer active."
    assert [line.split(" of ")[0] == line.split(" of ")[1].split()[0] for line in lines[-4:-1]] == [True] * 3
    assert lines[-1].startswith("system: ")
    assert max(map(len, lines)) <= 100


def test_a_failure_is_told(wrong: Path) -> None:
    """With the place of the row, the clause in words, and the difference."""
    done = outlast("test", str(wrong))

    assert done.exit_code == 1
    assert " ".join(done.stdout.split()).startswith(
        f"✗ {wrong}:6:5: W-1 (failed in system): The default is not a day"
        " TIP-10: A BS is limited to 7 days (10,080 minutes) by default."
        " at 0s: acme.background-duration: wanted 1d, saw 7d (line 10)"
    )
    assert "system: 1 passed, 1 failed, 1 not-strict of 3" in done.stdout


@pytest.mark.parametrize(
    ("chosen", "ids"),
    [
        ("W-1", ["W-1"]),
        ("week or fortnight", ["W-2", "W-3"]),
        ("TIP-10 and not TIP-12", ["W-1", "W-3"]),
        ("not w-1 and TIP-10", ["W-2", "W-3"]),
    ],
)
def test_cases_can_be_chosen(wrong: Path, chosen: str, ids: list[str]) -> None:
    """By words of id, title and clauses."""
    done = outlast("test", str(wrong), "-k", chosen, "--report", "jsonl")

    assert ids == [json.loads(line)["id"] for line in done.stdout.splitlines()]


def test_a_report_goes_to_a_file(wrong: Path, tmp_path: Path) -> None:
    """And the summary stays where it is."""
    done = outlast(
        "test",
        str(wrong),
        "--against",
        "system",
        "--against",
        "step",
        "--report",
        "html",
        "-o",
        str(tmp_path / "a.html"),
    )

    assert "step: 1 passed" in done.stdout
    assert ">step</th>" in (tmp_path / "a.html").read_text("utf-8")


MISTAKES = [
    (["test", "nowhere"], "no table or folder of tables is called `nowhere`"),
    (["test", "sagemaker", "--against", "sistem"], "no implementation is called `sistem` (did you mean `system`?)"),
    (["test", "sagemaker", "--against", "cmd:/no/such"], "cannot be run"),
    (["test", "sagemaker", "-k", "unheard"], "no case matches `unheard`"),
    (["test", "tour"], "no table or folder of tables is called"),
    (["test", "sagemaker", "-o", "x"], "say which with --report"),
]


@pytest.mark.parametrize(("words", "said"), MISTAKES)
def test_mistakes(words: list[str], said: str) -> None:
    """A command that makes no sense says so in a line, with exit code 2."""
    done = outlast(*words)

    assert (done.exit_code, said in done.stderr) == (2, True)


def test_problems_of_a_table(wrong: Path) -> None:
    """A table with problems is not run; each is shown at its place."""
    wrong.write_text(WRONG.replace("background-duration: 1d", "background-lenght: 1d"))
    done = outlast("test", str(wrong))

    assert done.exit_code == 1
    assert "10:48: unknown-field: no field is called `background-lenght`" in " ".join(done.stderr.split())


# ---- pytest


def pytest_on(path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run pytest with nothing but our plugin."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "outlast.pytest_plugin",
        f"--rootdir={path.parent}",
        str(path),
        *words,
    ]
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "NO_COLOR": "1"}
    environment["PYTHONPATH"] = str(Path(str(files("outlast"))).parent)
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=path.parent)


def test_pytest_collects_tables(wrong: Path, tmp_path: Path) -> None:
    """A case is an item named by its id; failures are shown in our words; JUnit has the clauses."""
    done = pytest_on(wrong.parent, f"--junit-xml={tmp_path / 'junit.xml'}")
    cases = ET.parse(tmp_path / "junit.xml").getroot().iter("testcase")  # noqa: S314  # our own file
    properties = {
        case.get("name"): [(each.get("name"), each.get("value")) for each in case.iter("property")] for case in cases
    }

    assert done.returncode == 1
    assert "1 failed, 1 passed, 1 xfailed" in done.stdout
    assert f"{wrong}:6:5: W-1 (failed in system): The default is not a day" in done.stdout
    assert "at 0s: acme.background-duration: wanted 1d, saw 7d (line 10)" in done.stdout
    assert "Traceback" not in done.stdout
    assert properties["W-2"] == [("clause", "TIP-10"), ("clause", "TIP-12"), ("level", "must")]


def test_pytest_shows_problems_of_a_table(wrong: Path) -> None:
    """A table with problems is an error of collection."""
    wrong.write_text(WRONG.replace("TIP-12", "TIP-99"))
    done = pytest_on(wrong)

    assert done.returncode != 0
    assert "unknown-clause: no clause is called `TIP-99`" in done.stdout


def test_pytest_runs_another_implementation(wrong: Path) -> None:
    """`--outlast-against` says which."""
    assert "in step" in pytest_on(wrong, "--outlast-against=step").stdout
    assert "no implementation is called `nobody`" in pytest_on(wrong, "--outlast-against=nobody").stdout


def test_pytest_leaves_other_files_alone(tmp_path: Path) -> None:
    """YAML, CSV and Markdown that is no suite, or does not lie in a folder `conformance`, is nobody's test."""
    (tmp_path / "conformance").mkdir()
    (tmp_path / "conformance" / "notes.md").write_text("# Notes\n")
    (tmp_path / "wrong.yaml").write_text(WRONG)
    done = pytest_on(tmp_path)

    assert "no tests ran" in done.stdout


def test_the_shipped_tables_pass_in_pytest() -> None:
    """`pytest specs/sagemaker/conformance` works out of the box."""
    done = pytest_on(TABLES)

    assert done.returncode == 0, done.stdout[-2000:]
