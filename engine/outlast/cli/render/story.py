"""A run as a timeline: when, who, what happened, what became of it and why; then what became of the expectations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import attrs
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from outlast.cli.render.problems import near
from outlast.cli.render.words import clause_lines, columns, counted, heading, indented, joined, payload_text, state_of
from outlast.expr import show
from outlast.moments import format_duration
from outlast.plan import Machine, tables
from outlast.run import Moment, Run, Step, Timer, Verdict, explain
from outlast.run.staging import as_text

DETAIL = 4
"""How far details stand under their step."""


@attrs.define
class _Telling:
    """What all steps of a story share: widths, so that columns are straight, and the clauses whose words were said."""

    when: int
    who: int
    what: int
    label: int
    clause: int
    known: set[str] = attrs.field(factory=set)


def story(run: Run) -> Group:
    """Title, timeline and verdicts."""
    return Group(title(run), Text(), timeline(run), Text(), expectations(run))


def title(run: Run) -> Group:
    """What is told, and under which readings."""
    scenario, plan = run.scenario, run.plan
    head = Text.assemble(
        (scenario.title or str(scenario.name), "title"), (f"  {scenario.name} of {plan.name}", "quiet")
    )
    parts = [head, *([Text(scenario.about)] if scenario.about else [])]
    if changed := as_text(plan.readings, plan):
        parts.append(Text(f"read as {changed}", style="doubt"))
    if run.system.terms.resolve != "latest":
        parts.append(Text(f"`within` resolved as {run.system.terms.resolve}", style="doubt"))
    return Group(*parts)


# ---- the timeline


def timeline(run: Run) -> Table:
    """Every step, with the instant said once. A clause's words are said where it is first cited."""
    moments = [moment for moment in run.moments if _matters(moment)]
    telling = _telling(moments)
    grid = columns(widths=(telling.when, None))
    last: int | None = None
    for moment in moments:
        when = format_duration(moment.at) if moment.at != last else ""
        last = moment.at
        grid.add_row(Text(when, style="name", justify="right"), Group(*_step(moment, telling)))
    return grid


def _matters(moment: Moment) -> bool:
    """Whether a reader should see it: not an event from inside for which the machine has no row at all."""
    step = moment.step
    if moment.said or step.event is None or step.refusal is None:
        return True
    return any(row.hears(step.event.name) for row in step.plan.machines[step.after.machine].transitions)


def _telling(moments: Sequence[Moment]) -> _Telling:
    def widest(words: Iterable[str], most: int) -> int:
        return min(most, max(map(len, words), default=0))

    draft = _Telling(0, 0, 0, 0, 0)
    labels = [label for moment in moments for label, _ in _details(moment, draft)]
    return _Telling(
        when=widest((format_duration(moment.at) for moment in moments), 14),
        who=widest((moment.step.instance for moment in moments), 24),
        what=widest((happening(moment).plain for moment in moments), 38),
        label=widest(labels, 22),
        clause=widest(draft.known, 20),
    )


def _step(moment: Moment, telling: _Telling) -> Iterator[RenderableType]:
    head = columns(widths=(telling.who, telling.what, None))
    head.add_row(Text(moment.step.instance, style="name"), happening(moment), outcome(moment))
    yield head
    grid = columns(widths=(telling.label, None))
    for label, meaning in _details(moment, telling):
        grid.add_row(Text(label, style="quiet"), meaning)
    if grid.rows:
        yield indented(grid, DETAIL)


def happening(moment: Moment) -> Text:
    """What happened: an event, a timer, a beginning or an end."""
    step = moment.step
    machine = step.plan.machines[step.after.machine]
    if step.timer is not None:
        return Text.assemble(("timer ", "quiet"), (machine.arrows[step.timer].trigger, "timer"))
    if step.event is None:
        return Text("begins" if step.cause == "start" else "is stopped", style="quiet")
    declared = machine.events.get(step.event.name)
    payload = payload_text(step.event.payload, declared.payload if declared else {})
    words = Text.assemble((step.event.name, "event"), f" {payload}" if payload else "")
    if step.event.by:
        words.append(f" by {step.event.by}", style="quiet")
    return words


def outcome(moment: Moment) -> Text:
    """What became of it: a change of state, none, or a refusal."""
    step = moment.step
    here = state_of(step.plan, step.after)
    if step.refusal is not None:
        if moment.said:
            return Text.assemble(("refused: ", "bad"), step.refusal)
        return Text(f"nothing listens in {here}", style="quiet")
    if step.cause == "start":
        return Text.assemble(("in ", "quiet"), (here, "state"))
    if step.cause == "stop":
        return Text(f"was in {state_of(step.plan, step.before)}", style="quiet")
    path = _path(step, here)
    words = joined(" → ", (Text(state, style="state") for state in path))
    if len(path) == 1:
        words = Text.assemble(("stays in ", "quiet"), words) if not step.entered else Text.assemble("again ", words)
    return words.append(" (done)", style="quiet") if step.after.done and not step.before.done else words


def _path(step: Step, here: str) -> list[str]:
    """The states gone through: from, to, and, where one leaf is active at a time, those between."""
    machine = step.plan.machines[step.after.machine]
    path = [state_of(step.plan, step.before)]
    leaves = [machine.innermost(micro.entered) for micro in step.microsteps]
    if all(len(entered) <= 1 for entered in leaves) and " + " not in path[0] + here:
        path += [name for entered in leaves for name in entered]
    if path[-1] != here:
        path.append(here)
    return path


def _details(moment: Moment, telling: _Telling) -> Iterator[tuple[str, RenderableType]]:
    step = moment.step
    machine = step.plan.machines[step.after.machine]
    if step.refusal is not None:
        yield from _why_not(step, telling) if moment.said else ()
        return
    for micro in step.microsteps:
        for key in micro.transitions:
            row = machine.arrows[key]
            yield row.id, _clauses(step, row.because, telling)
    if step.cause != "start":
        yield from _changes(step, machine)
    for effect in step.effects:
        payload = machine.effects[effect.name].payload if effect.name in machine.effects else {}
        yield "effect", Text.assemble((effect.name, "event"), " ", payload_text(effect.payload, payload))
    for fault in step.faults:
        yield "fault", Text(fault, style="bad")
    if step.after.timers != step.before.timers and step.cause != "stop":
        yield "pending", pending(machine, step.deadlines)
    for delayed in step.sent_later:
        yield "later", Text(f"{delayed.event} to {delayed.to} at {format_duration(delayed.due)}")


def _clauses(step: Step, ids: Sequence[str], telling: _Telling) -> RenderableType:
    known = set(telling.known)
    telling.known.update(ids)
    return clause_lines(step.plan, ids, width=telling.clause, known=known)


def _why_not(step: Step, telling: _Telling) -> Iterator[tuple[str, RenderableType]]:
    """The rows that could have taken the event, and what each says; then what would have been accepted."""
    explanation = explain(step)
    for candidate in explanation.candidates:
        if candidate.verdict == "refuses":
            yield candidate.id, _clauses(step, candidate.because, telling)
        elif candidate.verdict == "guard-false":
            yield candidate.id, Text("; ".join(map(str, candidate.leaves)), style="quiet")
    yield "accepted", Text(", ".join(map(str, explanation.offers)) or "nothing", style="quiet")


def _changes(step: Step, machine: Machine) -> Iterator[tuple[str, RenderableType]]:
    for field, old, new in zip(machine.fields.values(), step.before.values, step.after.values, strict=True):
        if old != new:
            yield field.name, Text(f"{show(old, field.type)} → {show(new, field.type)}")


def pending(machine: Machine, timers: Sequence[Timer]) -> Text:
    """The running timers, soonest first: `grace-over at 7d 15m`."""
    if not timers:
        return Text("nothing", style="quiet")
    return Text(", ").join(_timer(machine.arrows[timer.key], timer) for timer in timers)


def _timer(row: tables.Transition, timer: Timer) -> Text:
    words = Text.assemble((row.id, "timer"), (" at ", "quiet"), format_duration(timer.due))
    if row.kind == "within" and timer.due != timer.latest:
        words.append(f" (by {format_duration(timer.latest)})", style="quiet")
    return words


# ---- the expectations


def expectations(run: Run) -> Group:
    """Every expectation with its verdict, and the sum."""
    when = max((len(format_duration(verdict.at)) for verdict in run.verdicts), default=0)
    about = max((len(verdict.about) for verdict in run.verdicts), default=0)
    grid = columns(widths=(when, 9, min(about, 30), None))
    for verdict in run.verdicts:
        instant = Text(format_duration(verdict.at), style="name", justify="right")
        status = Text(verdict.status, style=_STYLE[verdict.status])
        grid.add_row(instant, status, Text(verdict.about, style="name"), _verdict(verdict))
    return Group(heading("Expectations"), grid, Text(), total(run)) if run.verdicts else Group(total(run))


_STYLE = {"held": "good", "failed": "bad", "contested": "doubt"}


def _verdict(verdict: Verdict) -> Text:
    words = Text(verdict.wanted)
    if verdict.status == "held":
        return words
    words.append(f"\nseen: {verdict.seen}", style=_STYLE[verdict.status])
    return words.append(f"\n{near(verdict.place)}" if verdict.place else "", style="quiet")


def total(run: Run) -> Text:
    """The sum in one line."""
    counts = {status: sum(verdict.status == status for verdict in run.verdicts) for status in _STYLE}
    if not run.verdicts:
        return Text("no expectations", style="doubt")
    if counts["held"] == len(run.verdicts):
        return Text(f"{counted(len(run.verdicts), 'expectation')}: all held", style="good")
    words = ", ".join(f"{number} {status}" for status, number in counts.items() if number)
    if counts["contested"]:
        words += ": promised under the default readings only"
    return Text(f"{counted(len(run.verdicts), 'expectation')}: {words}", style="doubt" if run.ok else "bad")


# ---- several readings


def differences(runs: Sequence[Run]) -> Group:
    """The story under each reading: which expectations come out differently from the first run."""
    default, *others = runs
    if not others:
        return Group(Text("the system declares no other readings", style="quiet"))
    grid = columns(widths=(None, None))
    for run in others:
        differing = [verdict for verdict in run.verdicts if verdict.status != "held"]
        reading = Text(as_text(run.plan.readings, run.plan), style="name" if differing else "quiet")
        grid.add_row(reading, _differing(differing) if differing else Text("nothing differs", style="quiet"))
    return Group(heading("Under other readings"), grid, Text(), _sum_of(default, others))


def _differing(verdicts: Sequence[Verdict]) -> Table:
    grid = columns(widths=(9, None, None))
    for verdict in verdicts:
        words = Text.assemble((verdict.about, "name"), f" {verdict.wanted}", ("; seen: ", "quiet"), verdict.seen)
        grid.add_row(Text(verdict.status, style=_STYLE[verdict.status]), Text(format_duration(verdict.at)), words)
    return grid


def _sum_of(default: Run, others: Sequence[Run]) -> Text:
    failed = sum(not run.ok for run in (default, *others))
    contested = {verdict.place for run in others for verdict in run.contested}
    differing = sum(bool(run.contested) for run in others)
    if failed:
        return Text(f"expectations fail under {failed} of {counted(len(others) + 1, 'reading')}", style="bad")
    if not contested:
        return Text(
            f"nothing depends on how the document is read ({counted(len(others), 'other reading')})", style="good"
        )
    words = f"{counted(len(contested), 'expectation')} contested, under {differing} of {counted(len(others), 'other reading')}"
    return Text(words, style="doubt")
