"""`outlast generate` and `outlast compare`: exit codes, what is shown, what is written."""

from __future__ import annotations

import json
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
    (["generate", "sagemaker", "--json"], "name a file with --output"),
    (["generate", "sagemaker", "--reading", "A-02=pn"], "did you mean `pin`?"),
    (["compare", "sagemaker", "sagemaker", "--reading", "A-2=pin"], "did you mean `A-02`?"),
    (["check", "sagemaker", "--reading", "A-02"], "write it as ASSUMPTION=READING"),
    (["test", "sagemaker", "--json", "--report", "html"], "name a file for the report with --output"),
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


def test_without_a_composition_it_is_undetermined(outlast: Outlast, tmp_path: Path) -> None:
    """There is nothing to run them in."""
    (tmp_path / "a.yaml").write_text("machine: m\nstates: {a: {}}\n", encoding="utf-8")
    (tmp_path / "b.yaml").write_text("machine: m\nstates: {b: {}}\n", encoding="utf-8")
    result = outlast("compare", str(tmp_path / "a.yaml"), str(tmp_path / "b.yaml"))

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


def test_what_comes_early_is_said(outlast: Outlast, tmp_path: Path) -> None:
    """On a terminal, as data, and in the story."""
    before = system(tmp_path / "old")
    after = system(tmp_path / "new", old="within: 2m", new="after: 2m")
    shown = outlast("compare", str(before), str(after), "-o", str(tmp_path / "story.yaml"))
    told = json.loads(outlast("compare", str(before), str(after), "--json").stdout)
    (composition,) = told["compositions"]

    assert "5m  a  out comes early" in shown.stdout
    assert (told["outcome"], composition["teller"]) == ("differ", "old")
    assert composition["steps"][-1] == {"at": 300_000_000, "machine": "lamp", "instance": "a", "happen": "out"}
    assert composition["story"] == (tmp_path / "story.yaml").read_text("utf-8")
    assert outlast("run", str(tmp_path / "story.yaml"), "--system", str(before)).exit_code == 0
    refused = outlast("run", str(tmp_path / "story.yaml"), "--system", str(after))
    assert refused.exit_code == 1
    assert "unknown-within: no within is called `out`" in " ".join(refused.stderr.split())


def test_what_a_table_covers_as_data(outlast: Outlast, tmp_path: Path) -> None:
    """Beside the table, which goes to its file."""
    table = tmp_path / "table.yaml"
    told = json.loads(outlast("generate", str(system(tmp_path / "lamps")), "--json", "-o", str(table)).stdout)

    assert (told["covered"], told["cases"], told["file"]) == (
        {"transition": 10},
        table.read_text("utf-8").count("- id: "),
        str(table),
    )


READ = """
system: doors
machines: [door]
clauses: [{id: C-1, says: A door opens.}]
assumptions: {A-1: {question: Can it be shut again?, readings: {yes-it-can: Yes., no-never: No.}, default: yes-it-can}}
compositions: {one: {given: {door d: {}}}}
properties: [{id: shut, of: door, can-always: self is closed, says: A door can be shut.}]
"""
DOOR = """
machine: door
events: {push: {}, pull: {}}
states: {closed: {}, open: {}}
transitions:
  - {id: opens, from: closed, event: push, to: open, because: C-1}
  - {id: shuts, from: open, event: pull, when: {A-1: yes-it-can}, to: closed, because: C-1}
"""


def door(folder: Path, text: str = DOOR) -> str:
    """A door that can be shut under one reading."""
    folder.mkdir()
    (folder / "system.yaml").write_text(READ, encoding="utf-8")
    (folder / "door.yaml").write_text(text, encoding="utf-8")
    return str(folder)


def test_readings(outlast: Outlast, tmp_path: Path) -> None:
    """Whoever looks at a specification can be told how to read it."""
    home, other = door(tmp_path / "old"), door(tmp_path / "new", DOOR.replace("pull, when", "push, when"))
    never = ["--reading", "A-1=no-never"]
    table = outlast("generate", home, *never)

    assert (outlast("compare", home, other).exit_code, outlast("compare", home, other, *never).exit_code) == (1, 0)
    assert (outlast("check", home).exit_code, outlast("check", home, *never).exit_code) == (0, 1)
    assert json.loads(outlast("check", home, *never, "--json").stdout)["systems"][0]["readings"] == {"A-1": "no-never"}
    assert (
        table.stdout.count("under: {A-1: no-never}") == table.stdout.count("- id: ") - 1
    )  # one covers what asks for the other reading


def test_what_became_of_every_case_as_data(outlast: Outlast, tmp_path: Path) -> None:
    """Sums for each implementation, and each case."""
    table = tmp_path / "table.yaml"
    outlast("generate", "sagemaker", "--cover", "states", "--in", "one-job", "-o", str(table))
    told = json.loads(outlast("test", str(table), "--against", "system", "--against", "step", "--json").stdout)

    assert told["ok"] is True
    assert [item["implementation"] for item in told["implementations"]] == ["system", "step"]
    assert sum(item["passed"] for item in told["implementations"]) == len(told["results"])


BROKEN = """
system: early
machines: [m]
clauses: [{id: C-1, says: It never comes to b.}]
constants: {long: {value: 20m}}
compositions: {short: {constants: {long: 5m}, given: {m x: {}}}}
properties: [{id: p, of: m, never: self is b, says: It never comes to b., because: C-1}]
"""
MACHINE = """
machine: m
states: {a: {}, b: {}, c: {}}
transitions:
  - {id: over, from: a, within: 10m, to: b, because: C-1}
  - {id: late, from: a, after: long, to: c, because: C-1}
"""


def test_the_case_of_a_counterexample_tells_the_moment(outlast: Outlast, tmp_path: Path) -> None:
    """What breaks a property only if a row comes early, with constants of a composition: scenario and case say both, and hold."""
    home = tmp_path / "early"
    home.mkdir()
    (home / "system.yaml").write_text(BROKEN, encoding="utf-8")
    (home / "m.yaml").write_text(MACHINE, encoding="utf-8")
    assert outlast("check", str(home), "--traces", str(home / "conformance")).exit_code == 1
    story, case = (home / "conformance" / f"p.short.{end}" for end in ("yaml", "case.yaml"))

    for text in (story.read_text("utf-8"), case.read_text("utf-8")):
        assert "constants: {long: 5m}" in text
        assert "happen: {m x: over}" in text
    assert outlast("run", str(story), "--system", str(home)).exit_code == 0
    for runner in ("system", "step", "transitions"):
        held = outlast("test", str(case), "--system", str(home), "--against", runner)
        assert held.exit_code == 0, held.output
        assert "1 passed of 1" in held.output
