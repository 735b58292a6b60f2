"""What became of a system's properties: those that are not proved with the reason and the run that shows it, and the sum."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from outlast.cli.render.problems import near
from outlast.cli.render.words import clause_lines, columns, counted
from outlast.expr import show as show_value
from outlast.moments import format_duration
from outlast.plan import Plan
from outlast.proofs.timed import Change, Happening, Reach, Trace, Verdict

STYLE = {"proved": "good", "refuted": "bad", "undetermined": "doubt"}


def not_proved(plan: Plan, verdicts: Sequence[Verdict]) -> Iterator[RenderableType]:
    """Every property that is refuted or undetermined."""
    for verdict in verdicts:
        if not verdict.ok:
            yield verdict_text(plan, verdict)
            yield Text()


def verdict_text(plan: Plan, verdict: Verdict) -> Group:
    """One property with its words, its clauses, and what was found."""
    head = Text.assemble(
        (verdict.id, "name"), f" in {verdict.composition}: ", (verdict.outcome, STYLE[verdict.outcome])
    )
    inner: list[RenderableType] = [Text(verdict.says), clause_lines(plan, verdict.because)]
    if verdict.reason:
        inner.append(Text(verdict.reason, style=STYLE[verdict.outcome]))
    if verdict.trace:
        inner.append(trace_table(plan, verdict.trace))
    if verdict.place:
        inner.append(Text(near(verdict.place), style="quiet"))
    return Group(head, Padding(Group(*inner), (0, 0, 0, 2)))


def trace_table(plan: Plan, trace: Trace) -> RenderableType:
    """What changed at each step."""
    if not trace.happenings:
        return Text("nothing needs to happen for it", style="quiet")
    grid = columns()
    for item in trace.happenings:
        instant = Text(format_duration(item.at), style="name", justify="right")
        changes = item.changes or (None,)
        for number, change in enumerate(changes):
            cells = (instant, Text(item.instance), _what(plan, item)) if number == 0 else (Text(), Text(), Text())
            grid.add_row(*cells, Text() if change is None else _change(change))
    return grid


def _what(plan: Plan, item: Happening) -> Text:
    words = Text(item.name, style="event" if item.cause == "event" else "timer")
    if item.payload:
        declared = plan.machines[item.machine].events[item.name].payload
        values = ", ".join(f"{name} {show_value(value, declared[name].type)}" for name, value in item.payload)
        words.append(f" {values}", style="quiet")
    if item.by:
        words.append(f" by {item.by}", style="quiet")
    if item.refusal:
        words.append(f" (refused: {item.refusal})", style="doubt")
    return words


def _change(change: Change) -> Text:
    words = Text.assemble((change.instance, "name"), " ")
    if not change.before:
        words.append(f"is made: {change.after}")
    elif not change.after:
        words.append("is no more")
    elif change.before != change.after:
        words.append(f"{change.before} → {change.after}", style="state")
    for field, before, after in change.fields if change.before and change.after else ():
        words.append(f" {field}: {before} → {after}")
    return words


def summary(verdicts: Sequence[Verdict]) -> Text:
    """`28 properties proved in one-job, 1 refuted (600 states, 1,088 zones, 1.2 s)`, a line for each composition.

    `600 of 1,150 states`: equal instances changed places.
    """
    lines = []
    for name in dict.fromkeys(verdict.composition for verdict in verdicts):
        here = [verdict for verdict in verdicts if verdict.composition == name]
        largest = max((verdict.statistics for verdict in here), key=lambda one: one.zones)
        seconds = sum({(one.statistics.zones, one.statistics.seconds): one.statistics.seconds for one in here}.values())
        line = Text(f"{counted(len(here), 'property', 'properties')} in {name}: ")
        parts = []
        for outcome, style in STYLE.items():
            if number := sum(verdict.outcome == outcome for verdict in here):
                parts.append(Text(f"{number} {outcome}", style=style))
        line.append_text(Text(", ").join(parts))
        states = f"{largest.locations:,} states"
        if largest.stands_for > largest.locations:
            states = f"{largest.locations:,} of {largest.stands_for:,} states"
        size = f" ({states}, {largest.zones:,} zones, {seconds:.1f} s)"
        lines.append(line.append(size, style="quiet"))
    return Text("\n").join(lines)


def never_reached(plan: Plan, found: Reach) -> RenderableType:
    """The rows a composition never takes, what keeps it from them, and the states nobody leaves."""
    parts: list[RenderableType] = [
        Text(
            f"{found.rows - len(found.never) - len(found.too_late)} of {found.rows} rows are taken in {found.composition}"
        )
    ]
    for words, rows in (("never taken", found.never), ("never with these durations", found.too_late)):
        if rows:
            names = ", ".join(f"{machine}.{row}" for machine, row in rows)
            parts.append(Padding(Text.assemble((f"{words}: ", "quiet"), names), (0, 0, 0, 2)))
    for stuck in found.stuck:
        head = Text.assemble(("never left: ", "quiet"), f"{stuck.machine}.{' + '.join(stuck.states)}")
        parts.append(Padding(Group(head, Padding(trace_table(plan, stuck.trace), (0, 0, 0, 2))), (0, 0, 0, 2)))
    if found.unsaid:
        parts.append(
            Padding(Text.assemble(("not said, for want of values: ", "quiet"), ", ".join(found.unsaid)), (0, 0, 0, 2))
        )
    return Group(*parts)
