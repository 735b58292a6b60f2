"""Files -> suites, and suites fitted to a plan: every name known, every value computed, every problem found before anything runs."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, cast

import attrs

from outlast import model
from outlast.errors import Findings, Problem, SpecError, UnknownName
from outlast.expr import Context, Value, compiled, resolve, tree
from outlast.language.build import build, said
from outlast.language.grammar import RECORDS
from outlast.language.nodes import compose
from outlast.language.reader import Found, Reader
from outlast.language.source import from_file, from_text
from outlast.place import Word, place_of
from outlast.plan import Machine, Plan, problems_of_constants, under, with_constants
from outlast.plan.fields import Constants
from outlast.proofs.conformance.cases import Case, CaseStep, Claim, Level, Suite, Then, Why
from outlast.proofs.conformance.grammar import CASE_RECORDS
from outlast.proofs.conformance.tables import suite_of_csv, suite_of_markdown
from outlast.run.staging import Part, Stage, problems_of, staged
from outlast.values import frozen

SURFACES = (".yaml", ".yml", ".csv", ".md")

# ---- files


def is_suite(path: Path) -> bool:
    """Whether a file is a suite: one of the surfaces, and says so in a line of its own."""
    if path.suffix not in SURFACES or not path.is_file():
        return False
    with path.open(encoding="utf-8", errors="replace") as lines:
        return any(line.lstrip("# ").startswith("suite:") for line in lines)


def suite_files(path: Path) -> list[Path]:
    """The suites at `path`: the file itself, or those in the folder and below, by name. Raises UnknownName."""
    if not path.exists():
        raise UnknownName("table or folder of tables", str(path))
    return sorted(file for file in path.rglob("*") if is_suite(file)) if path.is_dir() else [path]


def system_of(path: Path, suite: Suite) -> str | None:
    """The system a suite is about: the one it names, or the one around its `conformance` folder."""
    if suite.system is not None:
        return str(suite.system)
    home = next((folder for folder in path.resolve().parents if (folder / "system.yaml").is_file()), None)
    return str(home) if home else None


def read_suite(text: str | Path, file: str = "") -> tuple[Suite | None, list[Problem]]:
    """The suite of a file, or of a text in the surface its `file` name tells, as far as it could be read, and every problem."""
    if isinstance(text, Path):
        try:
            source = from_file(text)
        except OSError as error:
            return None, [Problem("unreadable-file", f"`{text}` cannot be read: {(error.strerror or '').lower()}")]
    else:
        source = from_text(text, file)
    surface = {".csv": suite_of_csv, ".md": suite_of_markdown}.get(Path(source.file).suffix, compose)
    root = surface(source) if not source.problems else None
    found = (
        Reader(source, _build, RECORDS | CASE_RECORDS).record(root, CASE_RECORDS["suite"], "suite") if root else None
    )
    suite = cast("Suite | None", _build(found)) if found else None
    problems = [
        attrs.evolve(item, excerpt=source.line(item.place.line) if item.place else None) for item in source.problems
    ]
    return suite, sorted(problems, key=lambda problem: problem.order)


def load_suite(path: Path) -> Suite:
    """The suite of a file. Raises SpecError with everything wrong with it."""
    suite, problems = read_suite(path)
    if suite is None or problems:
        raise SpecError(problems)
    return suite


# ---- records -> the model


def _build(found: Found) -> object | None:
    match found.record.name:
        case "suite":
            return _suite(found)
        case "case":
            return _case(found)
        case "case-step":
            return _step(found)
        case "then":
            return _then(found)
        case "claim" | "why":
            return found
        case _:
            return build(found)


def _id(found: Found, key: str) -> Word:
    return found.word(key) or Word(f"?{found.place.line}:{found.place.column}", found.place)


def _given(found: Found) -> tuple[model.Given, ...]:
    return tuple(cast(model.Given, value) for _, value in found.entries("given"))


def _suite(found: Found) -> Suite:
    """With everything said for all cases said in each."""
    common = _case_parts(found)
    cases = tuple(
        _completed(cast(Case, case), common, _given(found))
        for case in cast("tuple[object, ...]", found.values.get("cases", ()))
    )
    return Suite(
        _id(found, "suite"), found.word("system"), found.text("title"), found.text("about"), cases, place=found.place
    )


@frozen
class _Common:
    level: Level | None
    under: model.Readings
    constants: model.Assignments
    bounds: Literal["latest", "earliest"] | None
    tolerance: int | None


def _case_parts(found: Found) -> _Common:
    return _Common(
        cast("Level | None", found.word("level")),
        cast(model.Readings, found.entries("under")),
        cast(model.Assignments, found.entries("constants")),
        cast('Literal["latest", "earliest"] | None', found.word("bounds")),
        cast("int | None", found.values.get("tolerance")),
    )


def _completed(case: Case, common: _Common, given: tuple[model.Given, ...]) -> Case:
    own = {(item.machine, item.name): item for item in case.given}
    base = {(item.machine, item.name): item for item in given}
    merged = [_over(item, own.get(key)) for key, item in base.items()] + [
        item for key, item in own.items() if key not in base
    ]
    under = {name: (name, reading) for name, reading in (*common.under, *case.under)}
    constants = {name: (name, value) for name, value in (*common.constants, *case.constants)}
    return attrs.evolve(
        case,
        level=case.level or common.level or "must",
        under=tuple(under.values()),
        constants=tuple(constants.values()),
        bounds=case.bounds or common.bounds,
        tolerance=case.tolerance if case.tolerance is not None else common.tolerance,
        given=tuple(merged),
    )


def _over(base: model.Given, own: model.Given | None) -> model.Given:
    if own is None:
        return base
    values = {name: (name, value) for name, value in (*base.values, *own.values)}
    return attrs.evolve(own, state=own.state or base.state, values=tuple(values.values()))


def _case(found: Found) -> Case:
    common = _case_parts(found)
    steps = cast("tuple[CaseStep, ...]", found.values.get("steps", ()))
    return Case(
        _id(found, "id"), found.text("title"), found.words("because"), common.level, common.under, common.constants,
        common.bounds, common.tolerance,
        _given(found), steps, place=found.place,
    )  # fmt: skip


def _instance(key: Word) -> tuple[Word, Word]:
    machine, name = key.split(" ")
    place = key.place
    return Word(machine, place), Word(name, place.shifted(len(machine) + 1) if place else None)


def _step(found: Found) -> CaseStep:
    at, refused = cast(int, found.values.get("at", 0)), found.flag("refused")
    cue: model.Say | model.Happen | model.Make | None = None
    if entries := found.entries("send"):
        ((key, value),) = entries[:1]
        (machine, name), (event, payload) = _instance(key), said(value)
        cue = model.Say(at, machine, name, event, payload, found.word("by"), refused, place=found.place)
    elif made := found.entries("new"):
        cue = model.Make(at, cast(model.Given, made[0][1]), place=found.place)
    elif moments := found.entries("happen"):
        cue = model.Happen(at, *_instance(moments[0][0]), cast(Word, moments[0][1]), place=found.place)
    return CaseStep(at, cue, refused, cast(Then, found.values.get("then", Then())), place=found.place)


def _then(found: Found) -> Then:
    effects = cast("tuple[object, ...] | None", found.values.get("effects"))
    claims = tuple(_claim(key, value) for key, value in found.others)
    named = tuple(said(effect) for effect in effects) if effects is not None else None
    if not found.places:
        found.source.report(
            "missing-claim", "`then` says something of an instance, of `effects`, or of what is `absent`", found.place
        )
    return Then(claims, named, found.words("absent"), place=found.place)


def _claim(key: Word, value: object) -> Claim:
    machine, name = _instance(key)
    if isinstance(value, Word):
        return Claim(machine, name, (value,), place=key.place)
    assert isinstance(value, Found)
    within = cast("tuple[int, ...]", value.values.get("within", ()))
    if within and (len(within) != 2 or within[0] > within[1]):
        value.source.report("bad-bounds", "`within` is two durations, the earlier first", value.places["within"])
    why = value.values.get("why")
    return Claim(
        machine,
        name,
        states=value.words("state"),
        either=value.words("either"),
        outside=value.words("not"),
        values=cast(model.Assignments, value.others),
        absent=value.words("absent"),
        deadlines=cast("tuple[tuple[Word, int], ...]", value.entries("deadlines")),
        unarmed=value.words("unarmed"),
        within=(within[0], within[-1]) if within else None,
        why=Why(why.word("transition"), why.word("clause")) if isinstance(why, Found) else None,
        place=key.place,
    )


# ---- fitting to a plan


@frozen(eq=False)
class FittedClaim:
    """A claim with its values computed, and their types for showing them."""

    source: Claim
    values: dict[str, Value]


@frozen(eq=False)
class FittedCase:
    """A case whose every name is known to `plan`: parts to begin with, payloads and claims as values."""

    plan: Plan
    case: Case
    stage: Stage
    claims: tuple[tuple[FittedClaim, ...], ...]
    effects: tuple[tuple[tuple[str, dict[str, Value]], ...] | None, ...]
    file: str = ""

    @property
    def given(self) -> tuple[Part, ...]:
        """What it starts with."""
        return self.stage.given


def fit(plan: Plan, suite: Suite, *, names: set[str] | None = None) -> tuple[FittedCase, ...]:
    """The cases of a suite, fitted. `names`: ids used by other suites. Raises SpecError with everything that does not fit."""
    fitting = _Fitting(plan, [])
    seen = names if names is not None else set()
    fitted = []
    for case in suite.cases:
        if case.id in seen:
            fitting.fail("duplicate-name", f"a case called `{case.id}` is already there", place_of(case.id))
        seen.add(str(case.id))
        found = fitting.case(case)
        if found is not None:
            fitted.append(found)
    if fitting.problems:
        raise SpecError(dict.fromkeys(fitting.problems))
    return tuple(fitted)


@frozen
class _Fitting(Findings):
    plan: Plan
    problems: list[Problem]

    def case(self, case: Case) -> FittedCase | None:
        for clause in case.because:
            self.known("clause", clause, self.plan.clauses)
        for name, reading in case.under:
            if self.known("assumption", name, self.plan.assumptions):
                self.known("reading", reading, self.plan.assumptions[name].readings)
        if not any(step.refused or step.then != Then() for step in case.steps):
            self.fail(
                "missing-claim", f"nothing is claimed in `{case.id}`", case.place, "a step says `then` or `refused`"
            )
        for earlier, later in zip(case.steps, case.steps[1:], strict=False):
            if later.at < earlier.at:
                self.fail("time-backwards", "a step cannot come before the one above it", later.place)
        scenario = self.scenario(case)
        self.problems.extend(problems_of(self.plan, scenario))
        if problems_of_constants(self.plan, case.constants):
            return None
        plan = with_constants(self.plan, case.constants)
        for step in case.steps:
            for claim in step.then.claims:
                self.claim(claim)
        effects = tuple(self.effects(plan, step) for step in case.steps)
        if self.problems:
            return None
        stage = staged(plan, scenario)
        values = iter(stage.claims)
        claims = tuple(
            tuple(FittedClaim(claim, next(values).values) for claim in step.then.claims) for step in case.steps
        )
        chosen = under(plan, {str(name): str(reading) for name, reading in case.under})
        return FittedCase(chosen, case, stage, claims, effects, case.place.file if case.place else "")

    def scenario(self, case: Case) -> model.Scenario:
        """The same as a story, whose names the staging of stories knows how to check."""
        expect = [
            model.Expectation(
                step.at, claim.machine, claim.name, (*claim.states, *claim.either, *claim.outside), claim.values, claim.deadlines,
                place=claim.place,
            )
            for step in case.steps
            for claim in step.then.claims
        ]  # fmt: skip
        cues = tuple(step.cue for step in case.steps if step.cue)
        return model.Scenario(
            case.id, constants=case.constants, given=case.given, steps=cues, expect=tuple(expect), place=case.place
        )

    def claim(self, claim: Claim) -> None:
        machine = self.plan.machines.get(claim.machine)
        if machine is None:
            return
        timers = [row.id for row in machine.transitions if row.delay]
        for name in claim.absent:
            self.known("field or ref", name, (*machine.fields, *machine.refs))
        for name in claim.unarmed:
            self.known("timer", name, timers)
        if claim.why and claim.why.transition is not None:
            self.known("transition", claim.why.transition, [row.id for row in machine.transitions])
        if claim.why and claim.why.clause is not None:
            self.known("clause", claim.why.clause, self.plan.clauses)

    def effects(self, plan: Plan, step: CaseStep) -> tuple[tuple[str, dict[str, Value]], ...] | None:
        if step.then.effects is None:
            return None
        machines = plan.machines.values()
        names = [name for machine in machines for name in machine.effects]
        found = []
        for name, payload in step.then.effects:
            values: dict[str, Value] = {}
            if self.known("effect", name, names):
                home: Machine = next(machine for machine in machines if name in machine.effects)
                declared = home.effects[name].payload
                for key, expr in payload:
                    if self.known("value", key, declared):
                        literals = {k: v.expr for k, v in plan.constants.items() if isinstance(v.expr, tree.Literal)}
                        resolved = resolve(expr, Constants(literals), self.fail, declared[key].type)
                        values[str(key)] = compiled(resolved)(Context()) if resolved is not None else None
            found.append((str(name), values))
        return tuple(found)
