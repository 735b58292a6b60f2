"""`outlast draw` for single pictures: what each mode writes, where to, and what it says of a mistake."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from outlast import catalog
from outlast.views.dot import SCRIPTS
from tests.cli.conftest import Outlast
from tests.views.drawn import Drawn

COUNTS = '{"coffee-machine": {"off": 2, "ready": 30}}'


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """The tour with another time to heat."""
    folder = tmp_path / "other"
    shutil.copytree(catalog.bundled()["tour"], folder)
    file = folder / "coffee-machine.yaml"
    file.write_text(file.read_text("utf-8").replace("after: 20s", "after: 25s"), "utf-8")
    return folder


def test_a_story_as_a_timeline(outlast: Outlast, tmp_path: Path) -> None:
    """To standard output, or into a file or folder; by name or by file; without Graphviz."""
    printed = outlast("draw", "tour", "--scenario", "one-cup")
    by_file = outlast("draw", "--scenario", str(catalog.bundled()["tour"] / "scenarios" / "one-cup.yaml"))
    outlast("draw", "--scenario", "one-cup", "-o", str(tmp_path / "cup.svg"))
    outlast("draw", "--scenario", "one-cup", "-o", str(tmp_path))

    assert printed.exit_code == 0
    assert "ready" in Drawn.read(printed.stdout).words
    assert (
        printed.stdout
        == by_file.stdout
        == (tmp_path / "cup.svg").read_text("utf-8")
        == (tmp_path / "one-cup.svg").read_text("utf-8")
    )


@pytest.mark.needs("dot")
def test_the_way_of_an_instance(outlast: Outlast) -> None:
    """The picture of its machine with the numbers of its steps."""
    result = outlast("draw", "tour", "--scenario", "one-cup", "--path", "kitchen")
    drawn = Drawn.read(result.stdout)

    assert result.exit_code == 0
    assert {"row hot", "row cold", "badge"} <= drawn.named("class")
    assert "make" in drawn.named("data-row")


@pytest.mark.needs("dot")
def test_numbers_on_a_machine(outlast: Outlast, tmp_path: Path) -> None:
    """How many instances sit in each state, and how often the cases of a table take each row."""
    (tmp_path / "counts.json").write_text(COUNTS, "utf-8")
    counts = outlast("draw", "tour", "--counts", str(tmp_path / "counts.json"))
    heat = outlast("draw", "sagemaker", "--coverage", "sagemaker", "--machine", "background-session")

    assert "howmanyinstancesaretherenow" in Drawn.read(counts.stdout).words
    assert ">30</text>" in counts.stdout
    assert "atleastonce" in Drawn.read(heat.stdout).words


@pytest.mark.needs("dot")
def test_a_difference(outlast: Outlast, tmp_path: Path, other: Path) -> None:
    """Of the machines that have changed, to a folder too; nothing where nothing has."""
    result = outlast("draw", "--diff", "tour", str(other))
    written = outlast("draw", "--diff", "tour", str(other), "-o", str(tmp_path / "new"))

    assert "row changed" in Drawn.read(result.stdout).named("class")
    assert "coffee-machine.svg" in written.stdout
    assert (tmp_path / "new" / "coffee-machine.svg").read_text("utf-8") == result.stdout
    assert outlast("draw", "--diff", "tour", "tour").stdout == "no machine has changed\n"


MISTAKES = [
    (["tour", "--path", "kitchen"], 2, "--path is the way of an instance in a story: say which with --scenario"),
    (["tour", "--scenario", "one-cup", "--counts", "x.json"], 2, "--scenario and --counts are different pictures"),
    (["tour", "--check", "--machine", "coffee-machine"], 2, "--check is about the whole folder"),
    (["tour", "--scenario", "one-cup", "--machine", "coffee-machine"], 2, "leave --machine out"),
    (["tour", "tcp", "--machine", "endpoint"], 2, "a single picture is of one system"),
    (["tour", "--diff", "tour", "tcp"], 2, "--diff already names its systems"),
    (["tour", "--scenario", "two-cups"], 2, "no scenario of tour is called `two-cups`"),
    (["tour", "--scenario", "one-cup", "--path", "bath"], 2, "no instance is called `bath`"),
    (["tour", "--machine", "tea-machine"], 2, "no machine is called `tea-machine` (did you mean `coffee-machine`?)"),
    (["tour", "--coverage", "sagemaker"], 2, "`sagemaker` is about sagemaker, not tour"),
    (["tour", "--counts", "missing.json"], 2, "missing.json: no such file or directory"),
    (["--machine", "job"], 2, "say which system"),
    ([], 2, "say which system, or several"),
    (["tour", "--counts", "broken.json"], 1, "broken.json:1:19: bad-json: this is no JSON"),
    (["tour", "--counts", "odd.json"], 1, "odd.json:1:1: bad-counts: these are no counts"),
    (["tour", "--counts", "stranger.json"], 2, "no machine of tour is called `job`"),
    (["tour", "--counts", "nowhere.json"], 2, "no state of coffee-machine is called `of` (did you mean `off`?)"),
    (
        ["sagemaker", "--counts", "two.json"],
        2,
        "these are several pictures, `job`, `studio-domain`: say one with --machine",
    ),
]
FILES = {
    "broken.json": '{"coffee-machine":',
    "odd.json": '{"coffee-machine": {"off": true}}',
    "stranger.json": '{"job": {}}',
    "nowhere.json": '{"coffee-machine": {"of": 1}}',
    "two.json": '{"job": {"pending": 1}, "studio-domain": {}}',
}


@pytest.mark.needs("dot")
@pytest.mark.parametrize(("words", "code", "said"), MISTAKES)
def test_mistakes(
    outlast: Outlast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], code: int, said: str
) -> None:
    """One line that says what would have been accepted."""
    monkeypatch.chdir(tmp_path)
    for name, text in FILES.items():
        Path(name).write_text(text, "utf-8")
    result = outlast("draw", *words)

    assert said in " ".join(result.stderr.split())
    assert result.exit_code == code
    assert result.stdout == ""


def test_with_the_port_of_graphviz(outlast: Outlast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no `dot`, what the extra `graphviz` installs draws machines as well: nothing overlaps."""
    if shutil.which("graphviz-pure", path=SCRIPTS) is None:
        (pytest.fail if os.environ.get("OUTLAST_TOOLS_REQUIRED") else pytest.skip)("not installed: graphviz-pure")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    drawn = Drawn.read(outlast("draw", "sagemaker", "--machine", "interactive-session").stdout)

    assert drawn.overlaps == 0
    assert drawn.crossings <= 3
    assert drawn.width <= 800


MODES = [
    ["tour", "--machine", "coffee-machine"],
    ["tour", "--scenario", "one-cup", "--path", "kitchen"],
    ["tour", "--counts", "counts.json"],
    ["sagemaker", "--coverage", "sagemaker", "--machine", "studio-domain"],
    ["--diff", "tour", "other"],
]


@pytest.mark.parametrize("words", MODES)
def test_without_graphviz(
    outlast: Outlast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other: Path, words: list[str]
) -> None:
    """What needs it says what to install; a timeline does not."""
    assert other.exists()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("outlast.views.dot.SCRIPTS", str(tmp_path))
    Path("counts.json").write_text(COUNTS, "utf-8")
    result = outlast("draw", *words)

    assert result.exit_code == 2
    assert "drawing SVG needs Graphviz: apt install graphviz" in " ".join(result.stderr.split())
    assert outlast("draw", "--scenario", "one-cup").exit_code == 0
