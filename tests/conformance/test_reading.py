"""Tables are read from three surfaces into the same cases, and whatever is wrong with them is said where it stands."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from outlast import load
from outlast.catalog import specs
from outlast.errors import SpecError
from outlast.proofs.conformance.cases import Suite
from outlast.proofs.conformance.grammar import schema
from outlast.proofs.conformance.judging import judge
from outlast.proofs.conformance.reading import fit, read_suite
from outlast.proofs.conformance.runners import SystemRunner

HEAD = """\
suite: small
given:
  identity-center acme: {}
  studio-application studio: {}
  studio-domain ds: {state: tip-enabled, center: acme, application: studio}
  interactive-session ana: {state: signed-in, center: acme}
  job train: {kind: training, domain: ds, session: ana}
"""
SURFACES = {
    "small.yaml": HEAD
    + """\
cases:
  - id: A-1
    title: Two steps
    because: [TIP-31, TIP-01]
    given: {job train: {state: running-background}}
    bounds: latest
    steps:
      - {at: 1h, send: {interactive-session ana: sign-out}, by: user, then: {job train: running-background, effects: []}}
      - {at: 7d, then: {job train: {state: grace-period, deadlines: {grace-over: 7d 15m}}, effects: [session-expired]}}
  - id: A-2
    because: [TIP-17]
    steps:
      - {at: 0m, send: {identity-center acme: {set-background-duration: {duration: 14m}}}, refused: true, then: {absent: [late]}}
""",
    "small.csv": "".join(f"# {line}\n" for line in HEAD.splitlines())
    + """\
id,title,because,given job train,bounds,at,send,by,refused,then job train,then effects,then absent
A-1,Two steps,TIP-31 TIP-01,running-background,latest,1h,interactive-session ana: sign-out,user,,running-background,none,
A-1,,,,,7d,,,,"{state: grace-period, deadlines: {grace-over: 7d 15m}}",session-expired,
A-2,,TIP-17,,,0m,"identity-center acme: {set-background-duration: {duration: 14m}}",,true,,,late
""",
    "small.md": f"---\n{HEAD}---\n"
    """
Words between tables are for people.

| id | title | because | given job train | bounds | at | send | by | then job train | then effects |
|----|-------|---------|-----------------|--------|----|------|----|----------------|--------------|
| A-1 | Two steps | TIP-31 TIP-01 | `running-background` | latest | 1h | interactive-session ana: sign-out | user | running-background | none |
| A-1 | | | | | 7d | | | `{state: grace-period, deadlines: {grace-over: 7d 15m}}` | session-expired |

| not | a table | of cases |
|-----|---------|----------|
| 1   | 2       | 3        |

| id | because | at | send | refused | then absent |
|----|---------|----|------|---------|-------------|
| A-2 | TIP-17 | 0m | identity-center acme: {set-background-duration: {duration: 14m}} | true | late |
""",
}


def suite_of(text: str, file: str) -> Suite:
    """The suite of a text without problems."""
    suite, problems = read_suite(text, file)

    assert [str(problem) for problem in problems] == []
    assert suite
    return suite


def problems_of(text: str, file: str) -> list[str]:
    """Every problem of a text, found by reading or else by fitting it to the system."""
    suite, problems = read_suite(text, file)
    if suite and not problems:
        try:
            fit(load("sagemaker"), suite)
        except SpecError as error:
            problems = list(error.problems)
    return [f"{item.place.line}:{item.place.column} {item.code}" for item in problems if item.place]


@pytest.mark.parametrize("file", SURFACES)
def test_surfaces_say_the_same(file: str) -> None:
    """YAML, CSV and Markdown are three ways to write one thing."""
    assert suite_of(SURFACES["small.yaml"], "small.yaml") == suite_of(SURFACES[file], file)


def test_a_case_has_what_its_suite_says_once() -> None:
    """Instances of the suite are given to every case; what a case gives goes over them, key by key."""
    first, second = suite_of(SURFACES["small.yaml"], "small.yaml").cases

    assert [given.name for given in first.given] == ["acme", "studio", "ds", "ana", "train"]
    assert [str(first.given[-1].state), second.given[-1].state] == ["running-background", None]
    assert first.given[-1].values == second.given[-1].values


def case(steps: str, because: str = "TIP-31", more: str = "") -> str:
    """A suite of one case."""
    return f"{HEAD}cases:\n  - id: A-1\n    because: {because}\n{more}    steps:\n      - {steps}\n"


MISTAKES = [
    # what is wrong, file, text, problems
    ("a clause", "x.yaml", case("{at: 0m, then: {job train: pending}}", "TIP-99"), ["10:14 unknown-clause"]),
    ("a state", "x.yaml", case("{at: 0m, then: {job train: pendign}}"), ["12:36 unknown-state"]),
    ("an event", "x.yaml", case("{at: 0m, send: {job train: begin}, then: {effects: []}}"), ["12:36 unknown-event"]),
    ("an instance", "x.yaml", case("{at: 0m, then: {job tram: pending}}"), ["12:29 unknown-instance"]),
    ("a timer", "x.yaml", case("{at: 0m, then: {job train: {unarmed: grace}}}"), ["12:46 unknown-timer"]),
    ("a field", "x.yaml", case("{at: 0m, then: {job train: {colour: red}}}"), ["12:37 unknown-field"]),
    ("an absent field", "x.yaml", case("{at: 0m, then: {job train: {absent: colour}}}"), ["12:45 unknown-field"]),
    ("an effect", "x.yaml", case("{at: 0m, then: {effects: [bang]}}"), ["12:35 unknown-effect"]),
    ("a value", "x.yaml", case("{at: 0m, then: {effects: [{banner: {size: 1}}]}}"), ["12:45 unknown-value"]),
    ("a row", "x.yaml", case("{at: 0m, then: {job train: {why: {transition: go}}}}"), ["12:55 unknown-transition"]),
    ("a reading", "x.yaml", case("{at: 0m, then: {effects: []}}", more="    under: {A-02: maybe}\n"), ["11:19 unknown-reading"]),
    ("a key", "x.yaml", case("{at: 0m, than: {effects: []}}"), ["12:18 unknown-key"]),
    ("a level", "x.yaml", case("{at: 0m, then: {effects: []}}", more="    level: shall\n"), ["11:12 unknown-word"]),
    ("two events", "x.yaml", case("{at: 0m, send: {job train: start}, new: {job b: {kind: training}}}"), ["12:44 two-events"]),
    ("an event and a moment", "x.yaml", case("{at: 0m, send: {job train: start}, happen: {job train: grace-over}}"), ["12:44 two-events"]),
    ("a moment somebody says", "x.yaml", case("{at: 0m, happen: {job train: grace-over}, by: user, then: {effects: []}}"), ["12:51 misplaced-key"]),
    ("a moment to be refused", "x.yaml", case("{at: 0m, happen: {job train: grace-over}, refused: true}"), ["12:51 misplaced-key"]),
    ("the moment of no `within` row", "x.yaml", case("{at: 0m, happen: {job train: max-runtime}, then: {effects: []}}"), ["12:38 unknown-within"]),
    ("the moment of nobody", "x.yaml", case("{at: 0m, happen: {job tram: grace-over}, then: {effects: []}}"), ["12:31 unknown-instance"]),
    ("a moment in a cell", "x.csv", "# suite: x\nid,because,at,happen\nA,TIP-31,0m,job train: grace-over\n", ["3:1 missing-claim", "3:17 unknown-instance"]),
    ("a constant", "x.yaml", case("{at: 0m, then: {effects: []}}", more="    constants: {graze: 1m}\n"), ["11:17 unknown-constant"]),
    ("the value of a constant", "x.yaml", case("{at: 0m, then: {effects: []}}", more="    constants: {grace: true}\n"), ["11:24 wrong-type"]),
    ("nothing claimed", "x.yaml", case("{at: 0m, send: {job train: start}}"), ["9:5 missing-claim"]),
    ("an empty claim", "x.yaml", case("{at: 0m, then: {}}"), ["12:24 missing-claim"]),
    ("bounds upside down", "x.yaml", case("{at: 0m, then: {job train: {state: failed, within: [2h, 1h]}}}"), ["12:52 bad-bounds"]),
    ("bounds without a state", "x.yaml", case("{at: 0m, then: {job train: {within: [1h, 2h]}}}"), ["12:37 missing-key"]),
    ("time", "x.yaml", case("{at: 1h, then: {effects: []}}\n      - {at: 0m, then: {effects: []}}"), ["13:9 time-backwards"]),
    ("an id", "x.yaml", case("{at: 0m, then: {effects: []}}") + "  - {id: A-1, because: TIP-31, steps: [{at: 0m, then: {effects: []}}]}\n", ["13:10 duplicate-name"]),
    ("a column", "x.csv", "# suite: x\nid,becuase,at\nA,TIP-31,0m\n", ["2:4 unknown-column"]),
    ("a column twice", "x.csv", "# suite: x\nid,because,at,at\nA,TIP-31,0m,0m\n", ["2:15 duplicate-column"]),
    ("a row too long", "x.csv", "# suite: x\nid,because,at\nA,TIP-31,0m,1m\n", ["3:13 uneven-row"]),
    ("an open quote", "x.csv", '# suite: x\nid,because,at\nA,"TIP-31,0m\n', ["3:3 bad-cell"]),
    ("a row without id", "x.csv", "# suite: x\nid,because,at\n,TIP-31,0m\n", ["3:1 missing-key"]),
    ("no suite", "x.csv", "id,because,at\nA,TIP-31,0m\n", ["1:1 missing-key"]),
    ("a repeated cell", "x.csv", "# suite: x\nid,because,at,then effects\nA,TIP-31,0m,none\nA,TIP-32,1m,none\n", ["4:3 repeated-cell"]),
    ("YAML in a cell", "x.csv", '# suite: x\nid,because,at,then job a\nA,TIP-31,0m,"{state: [a}"\n', ["3:22 unclosed"]),
    ("no front matter", "x.md", "| id |\n|---|\n| A |\n", ["1:1 missing-key"]),
    ("a state in a cell", "x.md", SURFACES["small.md"].replace("{state: grace-period", "{state: grace"), ["16:35 unknown-state"]),
]  # fmt: skip


@pytest.mark.parametrize(("file", "text", "wanted"), [row[1:] for row in MISTAKES], ids=[row[0] for row in MISTAKES])
def test_mistakes_are_told_where_they_stand(file: str, text: str, wanted: list[str]) -> None:
    """Each mistake is one problem with a stable code, at the line and column of the word."""
    assert wanted == problems_of(text, file)


def test_ids_are_unique_over_several_tables() -> None:
    """Two tables of one system cannot use an id twice."""
    plan, suite = load("sagemaker"), suite_of(SURFACES["small.yaml"], "small.yaml")
    names: set[str] = set()
    fit(plan, suite, names=names)

    with pytest.raises(SpecError, match="a case called `A-1` is already there"):
        fit(plan, suite, names=names)


# ---- the schema


def test_schema_is_written_down() -> None:
    """specs/conformance-schema.json is what the grammar says; to write it anew, see `make generated`."""
    assert schema() == json.loads((specs() / "conformance-schema.json").read_text("utf-8"))


TABLES = sorted((specs() / "sagemaker" / "conformance").glob("*.yaml"))


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.name)
def test_schema_accepts_our_tables(path: Path) -> None:
    """The shipped tables are of that form."""
    jsonschema.validate(yaml.safe_load(path.read_text("utf-8")), schema())


def test_schema_refuses_what_the_reader_refuses() -> None:
    """An unknown key is an error for both."""
    text = case("{at: 0m, than: {effects: []}}")

    with pytest.raises(jsonschema.ValidationError, match="than"):
        jsonschema.validate(yaml.safe_load(text), schema())


PAGE = Path(__file__).parents[2] / "docs" / "conformance.md"


@pytest.mark.skipif(not PAGE.exists(), reason="the documentation is not beside these tests")
def test_the_documented_suite_is_sound() -> None:
    """What the documentation shows can be read, fits the system, and holds."""
    text = PAGE.read_text("utf-8").split("```yaml\n")[1].split("```")[0]
    suite = suite_of(text, "small.yaml")

    assert [judge(case, SystemRunner()).status for case in fit(load("sagemaker"), suite)] == ["passed"]
