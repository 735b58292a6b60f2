"""The pure heart: one instance, one event or timer, one instant -> a Step. Nothing here acts on the world.

No clock, file, random number or log: time is an argument, other instances are read through `world`, and everything that should
happen outside comes back as values in the Step.
"""

from __future__ import annotations

from collections.abc import Mapping

from outlast.errors import UnknownName
from outlast.plan import Plan
from outlast.run.macrostep import Macrostep
from outlast.run.snapshot import Event, Snapshot
from outlast.run.steps import Step
from outlast.run.terms import DEFAULT_TERMS, Terms

NOBODY: Mapping[str, Snapshot] = {}


def start(
    plan: Plan,
    snapshot: Snapshot,
    now: int,
    *,
    world: Mapping[str, Snapshot] = NOBODY,
    terms: Terms = DEFAULT_TERMS,
    state: str | None = None,
) -> Step:
    """Enter the initial configuration, or `state` as if a transition led there. Raises UnknownName, LimitExceeded."""
    machine = plan.machines[snapshot.machine]
    if state is not None and state not in machine.numbers:
        raise UnknownName(f"state of {machine.name}", state, machine.numbers)
    return Macrostep(plan, snapshot, now, world, terms).start(machine.state(state) if state else None)


def step(
    plan: Plan,
    snapshot: Snapshot,
    event: Event,
    now: int,
    *,
    world: Mapping[str, Snapshot] = NOBODY,
    terms: Terms = DEFAULT_TERMS,
) -> Step:
    """Take one event at the instant `now` and run to completion. Raises LimitExceeded."""
    run = Macrostep(plan, snapshot, now, world, terms)
    return run.refuse(event, f"`{snapshot.id}` is done") if snapshot.done else run.take(event)


def refuse(
    plan: Plan,
    snapshot: Snapshot,
    event: Event,
    now: int,
    why: str,
    *,
    world: Mapping[str, Snapshot] = NOBODY,
    terms: Terms = DEFAULT_TERMS,
) -> Step:
    """The step in which an event is not let in."""
    return Macrostep(plan, snapshot, now, world, terms).refuse(event, why)


def fire(
    plan: Plan,
    snapshot: Snapshot,
    key: str,
    now: int,
    *,
    world: Mapping[str, Snapshot] = NOBODY,
    terms: Terms = DEFAULT_TERMS,
) -> Step:
    """Fire the armed timer of the transition `key` and run to completion. Raises LimitExceeded."""
    return Macrostep(plan, snapshot, now, world, terms).fire(key)


def stop(
    plan: Plan,
    snapshot: Snapshot,
    now: int,
    *,
    world: Mapping[str, Snapshot] = NOBODY,
    terms: Terms = DEFAULT_TERMS,
) -> Step:
    """End an instance from outside: every active state is exited, timers and delayed sends are dropped."""
    return Macrostep(plan, snapshot, now, world, terms).stop()
