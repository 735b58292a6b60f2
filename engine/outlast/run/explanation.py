"""Why, and why not: every candidate transition for an event, with its verdict. Computed only when asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, TypeAlias

from outlast.expr import Context, Leaf, account
from outlast.expr import tree as nodes
from outlast.plan import Plan, Transition, tables
from outlast.run import admission
from outlast.run.macrostep import Macrostep
from outlast.run.snapshot import Event, Snapshot
from outlast.run.steps import Step
from outlast.run.terms import DEFAULT_TERMS
from outlast.values import frozen

Verdict: TypeAlias = Literal["taken", "refuses", "wrong-source", "guard-false", "later", "preempted"]


@frozen
class Candidate:
    """One row that listens for the event. `leaves` decided its guard; `by` is the row that came before it."""

    id: str
    key: str
    source: str
    targets: tuple[str, ...]
    verdict: Verdict
    guard: str | None = None
    leaves: tuple[Leaf, ...] = ()
    by: str | None = None
    because: tuple[str, ...] = ()

    def __str__(self) -> str:
        match self.verdict:
            case "taken":
                words = "taken"
            case "refuses":
                words = "refuses the event"
            case "wrong-source":
                words = f"`{self.source}` is not active"
            case "guard-false":
                words = "; ".join(map(str, self.leaves))
            case "later":
                words = f"`{self.by}` comes first"
            case _:
                words = f"preempted by `{self.by}`"
        return f"{self.id}: {words}"


@frozen
class Offer:
    """An event that would be accepted. `depends`: the verdict hangs on its payload."""

    event: str
    transitions: tuple[str, ...]
    payload: Mapping[str, tables.Field]
    by: tuple[str, ...] = ()
    depends: bool = False

    def __str__(self) -> str:
        return self.event


@frozen
class Explanation:
    """The answer to "why?" and "why not?" for one event at one instance. One that is not let in has no candidates."""

    instance: str
    event: str
    accepted: bool
    candidates: tuple[Candidate, ...]
    refusal: str | None = None
    offers: tuple[Offer, ...] = ()
    """What would have been accepted, for an event that is not."""

    def __str__(self) -> str:
        head = f"`{self.event}` at `{self.instance}`: " + ("accepted" if self.accepted else f"refused: {self.refusal}")
        lines = [head, *(f"  {candidate}" for candidate in self.candidates)]
        if not self.accepted:
            lines.append(f"  accepted now: {', '.join(map(str, self.offers)) or 'nothing'}")
        return "\n".join(lines)


def explain_event(plan: Plan, snapshot: Snapshot, event: Event, world: Mapping[str, Snapshot]) -> Explanation:
    """What would happen to `event` now, without it happening."""
    run = Macrostep(plan, snapshot, 0, world, DEFAULT_TERMS)
    run.hear(event)
    rows = [row for row in run.machine.transitions if row.descriptors and row.hears(event.name)]
    refusal = _at_the_door(run, event)
    candidates = _candidates(run, rows) if refusal is None else ()
    refusal = refusal or _refusal(run, event)
    return Explanation(
        snapshot.id,
        event.name,
        refusal is None,
        candidates,
        refusal,
        offers(plan, snapshot, world) if refusal else (),
    )


def explain(step: Step) -> Explanation:
    """Why a step went the way it went, from what the step kept."""
    world = {other.id: other for other in step.others if other}
    run = Macrostep(step.plan, step.before, step.at, world, DEFAULT_TERMS)
    run.context.others = step.others
    run.hear(step.event)
    if step.timer is not None:
        rows = [run.machine.arrows[step.timer]]
    elif step.event is not None:
        name = step.event.name
        rows = [row for row in run.machine.transitions if row.descriptors and row.hears(name)]
    else:
        rows = []
    candidates = _candidates(run, rows)
    if step.event is not None and step.refusal and step.refusal == _at_the_door(run, step.event):
        candidates = ()  # it was not let in: no row was asked
    shown = offers(step.plan, step.before, world, step.others) if step.refusal else ()
    name = step.event.name if step.event else step.cause
    return Explanation(step.instance, name, step.refusal is None, candidates, step.refusal, shown)


def _at_the_door(run: Macrostep, event: Event) -> str | None:
    declared = run.machine.events.get(event.name)
    return admission.refusal(declared, event, run.plan) if declared is not None else None


def _refusal(run: Macrostep, event: Event) -> str | None:
    if not run.running:
        return f"`{run.before.id}` is done"
    selected = run.select(event)
    if not selected:
        return "nothing listens for it here"
    return next((row.refuse for row in selected if row.refuse), None)


def _candidates(run: Macrostep, rows: list[Transition]) -> tuple[Candidate, ...]:
    """Every row with its verdict, inner states first, then in the order of the file."""
    numbers = {row.index for row in rows}
    chosen: dict[int, Transition] = {}
    verdicts: dict[int, tuple[Verdict, str | None, tuple[Leaf, ...]]] = {}
    for index in sorted(run.active) if run.running else ():
        if not run.states[index].is_leaf:
            continue
        first: Transition | None = None
        for above in (index, *run.states[index].ancestors):
            listening = [row for row in rows if row.source == above and row.index in numbers]
            for row in listening:
                leaves = account(row.guard.expr, run.context, _whereabouts(run)) if row.guard else ()
                if not run.is_enabled(row):
                    verdicts.setdefault(row.index, ("guard-false", None, leaves))
                elif first is None:
                    first = chosen[row.index] = row
                    verdicts[row.index] = ("refuses" if row.refuse else "taken", None, leaves)
                elif row.index not in chosen:
                    verdicts[row.index] = ("later", first.id, leaves)
    kept = run.without_conflicts(list(chosen.values()))
    for row in chosen.values():
        if row not in kept:
            exits = run.exit_set(row)
            rivals = (other for other in (*kept, *chosen.values()) if other is not row and exits & run.exit_set(other))
            verdicts[row.index] = ("preempted", next(rivals).id, verdicts[row.index][2])
    if refusing := next((row for row in kept if row.refuse), None):
        for row in kept:
            if not row.refuse:
                verdicts[row.index] = ("preempted", refusing.id, verdicts[row.index][2])
    ordered = sorted(
        rows, key=lambda row: (row.index not in verdicts, -len(run.states[row.source].ancestors), row.index)
    )
    return tuple(_candidate(run, row, *verdicts.get(row.index, ("wrong-source", None, ()))) for row in ordered)


def _candidate(
    run: Macrostep, row: Transition, verdict: Verdict, by: str | None, leaves: tuple[Leaf, ...]
) -> Candidate:
    return Candidate(
        row.id,
        row.key,
        run.states[row.source].name,
        tuple(run.states[target].name for target in row.targets),
        verdict,
        str(row.guard) if row.guard else None,
        leaves,
        by,
        row.because,
    )


def _whereabouts(run: Macrostep) -> Callable[[tuple[str, ...], int | None], str]:
    """Names the innermost states of whatever a guard looked at."""

    def words(configuration: tuple[str, ...], slot: int | None) -> str:
        machine = run.machine
        if slot is not None:
            for name in run.machine.slots[slot]:
                machine = run.plan.machines[machine.refs[name].machine]
        ordered = sorted(configuration, key=lambda name: machine.numbers[name])
        return " + ".join(machine.innermost(tuple(ordered)))

    return words


def offers(
    plan: Plan,
    snapshot: Snapshot,
    world: Mapping[str, Snapshot],
    others: Sequence[Snapshot | None] | None = None,
) -> tuple[Offer, ...]:
    """Every event the outside could say now and have accepted, in the order of declaration.

    `others` are the instances its guards see, where they are known without following refs through `world`.
    """
    if snapshot.done:
        return ()
    found: list[Offer] = []
    for event in plan.machines[snapshot.machine].events.values():
        if event.internal:
            continue
        run = Macrostep(plan, snapshot, 0, world, DEFAULT_TERMS)
        run.context.others = run.context.others if others is None else others
        rows = [row for row in run.machine.transitions if row.descriptors and row.hears(event.name)]
        active = [row for row in rows if row.source in run.active]
        certain = run.select(Event(event.name))
        hanging = [row for row in active if _reads_payload(row) and _could_hold(row, run.context)]
        accepted = certain and not any(row.refuse for row in certain)
        if accepted or any(not row.refuse for row in hanging):
            listed = tuple(dict.fromkeys(row.id for row in (*certain, *hanging) if not row.refuse))
            found.append(Offer(event.name, listed, event.payload, event.by, bool(hanging)))
    return tuple(found)


def _reads_payload(row: Transition) -> bool:
    return row.guard is not None and any(isinstance(node, nodes.Payload) for node in nodes.walk(row.guard.expr))


def _could_hold(row: Transition, context: Context) -> bool:
    """Whether the parts of a guard that do not read the payload hold."""
    assert row.guard is not None
    parts = row.guard.expr.parts if isinstance(row.guard.expr, nodes.All) else (row.guard.expr,)
    steady = [part for part in parts if not any(isinstance(node, nodes.Payload) for node in nodes.walk(part))]
    return all(tables.Computed(part).run(context) for part in steady)
