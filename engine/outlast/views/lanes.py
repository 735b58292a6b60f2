"""What a timeline shows, as values in a fixed order: from a run to lanes, bars, marks, signals and deadlines, before anything is drawn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal, TypeAlias

import attrs

from outlast import model
from outlast.moments import format_duration
from outlast.plan import Machine, State
from outlast.run import Moment, Run, Step, Timer
from outlast.values import frozen

MarkKind: TypeAlias = Literal["said", "refused", "timer", "signal"]
Ending: TypeAlias = Literal["fired", "cancelled", "open"]


@frozen
class Bar:
    """An instance in one configuration, from `start` to `end`; `title` is that of the innermost states. `open`: the story ends before it."""

    start: int
    end: int
    states: tuple[str, ...]
    title: str
    about: str
    role: model.Role | None
    because: tuple[str, ...] = ()
    open: bool = False


@frozen
class Deadline:
    """A timer from when it was armed to its end; `due` is when it fires or would have fired."""

    start: int
    end: int
    due: int
    row: str
    title: str
    ending: Ending
    because: tuple[str, ...] = ()


@frozen
class Lane:
    """The life of one instance."""

    name: str
    machine: str
    title: str
    bars: tuple[Bar, ...]
    deadlines: tuple[Deadline, ...]


@frozen
class Mark:
    """Something that happened to an instance: said from outside (and numbered), due, or signalled by another instance."""

    at: int
    lane: int
    kind: MarkKind
    number: int
    """From 1, for what is said or due; 0 for a signal, which belongs to the number before it."""
    event: str
    outcome: str
    rows: tuple[str, ...] = ()
    because: tuple[str, ...] = ()


@frozen
class Signal:
    """From one lane to another: sent at `start`, heard at `end`."""

    start: int
    end: int
    source: int
    target: int
    event: str


@frozen
class Lanes:
    """A story told once. Instants count from its beginning, in microseconds; `end` is where the telling stops."""

    name: str
    title: str
    subtitle: str
    about: str
    end: int
    lanes: tuple[Lane, ...]
    marks: tuple[Mark, ...]
    signals: tuple[Signal, ...]
    says: Mapping[str, str] = attrs.field(factory=dict)
    """Clause id -> its words, for the clauses cited."""

    @property
    def instants(self) -> tuple[int, ...]:
        """Every instant at which something begins, ends or happens, in order."""
        found = {0, self.end} | {mark.at for mark in self.marks}
        found |= {at for signal in self.signals for at in (signal.start, signal.end)}
        for lane in self.lanes:
            found |= {at for bar in lane.bars for at in (bar.start, bar.end)}
            found |= {at for deadline in lane.deadlines for at in (deadline.start, deadline.end)}
        return tuple(sorted(found))


def lanes(run: Run) -> Lanes:
    """The lanes of a story, instances in the order in which they came to be."""
    plan, scenario = run.plan, run.scenario
    names = list(dict.fromkeys(moment.step.instance for moment in run.moments))
    end = run.system.now
    found = tuple(_lane(run, name, end) for name in names)
    marks = tuple(_marks(run, names))
    cited = {clause for mark in marks for clause in mark.because}
    cited |= {clause for lane in found for bar in lane.bars for clause in bar.because}
    cited |= {clause for lane in found for deadline in lane.deadlines for clause in deadline.because}
    changed = [f"{name} is {word}" for name, word in plan.readings.items() if word != plan.assumptions[name].default]
    subtitle = f"scenario {scenario.name} · system {plan.name}" + "".join(f" · {words}" for words in changed)
    says = {clause.id: clause.says for clause in plan.clauses.values() if clause.id in cited}
    title = scenario.title or str(scenario.name)
    signals = tuple(_signals(run, names))
    return Lanes(str(scenario.name), title, subtitle, scenario.about, end, found, marks, signals, says)


def _lane(run: Run, name: str, end: int) -> Lane:
    steps = [moment.step for moment in run.moments if moment.step.instance == name]
    machine = run.plan.machines[steps[0].after.machine]
    gone = steps[-1].at if steps[-1].cause == "stop" else None
    bars = tuple(_bars(machine, steps, end if gone is None else gone))
    if gone is None:
        bars = (*bars[:-1], attrs.evolve(bars[-1], open=True))
    return Lane(name, machine.name, machine.title or machine.name, bars, tuple(_deadlines(machine, steps, end)))


def _bars(machine: Machine, steps: list[Step], end: int) -> Iterator[Bar]:
    """One bar for each configuration that lasts, and one for the last, even if nothing of it is left."""
    begun = [(step.at, step.after.configuration) for step in steps if step.cause != "stop"]
    changes = [each for index, each in enumerate(begun) if index == 0 or each[1] != begun[index - 1][1]]
    for index, (at, configuration) in enumerate(changes):
        until = changes[index + 1][0] if index + 1 < len(changes) else end
        if until > at or index + 1 == len(changes):
            yield _bar(machine, configuration, at, until)


def _bar(machine: Machine, configuration: tuple[str, ...], start: int, end: int) -> Bar:
    leaves = [machine.state(name) for name in machine.innermost(configuration)]
    title = " + ".join(leaf.title or leaf.name for leaf in leaves)
    about = " ".join(leaf.about for leaf in leaves if leaf.about)
    roles = [role for leaf in leaves if (role := _role(machine, leaf))]
    because = tuple(dict.fromkeys(clause for leaf in leaves for clause in leaf.because))
    return Bar(start, end, tuple(leaf.name for leaf in leaves), title, about, roles[0] if roles else None, because)


def _role(machine: Machine, state: State) -> model.Role | None:
    """The role of a state, or of the nearest one around it that has one."""
    around = (state, *(machine.states[index] for index in state.ancestors))
    return next((each.role for each in around if each.role), None)


def _deadlines(machine: Machine, steps: list[Step], end: int) -> Iterator[Deadline]:
    """Every timer that ran for a while."""
    running: dict[Timer, None] = {}
    found: list[Deadline] = []
    for step in steps:
        after = set(step.after.timers) if step.cause != "stop" else set()
        for timer in [timer for timer in running if timer not in after]:
            del running[timer]
            found.append(_deadline(machine, timer, step.at, "fired" if timer.key == step.timer else "cancelled"))
        running |= dict.fromkeys(timer for timer in step.after.timers if timer in after)
    found += [_deadline(machine, timer, end, "open") for timer in running]
    yield from sorted((each for each in found if each.end > each.start), key=lambda each: (each.start, each.end))


def _deadline(machine: Machine, timer: Timer, end: int, ending: Ending) -> Deadline:
    row = machine.arrows[timer.key]
    title = f"{row.trigger} ({format_duration(timer.latest - timer.armed)})"
    plain = f"{row.kind} {format_duration(timer.latest - timer.armed)}"
    return Deadline(timer.armed, end, timer.due, row.id, plain if row.trigger == plain else title, ending, row.because)


# ---- what happened


def _marks(run: Run, names: list[str]) -> Iterator[Mark]:
    number = 0
    for moment in run.moments:
        kind = _kind(moment)
        if kind is None:
            continue
        step = moment.step
        number += kind != "signal"
        yield Mark(
            moment.at,
            names.index(step.instance),
            kind,
            0 if kind == "signal" else number,
            _event(step),
            _outcome(step),
            tuple(dict.fromkeys(step.taken)),
            step.clauses,
        )


def _kind(moment: Moment) -> MarkKind | None:
    """How a step is shown; not at all the beginning of an instance, and what an instance hears without heeding it."""
    step = moment.step
    if step.cause == "timer":
        return "timer"
    if moment.said:
        return "refused" if step.refusal else "said"
    if step.cause == "event" and step.microsteps:
        return "signal"
    return None


def _event(step: Step) -> str:
    if step.cause == "start":
        return "begins"
    if step.timer:
        return step.plan.machines[step.after.machine].arrows[step.timer].trigger
    assert step.event
    return step.event.name + (f" by {step.event.by}" if step.event.by else "")


def _outcome(step: Step) -> str:
    """What became of it, in a few words."""
    machine = step.plan.machines[step.after.machine]
    if step.refusal:
        return f"refused: {step.refusal}"
    if step.before.configuration == step.after.configuration:
        return "stays"
    return "→ " + " + ".join(machine.state(name).title or name for name in machine.innermost(step.after.configuration))


def _signals(run: Run, names: list[str]) -> Iterator[Signal]:
    """Who made whom do something: what was observed, sent, spawned."""
    sent: dict[tuple[str, int, str], int] = {}
    for moment in run.moments:
        step = moment.step
        for delayed in step.sent_later:
            sent[delayed.to, delayed.due, delayed.event.name] = moment.at
        for child in step.made:
            yield Signal(moment.at, moment.at, names.index(step.instance), names.index(child.instance), "begins")
        event = step.event
        if (
            step.cause == "event"
            and event
            and event.sender in names
            and event.sender != step.instance
            and _heeded(step)
        ):
            start = sent.get((step.instance, moment.at, event.name), moment.at)
            yield Signal(start, moment.at, names.index(event.sender), names.index(step.instance), event.name)


def _heeded(step: Step) -> bool:
    return bool(step.microsteps) and step.refusal is None
