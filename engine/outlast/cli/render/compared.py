"""Two specifications side by side, on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.text import Text

from outlast.cli.render.problems import near
from outlast.cli.render.words import columns, counted, indented
from outlast.cli.shapes import Data, standing
from outlast.expr import render
from outlast.language.writer import write_scenario
from outlast.model import Happen, Make, Say
from outlast.moments import format_duration
from outlast.plan import Plan
from outlast.plan.difference import Change, Difference
from outlast.proofs.comparison import Comparison

SIGNS = {"added": ("+", "good"), "removed": ("-", "bad"), "changed": ("~", "doubt")}
STYLE = {"same": "good", "differ": "bad", "undetermined": "doubt"}
SAYS = {"same": "they behave alike", "differ": "they differ", "undetermined": "undetermined"}
LONGEST = 88
"""How long the old and the new words of something may be to stand on one line."""


def structure(found: Difference) -> Iterator[RenderableType]:
    """Everything that was added, removed and changed, machine by machine."""
    if not found:
        yield Text("The two are the same specification.", style="good")
        return
    for machine in dict.fromkeys(change.machine for change in found.changes):
        yield Text(machine or "the system", style="title")
        for change in found.changes:
            if change.machine == machine:
                yield indented(_change(change))
    for item in found.affected:
        yield Text.assemble(
            ("  changed through ", "quiet"), ", ".join(item.through), (": ", "quiet"), f"{item.kind} ", (item.name, "name"),
            (f" of {item.machine}" if item.machine else "", "quiet"),
        )  # fmt: skip
    behaving = sum(change.behaves for change in found.changes)
    rest = len(found.changes) - behaving
    line = f"{counted(behaving, 'change')} that a run could notice, {rest or 'none'} of words alone"
    yield Text(line if behaving else "What differs is words alone: no run could notice it.", style="quiet")


def _change(change: Change) -> RenderableType:
    sign, style = SIGNS[change.fate]
    place = change.new_place or change.old_place
    head = Text.assemble((f"{sign} ", style), f"{change.kind} ", (change.name, "name"))
    if place:
        head.append(f"  {near(place)}", style="quiet")
    grid = columns()
    grid.add_row(head)
    for part in change.parts if change.fate == "changed" else ():
        old, new = part.old or "nothing", part.new or "nothing"
        if len(part.name) + len(old) + len(new) <= LONGEST:
            grid.add_row(Text.assemble((f"    {part.name}: ", "quiet"), old, (" → ", "quiet"), new))
            continue
        grid.add_row(Text(f"    {part.name}:", style="quiet"))
        grid.add_row(indented(Text.assemble(("- ", "bad"), old), 6))
        grid.add_row(indented(Text.assemble(("+ ", "good"), new), 6))
    return grid


def behaviour(found: Comparison) -> Iterator[RenderableType]:
    """What was found in one composition: that there is no difference, or the story and what each says at its end."""
    yield Text()
    words = Text.assemble(f"In {found.composition} ", (SAYS[found.outcome], STYLE[found.outcome]))
    if found.reason:
        words.append(f": {found.reason}", style="doubt")
    figures = f"  ({found.pairs:,} pairs of states, {found.zones:,} zones, {found.transitions:,} moves, {found.seconds:.1f} s)"
    yield words.append(figures if found.pairs else "", style="quiet")
    if found.scenario:
        for name, value in found.scenario.constants:
            yield indented(Text(f"where {name} is {render(value)}", style="quiet"))
        grid = columns()
        for step in found.scenario.steps:
            grid.add_row(*_told(step))
        yield indented(grid if grid.rows else Text("nothing needs to happen", style="quiet"))
        yield indented(Text(f"at {format_duration(found.at)}:", style="quiet"))
        seen = columns()
        seen.add_row(Text(""), Text("old", style="title"), Text("new", style="title"))
        for contrast in found.contrasts:
            seen.add_row(Text(contrast.about, style="name"), Text(contrast.old), Text(contrast.new))
        yield indented(seen, 4)
    for line in found.unpaired:
        yield indented(Text(f"not said, since only one of them knows it: {line}", style="doubt"))


def _told(step: Say | Happen | Make) -> Iterator[Text]:
    """When, to whom, and what is said or happens."""
    assert not isinstance(step, Make)
    yield Text(format_duration(step.at), style="name", justify="right")
    yield Text(str(step.name))
    if isinstance(step, Happen):
        yield Text.assemble((str(step.row), "event"), (" comes early", "quiet"))
        return
    payload = ", ".join(f"{name} {render(value)}" for name, value in step.payload)
    said = Text.assemble((str(step.event), "event"), (f" {payload}" if payload else "", "quiet"))
    yield said.append(f" by {step.by}" if step.by else "", style="quiet")


def conclusion(results: Sequence[Comparison]) -> Text:
    """One line: whether anybody could tell them apart."""
    outcomes = {result.outcome for result in results}
    if not results:
        return Text(
            "\nWhether they behave alike is undetermined: there is no composition to run them in.", style="doubt"
        )
    if "differ" in outcomes:
        return Text("\nThey can be told apart.", style="bad")
    if "undetermined" in outcomes:
        return Text("\nNo difference was found, but not everything was looked at.", style="doubt")
    return Text("\nIn these compositions nothing that can be said at any moment tells them apart.", style="good")


def data(found: Difference, results: Sequence[Comparison], outcome: str) -> Data:
    """Both as data: the form of `outlast compare --json`."""
    return {
        "outcome": outcome,
        "old": _named(found.old),
        "new": _named(found.new),
        "changes": [_changed(change) for change in found.changes],
        "affected": [
            {"kind": item.kind, "machine": item.machine, "name": item.name, "through": list(item.through)}
            for item in found.affected
        ],
        "compositions": [_compared(result) for result in results],
    }


def _named(plan: Plan) -> Data:
    return {"system": plan.name, "hash": plan.hash, "readings": dict(plan.readings)}


def _changed(change: Change) -> Data:
    return {
        "fate": change.fate,
        "kind": change.kind,
        "machine": change.machine,
        "name": change.name,
        "behaves": change.behaves,
        "parts": [{"name": part.name, "old": part.old, "new": part.new} for part in change.parts],
        **standing(change.new_place or change.old_place),
    }


def _compared(found: Comparison) -> Data:
    story = found.scenario
    return {
        "composition": found.composition,
        "outcome": found.outcome,
        "reason": found.reason,
        "at": found.at if story else None,
        "contrasts": [{"about": one.about, "old": one.old, "new": one.new} for one in found.contrasts],
        "constants": {str(name): render(value) for name, value in story.constants} if story else {},
        "steps": [_step(step) for step in story.steps] if story else [],
        "teller": found.teller if story else None,
        "story": write_scenario(story) if story else None,
        "unpaired": list(found.unpaired),
        "statistics": {
            "pairs": found.pairs,
            "zones": found.zones,
            "transitions": found.transitions,
            "seconds": found.seconds,
        },
    }


def _step(step: Say | Happen | Make) -> Data:
    """What a story of a difference says, or lets happen."""
    assert not isinstance(step, Make)
    who: Data = {"at": step.at, "machine": str(step.machine), "instance": str(step.name)}
    if isinstance(step, Happen):
        return {**who, "happen": str(step.row)}
    by = str(step.by) if step.by else None
    return {
        **who,
        "event": str(step.event),
        "payload": {str(name): render(value) for name, value in step.payload},
        "by": by,
    }
