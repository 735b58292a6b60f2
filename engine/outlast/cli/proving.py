"""The part of `outlast check` that proves: which properties in which compositions, how it goes on, what is kept of it."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import attrs
import click
from rich.console import RenderableType

from outlast.cli.render import proved
from outlast.cli.render.outcomes import Outcome
from outlast.errors import UnknownName
from outlast.language.writer import write_scenario
from outlast.plan import Plan, with_constants
from outlast.proofs.timed import Budget, Verdict, case_table, check, message_chart, reach


@attrs.frozen
class Question:
    """What is to be proved."""

    properties: tuple[str, ...] = ()
    compositions: tuple[str, ...] = ()
    everywhere: bool = False
    whole: bool = False
    distinct: bool = False
    budget: int = 1_000_000

    def answered(self, plan: Plan) -> tuple[Verdict, ...]:
        """The verdicts. Raises UnknownName for a property or composition the system does not have, MisuseError, SpecError."""
        if not plan.properties:
            if self.properties:
                raise UnknownName(f"property of {plan.name}", self.properties[0])
            return ()
        progress = _progress if sys.stderr.isatty() else None
        found = tuple(
            check(
                plan,
                compositions=None if self.everywhere else self.compositions or None,
                properties=self.properties or None,
                first=not (self.everywhere or self.compositions),
                budget=Budget(self.budget),
                slicing=not self.whole,
                exchanging=not self.distinct,
                progress=progress,
            )
        )
        if progress:
            click.echo("\r\x1b[K", err=True, nl=False)
        return found

    def unreached(self, outcome: Outcome) -> Iterator[RenderableType]:
        """What the compositions of an outcome never come to, and never leave. Raises SpecError, LimitExceeded."""
        plan = outcome.found.plan
        for name in dict.fromkeys(verdict.composition for verdict in outcome.verdicts):
            if plan:
                yield proved.never_reached(plan, reach(plan, name))


def _progress(what: str, zones: int, seconds: float) -> None:
    click.echo(f"\r\x1b[K{what}: {zones:,} zones, {zones / seconds:,.0f}/s", err=True, nl=False)


def write_traces(folder: Path, outcomes: Sequence[Outcome]) -> None:
    """Write every counterexample in four forms. Raises OSError."""
    for outcome in outcomes:
        plan = outcome.found.plan
        for verdict in outcome.verdicts:
            if verdict.outcome == "refuted" and verdict.trace and plan:
                folder.mkdir(parents=True, exist_ok=True)
                name = f"{verdict.id}.{verdict.composition}"
                (folder / f"{name}.yaml").write_text(write_scenario(verdict.trace.scenario), encoding="utf-8")
                (folder / f"{name}.case.yaml").write_text(case_table(plan, verdict), encoding="utf-8")
                (folder / f"{name}.mmd").write_text(message_chart(plan, verdict.trace), encoding="utf-8")
                (folder / f"{name}.svg").write_text(_picture(plan, verdict), encoding="utf-8", newline="\n")


def _picture(plan: Plan, verdict: Verdict) -> str:
    """The counterexample as a timeline, told by the system with the constants of its composition."""
    assert verdict.trace
    plan = with_constants(plan, plan.compositions[verdict.composition].source.constants)
    drawn: str = importlib.import_module("outlast.cli.pictures").told_by(plan, verdict.trace.scenario)
    return drawn
