"""`outlast generate` and `outlast compare`: exit codes, what is shown, what is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Outlast
from tests.proofs.lamps import LAMP, planned

CLAUSES = "clauses: [{id: L-1, says: A lamp can be lit.}]\n"
NOTHING = "  - {id: fine, of: lamp, always: self is dark or self is not dark, says: It is so.}\n"


def system(folder: Path, *, cited: bool = True, old: str = "", new: str = "") -> Path:
    """The lamps, with a clause, and some words changed."""
    folder.mkdir()
    lamp = LAMP.replace("to: lit}", "to: lit, because: L-1}") if cited else LAMP
    planned(folder, NOTHING, lamp=LAMP)
    (folder / "lamp.yaml").write_text(lamp.replace(old, new) if old else lamp, encoding="utf-8")
    if cited:
        path = folder / "system.yaml"
        path.write_text(path.read_text("utf-8").replace("actors:", CLAUSES + "actors:"), encoding="utf-8")
    return folder


@pytest.mark.parametrize("cover", ["states", "transitions", "pairs", "boundaries"])
def test_a_table_is_written_and_held(outlast: Outlast, tmp_path: Path, cover: str) -> None:
    """In the system's own folder it needs no name; it is in canonical form, and the system passes it."""
    home = system(tmp_path / "lamps")
    table = home / "conformance" / "generated.yaml"
    made = outlast("generate", str(home), "--cover", cover, "-o", str(table))

    assert made.exit_code == 0, made.output
    assert f"generated-{cover}: " in made.stdout
    assert "all of " in made.stdout
    assert "system:" not in table.read_text("utf-8")
    assert outlast("fmt", "--check", str(table)).exit_code == 0
    held = outlast("test", str(table), "--against", "step")
    assert held.exit_code == 0, held.output


def test_the_table_goes_to_standard_output(outlast: Outlast) -> None:
    """The sum goes elsewhere; a bundled system is named, and what cannot be reached is told with its reason."""
    made = outlast("generate", "sagemaker", "--cover", "states", "--in", "one-job")

    assert made.exit_code == 0
    assert made.stdout.startswith("suite: generated-states\n")
    assert "\nsystem: sagemaker\n" in made.stdout
    assert "24 of 25 states covered" in made.stderr
    assert "studio-domain.tip-never  cannot be reached in one-job" in made.stderr


MISUSE = [
    (["generate", "tour"], "has no composition to walk in"),
    (["generate", "sagemaker", "--in", "one-jab"], "did you mean `one-job`?"),
    (["generate", "sagemaker", "--cover", "everything"], "'everything' is not one of"),
    (["generate", "tuor"], "did you mean `tour`?"),
    (["compare", "sagemaker", "tuor"], "did you mean `tour`?"),
]


@pytest.mark.parametrize(("words", "says"), MISUSE)
def test_misuse(outlast: Outlast, words: list[str], says: str) -> None:
    """What makes no sense is said in a line."""
    result = outlast(*words)

    assert result.exit_code == 2
    assert says in result.stderr


def test_a_system_without_clauses(outlast: Outlast, tmp_path: Path) -> None:
    """A case has to say what it follows from."""
    result = outlast("generate", str(system(tmp_path / "lamps", cited=False)))

    assert result.exit_code == 2
    assert "which clauses it follows from" in result.stderr


COMPARED = [  # old words, new words, options, exit code, lines
    ("", "", [], 0, ["The two are the same specification."]),
    ("id: fade,", "id: fades,", [], 0, ["In two they behave alike", "tells them apart."]),
    ("id: fade,", "id: fades,", ["--budget", "1"], 3, ["In two undetermined: more than 1 zones"]),
    ("within: 2m", "within: 3m", [], 1, ["within: 2m → 3m", "a  dark  dim", "They can be told apart."]),
    ("to: lit, because: L-1", "to: lit", [], 0, ["What differs is words alone: no run could notice it."]),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "options", "code", "lines"), COMPARED)
def test_compare(
    outlast: Outlast, tmp_path: Path, old: str, new: str, options: list[str], code: int, lines: list[str]
) -> None:
    """Alike is 0, different 1, undetermined 3."""
    before, after = system(tmp_path / "old"), system(tmp_path / "new", old=old, new=new)
    result = outlast("compare", str(before), str(after), *options)

    assert result.exit_code == code, result.output
    for line in lines:
        assert line in result.stdout
    assert all(len(line) <= 100 for line in result.stdout.splitlines())


def test_without_a_composition_it_is_undetermined(outlast: Outlast) -> None:
    """There is nothing to run them in."""
    result = outlast("compare", "tour", "tcp")

    assert result.exit_code == 3
    assert "there is no composition to run them in" in result.stdout


def test_the_story_is_told_under_each(outlast: Outlast, tmp_path: Path) -> None:
    """It holds under the old one and fails under the new one; it is in canonical form."""
    before = system(tmp_path / "old")
    after = system(tmp_path / "new", old="event: kick, to: broken", new="event: kick, to: dim")
    story = tmp_path / "found" / "story.yaml"
    outlast("compare", str(before), str(after), "-o", str(story))

    assert outlast("run", str(story), "--system", str(before)).exit_code == 0
    assert outlast("run", str(story), "--system", str(after)).exit_code == 1
    assert outlast("fmt", "--check", str(story)).exit_code == 0
