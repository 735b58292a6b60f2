"""Cases against an implementation: one result for each case, and what they come to, clause by clause."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Literal, TypeAlias

import attrs

from outlast import model
from outlast.errors import OutlastError
from outlast.plan import Plan
from outlast.proofs.conformance.matching import Difference, Unchecked, matched
from outlast.proofs.conformance.protocol import Broken, Runner, Unimplemented
from outlast.proofs.conformance.reading import FittedCase
from outlast.run.staging import is_default
from outlast.values import frozen

Status: TypeAlias = Literal["passed", "failed", "not-strict", "contested", "unimplemented"]
STATUSES: tuple[Status, ...] = ("passed", "failed", "not-strict", "contested", "unimplemented")

MOMENTS = ("latest", "earliest", "seed:1")
"""A case that does not presume one must hold for each of these, where the implementation can be told."""


@frozen
class Result:
    """What became of one case. `not-strict`: a `should` or `may` is not met; `contested`: another reading is followed."""

    case: FittedCase
    runner: str
    status: Status
    differences: tuple[Difference, ...] = ()
    unchecked: tuple[Unchecked, ...] = ()
    reason: str = ""
    bounds: str | None = None
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether nobody has to act."""
        return self.status != "failed"

    def lines(self) -> Iterator[str]:
        """The result in words: where the case stands, its clauses with what they say, and each difference."""
        case = self.case.case
        yield f"{case.place or case.id}: {case.id} ({self.status} in {self.runner})" + (
            f": {case.title}" if case.title else ""
        )
        for clause in case.because:
            yield f"  {clause}: {self.case.plan.clauses[clause].says}"
        if case.under:
            yield "  under " + ", ".join(f"{name}={reading}" for name, reading in case.under)
        if self.bounds not in (None, "latest"):
            yield f"  with `within` resolved as {self.bounds}"
        for difference in self.differences:
            line = difference.place.line if difference.place else 0
            elsewhere = case.place is None or line != case.place.line
            yield f"  {difference}" + (f" (line {line})" if line and elsewhere else "")
        if self.reason:
            yield f"  {self.reason}"


def judge(case: FittedCase, runner: Runner) -> Result:
    """Run one case and compare."""
    began = time.perf_counter()
    lacking = _lacking(case, runner)
    if lacking:
        return Result(case, runner.name, "unimplemented", reason=lacking)
    result = Result(case, runner.name, "passed")
    for bounds in _moments(case, runner):
        result = _once(case, runner, bounds)
        if result.status != "passed":
            break
    return attrs.evolve(result, seconds=time.perf_counter() - began)


def run_cases(cases: Iterable[FittedCase], runner: Runner) -> Iterator[Result]:
    """The results one after the other."""
    for case in cases:
        yield judge(case, runner)


def _moments(case: FittedCase, runner: Runner) -> tuple[str | None, ...]:
    if case.case.bounds:
        return (case.case.bounds,)
    return MOMENTS if "bounds" in runner.capabilities else (None,)


def _lacking(case: FittedCase, runner: Runner) -> str:
    """The first thing the case needs that the implementation does not offer."""
    needs = {
        "state-import": any(part.state for part in case.given),
        "clock": any(step.at for step in case.case.steps),
        "happen": any(isinstance(step.cue, model.Happen) for step in case.case.steps),
        "constants": bool(case.case.constants),
        "readings": not is_default(case.plan) and case.case.level != "contested",
    }
    missing = next((name for name, needed in needs.items() if needed and name not in runner.capabilities), None)
    return f"needs `{missing}`" if missing else ""


def _once(case: FittedCase, runner: Runner, bounds: str | None) -> Result:
    try:
        observations = runner.run(case, bounds)
    except Unimplemented as error:
        return Result(case, runner.name, "unimplemented", reason=str(error), bounds=bounds)
    except (Broken, OutlastError) as error:
        return Result(case, runner.name, "failed", reason=f"{type(error).__name__.lower()}: {error}", bounds=bounds)
    differences, unchecked = matched(case, observations, runner.capabilities)
    status: Status = "passed"
    if differences:
        other_reading = case.case.level == "contested" and "readings" not in runner.capabilities
        lenient = case.case.level in ("should", "may")
        status = "contested" if other_reading else "not-strict" if lenient else "failed"
    elif unchecked:
        missing = ", ".join(sorted({f"`{item.capability}`" for item in unchecked}))
        return Result(case, runner.name, "unimplemented", (), tuple(unchecked), f"does not tell {missing}", bounds)
    return Result(case, runner.name, status, tuple(differences), tuple(unchecked), bounds=bounds)


# ---- by clause


@frozen
class ClauseLine:
    """One clause and the cases that name it. `excused` says why it has none."""

    clause: str
    says: str
    counts: dict[Status, int]
    excused: str = ""

    @property
    def covered(self) -> bool:
        """Whether a case that names it passed."""
        return self.counts["passed"] > 0


def by_clause(plan: Plan, results: Iterable[Result]) -> tuple[ClauseLine, ...]:
    """Every clause of the system with what became of its cases."""
    counts: dict[str, dict[Status, int]] = {name: dict.fromkeys(STATUSES, 0) for name in plan.clauses}
    for result in results:
        for clause in result.case.case.because:
            counts[str(clause)][result.status] += 1
    return tuple(ClauseLine(name, clause.says, counts[name], clause.reference) for name, clause in plan.clauses.items())
