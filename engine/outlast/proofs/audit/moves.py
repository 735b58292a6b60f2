"""Whether the document allows what was seen: now, a moment ago, or in a moment, since the times in a log are not exact."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterable, Mapping, Sequence

from outlast.expr import Value
from outlast.plan import Plan
from outlast.run import System, fire, step
from outlast.run.admission import declared, refusal
from outlast.run.saved import SystemSnapshot
from outlast.run.snapshot import Event, Snapshot
from outlast.run.steps import Step
from outlast.values import frozen

States = frozenset[str]


@frozen
class Way:
    """How a state can have been reached: a timer (the key of its row) or events that no line tells; `after` is where it ends."""

    after: Snapshot
    timer: str | None = None
    events: tuple[str, ...] = ()


def is_in(snapshot: Snapshot, states: States) -> bool:
    """Whether one of these states is active."""
    return not states.isdisjoint(snapshot.configuration)


def fired(plan: Plan, snapshot: Snapshot, key: str, now: int, world: Mapping[str, Snapshot]) -> Snapshot:
    """The instance if a timer that is running went off now."""
    return fire(plan, snapshot, key, now, world=world).after


def bounded_way(
    plan: Plan,
    snapshot: Snapshot,
    now: int,
    world: Mapping[str, Snapshot],
    states: States,
    *,
    unsure: int | None = None,
) -> Way | None:
    """A running timer that may go off now and leads there: a `within`, or one of which only the latest moment is known.

    `unsure` is the instant at which the instance was taken up in the middle of its life: timers set then may be due earlier.
    """
    arrows = plan.machines[snapshot.machine].arrows
    for timer in snapshot.timers:
        if arrows[timer.key].kind == "within" or timer.armed == unsure:
            after = fired(plan, snapshot, timer.key, now, world)
            if is_in(after, states):
                return Way(after, timer=timer.key)
    return None


def exact_timer(plan: Plan, snapshot: Snapshot, now: int, world: Mapping[str, Snapshot], states: States) -> str | None:
    """A running timer that leads there, but not yet: the key of its row."""
    arrows = plan.machines[snapshot.machine].arrows
    leading = (
        timer.key
        for timer in snapshot.timers
        if arrows[timer.key].kind == "after" and is_in(fired(plan, snapshot, timer.key, now, world), states)
    )
    return next(leading, None)


def untold_way(
    plan: Plan,
    snapshot: Snapshot,
    now: int,
    world: Mapping[str, Snapshot],
    states: States,
    via: Sequence[Sequence[str]],
) -> Way | None:
    """The first of the ways in `via` that the machine accepts from end to end and that leads there."""
    for events in via:
        reached: Snapshot | None = snapshot
        for name in events:
            assert reached is not None
            done = heard(plan, reached, Event(name, _defaults(plan, snapshot.machine, name)), now, world)
            reached = done.after if done is not None and done.accepted else None
            if reached is None:
                break
        if reached is not None and is_in(reached, states):
            return Way(reached, events=tuple(events))
    return None


def heard(plan: Plan, snapshot: Snapshot, event: Event, now: int, world: Mapping[str, Snapshot]) -> Step | None:
    """What would come of an event from outside; None if it may not come in."""
    if refusal(declared(plan.machines[snapshot.machine], event.name), event, plan):
        return None
    return step(plan, snapshot, event, now, world=ChainMap({snapshot.id: snapshot}, world))  # type: ignore[arg-type]  # it is only read


def _defaults(plan: Plan, machine: str, event: str) -> tuple[tuple[str, Value], ...]:
    payload = plan.machines[machine].events[event].payload
    return tuple((name, field.default) for name, field in payload.items())


# ---- a system around one instance


def neighbourhood(world: Mapping[str, Snapshot], ids: Iterable[str]) -> tuple[Snapshot, ...]:
    """These instances, what they refer to and what they made, directly or not: those referred to first."""
    found: dict[str, Snapshot] = {}
    seen: set[str] = set()

    def visit(id_: str) -> None:
        if id_ in seen or id_ not in world:
            return
        seen.add(id_)
        snapshot = world[id_]
        for other in snapshot.refs:
            if other is not None:
                visit(other)
        found[id_] = snapshot
        for _, child in snapshot.children:
            visit(child)

    for id_ in ids:
        visit(id_)
    return tuple(found.values())


def small_system(plan: Plan, now: int, instances: tuple[Snapshot, ...]) -> System:
    """A system of these instances only, at the instant `now`."""
    readings = tuple(plan.readings.items())
    return System.restore(plan, SystemSnapshot(plan.name, plan.hash, readings, now, "latest", instances))
