"""What an audit found, on a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from outlast.cli.render.words import clause_lines, counted, indented, joined, pairs
from outlast.moments import format_duration, format_instant
from outlast.plan import Plan
from outlast.proofs.audit.auditing import Report
from outlast.proofs.audit.findings import Finding, Late, Totals

_LONGEST_WHY = 6


def report(plan: Plan, item: Report) -> Iterator[RenderableType]:
    """A finding in full; a line that was not used in one line."""
    if isinstance(item, Finding):
        yield from finding(plan, item)
    elif isinstance(item, Late):
        when = format_instant(item.at)
        yield Text.assemble((f"line {item.line}", "doubt"), f" tells of {item.instance} at {when}, too late to be used")
    else:
        yield Text.assemble((f"line {item.line}", "doubt"), f" says nothing: {item.reason}")


def finding(plan: Plan, item: Finding) -> Iterator[RenderableType]:
    """What happened, what was allowed, by which clauses, and why."""
    head = Text()
    head.append("contested " if item.contested else "", style="doubt")
    head.append(item.kind, style="doubt" if item.contested else "bad")
    head.append(f"  {item.machine} ", style="quiet").append(item.instance, style="name")
    head.append(f"  line {item.line}" if item.line is not None else "  no line", style="quiet")
    head.append(f"  {format_instant(item.at)}", style="quiet")
    yield head
    yield indented(Text(item.says))
    rows: list[tuple[str, RenderableType]] = []
    if item.latest is not None:
        rows.append(("expected", Text(_expected(item))))
    if item.contested:
        rows.append(("allowed if", joined(", ", (Text(reading, style="doubt") for reading in item.contested))))
    rows += [("why" if index == 0 else "", Text(line)) for index, line in enumerate(item.why[:_LONGEST_WHY])]
    if len(item.why) > _LONGEST_WHY:
        rows.append(("", Text(f"and {len(item.why) - _LONGEST_WHY} more", style="quiet")))
    rows += [("note", Text(note)) for note in item.notes]
    if rows:
        yield indented(pairs(rows, width=10))
    yield indented(clause_lines(plan, item.clauses, width=10))
    yield Text()


def _expected(item: Finding) -> str:
    assert item.latest is not None
    span = "at " if item.earliest == item.latest else f"from {format_instant(item.earliest or 0)} to "
    text = span + format_instant(item.latest)
    if item.seen is None:
        return text
    if item.seen > item.latest:
        return f"{text}; {format_duration(item.seen - item.latest)} later"
    return (
        f"{text}; {format_duration((item.earliest or 0) - item.seen)} earlier"
        if item.seen < (item.earliest or 0)
        else text
    )


def summary(totals: Totals) -> Iterator[RenderableType]:
    """What became of the lines, and the sum of the findings."""
    span = ""
    if totals.first is not None and totals.last is not None:
        span = f", from {format_instant(totals.first)} to {format_instant(totals.last)}"
    yield Text(counted(totals.lines, "line") + span, style="title")
    told = [f"{totals.told:,} told what happened", f"{totals.seen:,} in which state something was"]
    rows = [
        ", ".join(told) + (f"; {totals.repeats:,} of them what was known" if totals.repeats else ""),
        _listed(
            (totals.duplicates, "delivered again"),
            (totals.disordered, "out of order"),
            (totals.late, "too late to be used"),
            (totals.unreadable, "unreadable"),
            (totals.ignored, "ignored"),
            (totals.lost, "missing, by the numbers of their source"),
            (totals.inferred, "missing, by what followed"),
        ),
        _listed((totals.adopted, "met in the middle of their life"), (totals.instances, "instances at most at once")),
    ]
    for row in rows:
        if row:
            yield indented(Text(row, style="quiet"))
    verdict = Text(counted(totals.violations, "violation") if totals.violations else "no violation")
    verdict.stylize("bad" if totals.violations else "good")
    if totals.contested:
        verdict.append(f", {totals.contested} contested", style="doubt")
    yield verdict


def _listed(*parts: tuple[int, str]) -> str:
    return ", ".join(f"{number:,} {words}" for number, words in parts if number)
