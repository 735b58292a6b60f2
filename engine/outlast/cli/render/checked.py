"""What a check of systems found, and the sum."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from outlast.cli.render.outcomes import Outcome
from outlast.cli.render.problems import problems
from outlast.cli.render.proved import not_proved, summary
from outlast.cli.render.words import columns, counted, coverage_text


def checked(outcome: Outcome, *, width: int | None = None) -> Group:
    """All that was found in one system, warnings last, and what it consists of."""
    return Group(*_checked(outcome, width))


def _checked(outcome: Outcome, width: int | None) -> Iterator[RenderableType]:
    found = outcome.found
    warnings = [item for item in found.problems if item.severity == "warning"]
    for group in (found.errors, warnings):
        if group:
            yield from (problems(group), Text())
    grid = columns(widths=(width, None))
    if found.plan is None:
        grid.add_row(Text(outcome.name, style="title"), Text("cannot be compiled", style="bad"))
    else:
        size = f"{counted(len(found.plan.machines), 'machine')}, {counted(len(found.scenarios), 'scenario')}"
        grid.add_row(Text(outcome.name, style="title"), Text(size))
        if found.plan.clauses:
            grid.add_row("", Text(f"clauses: {coverage_text(found.plan)}"))
    if outcome.remark:
        grid.add_row("", Text(outcome.remark, style="doubt"))
    if outcome.verdicts and found.plan:
        yield from not_proved(found.plan, outcome.verdicts)
        grid.add_row("", summary(outcome.verdicts))
    yield grid


def total(outcomes: Sequence[Outcome]) -> Text:
    """The sum in one line."""
    found = [outcome.found for outcome in outcomes]
    errors = sum(len(item.errors) for item in found)
    warnings = sum(len(item.problems) for item in found) - errors
    parts = [counted(number, noun) for number, noun in ((errors, "problem"), (warnings, "warning")) if number]
    claims = [verdict for outcome in outcomes for verdict in outcome.verdicts]
    numbers = {word: sum(claim.outcome == word for claim in claims) for word in ("refuted", "undetermined")}
    parts += [f"{counted(number, 'property', 'properties')} {word}" for word, number in numbers.items() if number]
    words = " and ".join(parts) if parts else "no problems"
    if len(found) > 1:
        words += f" in {len(found)} systems"
    bad = errors or any(claim.outcome == "refuted" for claim in claims)
    return Text(words, style="bad" if bad else "doubt" if parts else "good")
