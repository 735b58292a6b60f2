"""The shipped table holds in every way there is to run it; strangers are judged fairly; and a change of the rules is noticed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import attrs
import pytest

from outlast import load
from outlast.catalog import specs
from outlast.errors import MisuseError, UnknownName
from outlast.plan import Plan
from outlast.proofs.conformance.implementations import runner_at
from outlast.proofs.conformance.judging import Result, by_clause, judge, run_cases
from outlast.proofs.conformance.protocol import (
    CAPABILITIES,
    Broken,
    Observation,
    observation_from_json,
    observation_to_json,
    script,
)
from outlast.proofs.conformance.reading import FittedCase, fit, load_suite, read_suite, suite_files
from outlast.proofs.conformance.reports import badge, counts, html, jsonl, junit
from outlast.proofs.conformance.runners import SystemRunner
from outlast.proofs.conformance.strangers import Pipe, Stranger, stranger_at
from outlast.proofs.coverage import Coverage
from outlast.proofs.mutants import Change, fates, mutants
from outlast.views.explorer import to_walker

STRANGER = Path(__file__).with_name("stranger.js")
RUNNERS = ("system", "compiled", "step", "restore", "transitions")


@cache
def plan() -> Plan:
    """The system the table is about."""
    return load("sagemaker")


@cache
def cases() -> dict[str, FittedCase]:
    """Every shipped case by id."""
    names: set[str] = set()
    files = suite_files(specs() / "sagemaker" / "conformance")
    fitted = [case for file in files for case in fit(plan(), load_suite(file), names=names)]
    return {str(case.case.id): case for case in fitted}


@cache
def results(runner: str) -> tuple[Result, ...]:
    """What becomes of every case."""
    return tuple(run_cases(cases().values(), runner_at(runner)))


def wrong(found: tuple[Result, ...] | list[Result]) -> list[str]:
    """The failures in words."""
    return ["\n".join(result.lines()) for result in found if result.status != "passed"]


# ---- in this process


@pytest.mark.parametrize("runner", ["system", "compiled", "step", "restore"])
def test_every_case_holds(runner: str) -> None:
    """Whichever of our own ways runs it, and whenever `within` rows happen."""
    assert wrong(results(runner)) == []


def test_the_library_transitions_agrees() -> None:
    """An interpreter that shares no code with ours comes to the same; it only knows the latest moment for `within`."""
    found = results("transitions")

    assert [str(result.case.case.id) for result in found if result.status == "failed"] == []
    assert {result.case.case.bounds for result in found if result.status == "unimplemented"} == {"earliest"}


def test_there_are_enough_cases() -> None:
    """At least 150, on every surface, and for every assumption under each of its readings."""
    read = {(name, reading) for case in cases().values() for name, reading in case.case.under}
    open_questions = {(name, reading) for name, item in plan().assumptions.items() for reading in item.readings}

    assert len(cases()) >= 150
    assert {Path(case.file).suffix for case in cases().values()} == {".yaml", ".csv", ".md"}
    assert open_questions == read
    assert all(case.case.level == "contested" for case in cases().values() if case.case.under)


def test_every_clause_row_and_guard_outcome_is_covered() -> None:
    """Clauses with behaviour, rows, and both verdicts of every leaf of every guard."""
    coverage = Coverage(plan())
    found = list(run_cases(cases().values(), SystemRunner(watch=coverage.watch)))

    assert [line.clause for line in by_clause(plan(), found) if not line.covered and not line.excused] == []
    assert coverage.not_taken == ()
    assert coverage.not_seen == ()


def test_coverage_names_what_is_missing() -> None:
    """One case leaves most uncovered, and each gap is told by row, leaf and outcome."""
    coverage = Coverage(plan())
    judge(cases()["RUN-TIP-10"], SystemRunner(watch=coverage.watch))
    missing = [str(outcome) for outcome in coverage.not_seen]

    assert coverage.taken["job", "tip-off-switch"] == 3
    assert "job.rescue" in coverage.not_taken
    assert "job.tip-off-switch: `session is signed-in` never false" in missing
    assert "job.tip-off-switch: `session is signed-in` never true" not in missing


def test_mutants_are_killed(capsys: pytest.CaptureFixture[str]) -> None:
    """Every change of one row of the shipped system makes a case fail."""
    found = list(fates(plan(), cases().values()))
    kinds: dict[Change, list[bool]] = {}
    for fate in found:
        kinds.setdefault(fate.mutant.change, []).append(fate.killer is not None)
    with capsys.disabled():
        killed = sum(map(sum, kinds.values()))
        shares = ", ".join(f"{kind} {sum(fates)} of {len(fates)}" for kind, fates in kinds.items())
        sys.stdout.write(f"\n{killed} of {len(found)} mutants killed: {shares}\n")

    assert len(found) >= 60
    assert set(kinds) == {"drop", "negate", "retarget", "second"}
    assert [str(fate.mutant) for fate in found if fate.killer is None] == []


def test_a_survivor_is_told() -> None:
    """A mutant no case notices has no killer."""
    chosen = [mutant for mutant in mutants(plan().source) if str(mutant) == "drop job.rescue"]
    (fate,) = fates(plan(), [cases()["BIND-01"]], chosen)

    assert fate.killer is None


# ---- matching

HEAD = """\
suite: small
given:
  identity-center acme: {}
  studio-application studio: {}
  studio-domain ds: {state: tip-enabled, center: acme, application: studio}
  interactive-session ana: {state: signed-out, center: acme}
  job train: {kind: training, state: running-background, max-runtime: 9d, domain: ds, session: ana}
cases:
  - id: A-1
    because: TIP-32
"""
CLAIMS = [
    # claims after seven days, differences
    ("{job train: grace-period}", []),
    ("{job train: executing}", []),
    ("{job train: {state: [executing, grace-period]}}", []),
    ("{job train: running}", ["train: wanted running, saw grace-period"]),
    ("{job train: {either: [running, failed]}}", ["train: wanted running or failed, saw grace-period"]),
    ("{job train: {not: [executing]}}", ["train: wanted not executing, saw grace-period"]),
    ("{job train: {kind: training, checkpoint: false}}", []),
    ("{job train: {kind: pipeline}}", ["train.kind: wanted pipeline, saw training"]),
    ("{job train: {max-runtime: 1d}}", ["train.max-runtime: wanted 1d, saw 9d"]),
    ("{job train: {absent: max-runtime}}", ["train.max-runtime: wanted absent, saw 9d"]),
    ("{job train: {deadlines: {grace-over: 7d 15m}}}", []),
    ("{job train: {deadlines: {grace-over: 7d 15m 1s}}}", []),
    ("{job train: {deadlines: {grace-over: 7d 15m 2s}}}", ["train.deadlines.grace-over: wanted 7d 15m 2s, saw 7d 15m"]),
    ("{job train: {unarmed: grace-over}}", ["train.deadlines.grace-over: wanted none, saw 7d 15m"]),
    ("{background-session train.background: {state: expired, unarmed: expire}}", []),
    ("{background-session train.background: {deadlines: {expire: 7d}}}", ["train.background.deadlines.expire: wanted 7d, saw none"]),
    ("{job train: {state: grace-period, within: [6d, 7d]}}", []),
    ("{job train: {state: grace-period, within: [7d 1s, 8d]}}", []),
    ("{job train: {state: grace-period, within: [7d 2s, 8d]}}", ["train.entered grace-period: wanted 7d 2s to 8d, saw 7d"]),
    ("{absent: [train.background]}", ["train.background: wanted absent, saw expired"]),
    ("{absent: [train.background.2]}", []),
    ("{background-session train.background.2: active}", ["train.background.2: wanted an instance of that name, saw none"]),
    ("{effects: [session-expired]}", []),
    ("{effects: [{session-expired: {duration: 7d}}]}", []),
    ("{effects: [{session-expired: {duration: 1d}}]}", ["effects: wanted session-expired(duration 1d), saw session-expired(duration 7d)"]),
    ("{effects: []}", ["effects: wanted none, saw session-expired"]),
    ("{effects: [session-expired, job-failed]}", ["effects: wanted session-expired, job-failed, saw session-expired"]),
    ("{job train: {why: {transition: background-expires, clause: TIP-32}}}", []),
    ("{job train: {why: {transition: rescue}}}", ["train: why: wanted the row rescue, saw background-expires"]),
    ("{job train: {why: {clause: TIP-01}}}", ["train: why: wanted the clause TIP-01, saw TIP-32, TIP-44"]),
]  # fmt: skip


def small(claims: str, more: str = "", cue: str = "") -> FittedCase:
    """One case that looks after seven days."""
    text = f"{HEAD}    bounds: latest\n    tolerance: 1s\n{more}    steps:\n      - {{at: 7d{cue}, then: {claims}}}\n"
    suite, problems = read_suite(text, "small.yaml")

    assert problems == []
    assert suite
    return fit(plan(), suite)[0]


@pytest.mark.parametrize("runner", ["system", "compiled", "step", "restore"])
@pytest.mark.parametrize(("claims", "differences"), CLAIMS)
def test_claims(claims: str, differences: list[str], runner: str) -> None:
    """What is claimed is compared, what is not may be as it likes; each difference says what was wanted and seen."""
    found = judge(small(claims), runner_at(runner))

    assert [f"at 7d: {text}" for text in differences] == list(map(str, found.differences))
    assert ("failed" if differences else "passed") == found.status


@pytest.mark.parametrize(
    ("cue", "difference"),
    [
        (", send: {job train: start}", "`train: start`: wanted accepted, saw refused: nothing listens for it here"),
        (", send: {job train: finish}, refused: true", "`train: finish`: wanted refused, saw accepted"),
    ],
)
def test_what_is_said_must_be_accepted_or_refused(cue: str, difference: str) -> None:
    """Whether an event comes in is itself a claim."""
    found = judge(small("{absent: [nobody]}", cue=cue), SystemRunner())

    assert [f"at 7d: {difference}"] == list(map(str, found.differences))


# ---- the moment of a `within` row

MOMENTS = [  # steps after the session has run out, differences
    ("{at: 7d 3m, happen: {job train: grace-over}, then: {job train: {state: failed, within: [7d 3m, 7d 3m]}}}", []),
    ("{at: 7d 3m, happen: {job train: grace-over}, then: {effects: [session-expired, job-failed]}}", []),
    ("{at: 7d 2m, then: {job train: {state: grace-period, deadlines: {grace-over: 7d 15m}}}}, {at: 7d 3m, happen: {job train: grace-over}}", []),
    ("{at: 7d, happen: {job train: grace-over}, then: {job train: {state: failed, within: [7d, 7d]}}}", []),
    ("{at: 7d 1m, send: {job train: finish}, by: service}, {at: 7d 3m, happen: {job train: grace-over}, then: {job train: completed}}", ["at 7d 3m: `train: grace-over`: wanted happens, saw does not happen then"]),
    ("{at: 7d 16m, happen: {job train: grace-over}, then: {job train: failed}}", ["at 7d 16m: `train: grace-over`: wanted happens, saw does not happen then"]),
    ("{at: 7d 3m, happen: {job train: grace-over}, then: {job train: grace-period}}", ["at 7d 3m: train: wanted grace-period, saw failed"]),
]  # fmt: skip


def told(steps: str, more: str = "") -> FittedCase:
    """One case of these steps."""
    suite, problems = read_suite(
        f"{HEAD}{more}    steps: [{steps}, {{at: 8d, then: {{absent: [nobody]}}}}]\n", "small.yaml"
    )
    assert problems == []
    assert suite
    return fit(plan(), suite)[0]


@pytest.mark.parametrize("runner", RUNNERS)
@pytest.mark.parametrize(("steps", "differences"), MOMENTS)
def test_a_moment_is_told(steps: str, differences: list[str], runner: str) -> None:
    """Whoever runs it lets the row happen then, whatever `within` rows do otherwise; that it does happen is itself a claim."""
    found = judge(told(steps), runner_at(runner))

    assert differences == list(map(str, found.differences))
    assert found.reason == ""


@pytest.mark.needs("node")
@pytest.mark.parametrize(("steps", "differences"), MOMENTS)
def test_a_moment_is_told_to_the_walker(steps: str, differences: list[str], walker: Stranger) -> None:
    """Over the protocol it is a message of its own."""
    found = judge(told(steps), walker)

    assert (differences, "") == ([*map(str, found.differences)], found.reason)


@pytest.fixture(scope="module")
def walker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stranger]:
    """The interpreter of the explorer as a program."""
    path = tmp_path_factory.mktemp("walker") / "walker.js"
    path.write_text(to_walker(plan()), encoding="utf-8")
    stranger = stranger_at(f"cmd:node '{path}'")
    yield stranger
    stranger.close()


def test_a_moment_can_be_declined() -> None:
    """Who cannot be told the moment of one row skips the case with that reason; so does who says so when asked."""
    case = told(MOMENTS[0][0])
    less = judge(case, Less(frozenset(CAPABILITIES) - {"happen"}))

    assert ("unimplemented", "needs `happen`") == (less.status, less.reason)


def test_what_a_stranger_is_told_of_a_moment() -> None:
    """Machine, instance and row, at an instant."""
    sent = script(told(MOMENTS[0][0]), None)

    assert sent["steps"][0] == {
        "at": 604_980_000_000,
        "happen": {"machine": "job", "instance": "train", "row": "grace-over"},
    }


# ---- other constants


@pytest.mark.parametrize("runner", RUNNERS)
def test_constants_of_a_case(runner: str) -> None:
    """They are those of the case for everything in it, and those of the specification for every other."""
    found = judge(
        told("{at: 7d 1m, then: {job train: failed}}", "    constants: {grace: 1m}\n    bounds: latest\n"),
        runner_at(runner),
    )
    usual = judge(told("{at: 7d 1m, then: {job train: grace-period}}", "    bounds: latest\n"), runner_at(runner))

    assert ("passed", "passed") == (found.status, usual.status), [*found.lines(), *usual.lines()]


def test_constants_can_be_declined() -> None:
    """A stranger is told them; who cannot have others skips the case."""
    case = told("{at: 7d 1m, then: {job train: failed}}", "    constants: {grace: 1m}\n    bounds: latest\n")

    assert judge(case, Less(frozenset(CAPABILITIES) - {"constants"})).reason == "needs `constants`"
    assert script(case, None)["constants"] == {"grace": 60_000_000}
    assert script(told(MOMENTS[0][0]), None)["constants"] == {}


@pytest.mark.parametrize(("level", "status"), [("must", "failed"), ("should", "not-strict"), ("may", "not-strict")])
def test_levels(level: str, status: str) -> None:
    """What only should be is not a failure."""
    assert judge(small("{job train: failed}", f"    level: {level}\n"), SystemRunner()).status == status


# ---- strangers


@attrs.frozen(eq=False)
class Less:
    """A system that can do less."""

    capabilities: frozenset[str]
    name: str = "less"

    def run(self, case: FittedCase, bounds: str | None) -> list[Observation]:
        """As the system does it, forgetting what it cannot tell, through JSON as a stranger would."""
        seen = [json.loads(json.dumps(observation_to_json(item))) for item in SystemRunner().run(case, bounds)]
        return [observation_from_json(item) for item in seen]

    def close(self) -> None:
        """Nothing to close."""


LACKING = [
    ("state-import", "{absent: [nobody]}", "needs `state-import`"),
    ("clock", "{absent: [nobody]}", "needs `clock`"),
    ("effects", "{effects: [session-expired]}", "does not tell `effects`"),
    ("deadlines", "{job train: {deadlines: {grace-over: 7d 15m}}}", "does not tell `deadlines`"),
    ("deadlines", "{job train: {unarmed: max-runtime}}", "does not tell `deadlines`"),
    ("moments", "{job train: {state: grace-period, within: [7d, 7d]}}", "does not tell `moments`"),
]


@pytest.mark.parametrize(("capability", "claims", "reason"), LACKING)
def test_what_cannot_be_done_is_unimplemented(capability: str, claims: str, reason: str) -> None:
    """A case that needs more than an implementation offers is not a failure of it."""
    found = judge(small(claims), Less(frozenset(CAPABILITIES) - {capability}))

    assert (found.status, found.reason) == ("unimplemented", reason)


def test_why_is_optional() -> None:
    """Who cannot say why is held to the rest."""
    claims = "{job train: {state: grace-period, why: {transition: rescue}}}"

    assert judge(small(claims), Less(frozenset(CAPABILITIES) - {"why"})).status == "passed"


def test_another_reading_is_contested() -> None:
    """Who follows one reading only, and not that of the case, is not wrong."""
    other = attrs.evolve(cases()["OPEN-02-pin"], plan=cases()["OPEN-02-switch"].plan)
    found = judge(other, Less(frozenset(CAPABILITIES) - {"readings", "why"}))

    assert found.status == "contested"


@pytest.mark.needs("node")
def test_a_stranger_passes_what_it_implements() -> None:
    """A part of the document in JavaScript, behind a pipe: what it does is right, what it does not is said."""
    stranger = stranger_at(f"cmd:node '{STRANGER}'")
    found = list(run_cases(cases().values(), stranger))
    stranger.close()

    assert stranger.name == "stranger"
    assert [line for result in found if result.status == "failed" for line in result.lines()] == []
    assert counts(found)["passed"] > 90
    assert {result.reason for result in found if result.status == "unimplemented"} >= {
        "does not tell `effects`",
        "it has no checkpoints",
        "it has no pipelines",
        "it follows another reading of A-02",
    }


@pytest.mark.needs("node")
def test_a_stranger_with_a_fault_is_caught() -> None:
    """A grace period of sixteen minutes breaks TIP-28, and only clauses about losing a session are blamed."""
    stranger = stranger_at(f"cmd:node '{STRANGER}' sixteen")
    failed = [result for result in run_cases(cases().values(), stranger) if result.status == "failed"]
    stranger.close()

    assert len(failed) >= 10
    assert {difference.wanted.split()[0] for result in failed for difference in result.differences} <= {
        "failed",
        "1h",
        "2h",
        "7d",
        "8h",
        "15m",
    }


@pytest.fixture
def served() -> Iterator[str]:
    """The address of the stranger as a service."""
    command = ["node", str(STRANGER), "serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        yield process.stdout.readline().strip()
        process.terminate()


@pytest.mark.needs("node")
def test_a_service(served: str) -> None:
    """The same over HTTP."""
    stranger = stranger_at(served)

    assert judge(cases()["RUN-TIP-10"], stranger).status == "passed"


HELLO = "import json,sys\nfor line in sys.stdin:\n    said = json.loads(line)\n    answer = {'seq': said['seq'], 'capabilities': ['clock', 'state-import']}\n"
FAULTS = [
    ("print('hello', flush=True)", "the answer is not JSON: 'hello'"),
    ("print('[]', flush=True)", "the answer does not echo `seq` 2: '[]'"),
    ("sys.exit()", "has ended"),
    ("import time; time.sleep(60)", "does not answer within 0.5 s"),
    ("print(json.dumps(answer), flush=True)", "the answer has no list of `observations`"),
    ("print(json.dumps(answer | {'error': 'oh'}), flush=True)", "oh"),
    ("print(json.dumps(answer | {'observations': []}), flush=True)", "0 observations for 1 steps"),
    ("print(json.dumps(answer | {'observations': [7]}), flush=True)", "an observation is not an object: 7"),
    ("print(json.dumps(answer | {'observations': [{'instances': {'a': 1}}]}), flush=True)", "the instance `a` is not an object: 1"),
    ("print(json.dumps(answer | {'observations': [{'instances': {}, 'happened': [{'at': 'now'}]}]}), flush=True)", "an instant is an integer of microseconds: 'now'"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "reason"), FAULTS)
def test_a_stranger_that_misbehaves_fails(body: str, reason: str, tmp_path: Path) -> None:
    """Whatever comes back, the case fails with a reason in words, and the harness goes on."""
    program = tmp_path / "stranger.py"
    program.write_text(
        f"{HELLO}    if said['cmd'] == 'start':\n        print(json.dumps(answer), flush=True)\n    else:\n        {body}\n"
    )
    stranger = Stranger(Pipe(f"'{sys.executable}' '{program}'", patience=0.5 if "sleep" in body else 10), "it")
    found = judge(
        attrs.evolve(small("{absent: [x]}"), case=attrs.evolve(small("{absent: [x]}").case, bounds=None)), stranger
    )
    stranger.line.hang_up()

    assert found.status == "failed"
    assert found.reason.startswith("broken: ")
    assert reason in found.reason


def test_unknown_capabilities_are_refused(tmp_path: Path) -> None:
    """A capability nobody knows is a mistake of the implementation, with a suggestion."""
    program = tmp_path / "stranger.py"
    program.write_text(HELLO.replace("'clock'", "'clok'") + "    print(json.dumps(answer), flush=True)\n")

    with pytest.raises(UnknownName, match=r"no capability .* is called `clok` \(did you mean `clock`"):
        stranger_at(f"cmd:'{sys.executable}' '{program}'")


def test_nobody_there() -> None:
    """A program or service that does not exist is told in a line."""
    with pytest.raises(MisuseError, match="cannot be run"):
        stranger_at("cmd:/nowhere/at-all")
    with pytest.raises(Broken, match="does not answer"):
        stranger_at("http://127.0.0.1:9/")
    with pytest.raises(MisuseError, match="is no implementation"):
        stranger_at("ftp://example.org")


def test_what_a_stranger_is_sent() -> None:
    """Given, steps and readings as plain data, and no claims."""
    sent = script(cases()["RUN-TIP-10"], None)

    assert sent["given"][4] == {
        "machine": "job",
        "instance": "train",
        "state": "running-background",
        "fields": {"kind": "training"},
        "refs": {"domain": "ds", "session": "ana"},
    }
    assert sent["steps"] == [
        {
            "at": 3_600_000_000,
            "send": {"machine": "studio-domain", "instance": "ds", "event": "disable-tip", "payload": {}},
        }
    ]
    assert sent["readings"]["A-02"] == "switch"


# ---- reports


def test_reports() -> None:
    """Each form tells ids, clauses and what failed."""
    found = [*results("system")[:3], judge(small("{job train: failed}"), SystemRunner())]
    lines = [json.loads(line) for line in jsonl(found).splitlines()]

    assert [line["status"] for line in lines] == ["passed", "passed", "passed", "failed"]
    assert lines[3]["differences"] == [
        {"at": 604_800_000_000, "about": "train", "wanted": "failed", "seen": "grace-period", "line": 14}
    ]
    assert 'tests="4" failures="1" skipped="0"' in junit(found)
    assert '<property name="clause" value="TIP-32"/>' in junit(found)
    assert "3 of 4" in badge(found)
    assert '<td class="cell failed" title="1 failed">✗ 0/1</td>' in html(plan(), found)
