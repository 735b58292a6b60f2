"""The W3C's suite beside the checkout: its cases, what is expected of each, running one, and a report.

python -m tests.scxml.suite            the report by section of the Recommendation
python -m tests.scxml.suite 403c       what one test does, step by step
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeAlias
from xml.etree import ElementTree

import attrs
import yaml

from outlast.bridge.scxml import load_scxml
from outlast.errors import SpecError
from outlast.run import Step, System, SystemSnapshot

FOLDER = Path(__file__).parents[3] / "shared" / "suites" / "w3c-scxml"
EXPECTATIONS = Path(__file__).parent / "expectations.yaml"
ENOUGH = 100
"""Instants a test may need."""

Verdict: TypeAlias = Literal["pass", "fail", "not-applicable", "known-failure", "manual"]


@attrs.frozen
class Case:
    """One file of the suite that is a test of its own."""

    id: str
    section: str
    mandatory: bool
    manual: bool

    @property
    def path(self) -> Path:
        """Where it stands."""
        return FOLDER / "txml" / f"test{self.id}.txml"


@attrs.frozen
class Outcome:
    """Where the machine ended, what it logged, and every step on the way; or why there is no machine."""

    state: str
    log: tuple[str, ...]
    steps: tuple[Step, ...]
    error: SpecError | None = None


@cache
def expectations() -> Mapping[str, Any]:
    """The expectation file."""
    found: Mapping[str, Any] = yaml.safe_load(EXPECTATIONS.read_text("utf-8"))
    return found


def exempt(kind: str) -> dict[str, str]:
    """Test -> why nothing, or less, is expected of it."""
    return {str(test): row["because"] for row in expectations()[kind] for test in row["tests"]}


def cases() -> list[Case]:
    """Every test of the manifest, in its order. Empty where there is no suite."""
    if not FOLDER.is_dir():
        return []
    return list(_cases())


def _cases() -> Iterator[Case]:
    for assertion in ElementTree.parse(FOLDER / "manifest.xml").getroot():  # noqa: S314  # a file of ours
        for test in assertion.iter("test"):
            for start in test.iter("start"):
                name = Path(str(start.get("uri"))).stem.removeprefix("test")
                yield Case(
                    name,
                    str(assertion.get("specnum")),
                    test.get("conformance") == "mandatory",
                    test.get("manual") == "true",
                )


def run(case: Case, *, saving: bool = False) -> Outcome:
    """Run a test in virtual time until its machine is done or nothing is left to happen; `saving`: through JSON at every instant."""
    steps: list[Step] = []
    try:
        plan = load_scxml(case.path, _file)
    except SpecError as error:
        return Outcome("", (), (), error)
    system = System(plan)
    name = next(iter(plan.machines))
    steps += system.begin({"it": (name, {}, None)})
    for _ in range(ENOUGH):
        if system["it"].done or system.next_due is None:
            break
        due = system.next_due
        if saving:
            data = json.loads(json.dumps(system.snapshot().to_json(plan)))
            system = System.restore(plan, SystemSnapshot.from_json(plan, data))
            assert system.next_due == due
        steps += system.advance_to(due)
    log = [dict(effect.payload) for step in steps for effect in step.effects if effect.name == "log"]
    words = tuple(" ".join(str(value) for value in said.values() if value is not None) for said in log)
    return Outcome(system["it"].state, words, tuple(steps))


def _file(name: str) -> bytes:
    """A file a test names: the suite keeps documents under another ending."""
    path = FOLDER / "txml" / name
    return (path.with_suffix(".txml") if path.suffix == ".scxml" else path).read_bytes()


def verdict(case: Case) -> Verdict:
    """What the report says of a case."""
    if case.manual:
        return "manual"
    if run(case).state == "pass":
        return "pass"
    if case.id in exempt("not-applicable"):
        return "not-applicable"
    return "known-failure" if case.id in exempt("known-failure") else "fail"


def report() -> str:
    """`6.2 send 17/17`, a line for every section, mandatory and optional."""
    found = {case: verdict(case) for case in cases()}
    lines = []
    for mandatory in (True, False):
        chosen = {case: said for case, said in found.items() if case.mandatory == mandatory and not case.manual}
        lines.append(f"{'mandatory' if mandatory else 'optional'}: {_score(chosen.values())}")
        for section in sorted({case.section for case in chosen}, key=_order):
            inside = [said for case, said in chosen.items() if case.section == section]
            others = {said: inside.count(said) for said in inside if said != "pass"}
            rest = "".join(f", {count} {said}" for said, count in others.items())
            lines.append(f"  {section:5} {SECTIONS.get(section, ''):22} {_score(inside)}{rest}")
    return "\n".join(lines)


def _score(verdicts: Any) -> str:
    said = list(verdicts)
    return f"{said.count('pass')}/{len(said)}"


def _order(section: str) -> tuple[tuple[int, str], ...]:
    return tuple((int(part), "") if part.isdecimal() else (99, part) for part in section.split("."))


SECTIONS = {
    "3.2": "scxml",
    "3.3": "state",
    "3.5": "transition",
    "3.6": "initial",
    "3.7": "final",
    "3.8": "onentry",
    "3.9": "onexit",
    "3.10": "history",
    "3.12": "events",
    "3.12.1": "event descriptors",
    "3.13": "selecting transitions",
    "4.2": "raise",
    "4.3": "if",
    "4.6": "foreach",
    "4.9": "executable content",
    "5.2": "datamodel",
    "5.3": "data",
    "5.4": "assign",
    "5.5": "donedata",
    "5.6": "content",
    "5.7": "param",
    "5.8": "script",
    "5.9": "expressions",
    "5.10": "system variables",
    "6.2": "send",
    "6.3": "cancel",
    "6.4": "invoke",
    "6.5": "finalize",
    "B.1": "null data model",
    "C.1": "SCXML processor",
    "C.2": "ECMAScript",
    "C.3": "XPath",
    "D.1": "SCXML processor",
    "D.2": "HTTP processor",
}


def _told(case: Case) -> str:
    outcome = run(case)
    if outcome.error:
        return str(outcome.error)
    lines = [
        f"{step.at / 1e6:>6}s {step.instance}: {micro.event or ''} -> {' '.join(micro.entered)}"
        for step in outcome.steps
        for micro in step.microsteps
    ]
    return "\n".join([*lines, outcome.state])


if __name__ == "__main__":
    wanted = sys.argv[1:]
    said = [_told(case) for case in cases() if case.id in wanted] if wanted else [report()]
    sys.stdout.write("\n".join(said) + "\n")
