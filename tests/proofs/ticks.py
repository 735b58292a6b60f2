"""A second explorer, written plainly: time goes on by one microsecond, the moment of a `within` row is guessed when it is armed.

It shares the engine's steps with the explorer by zones and nothing else. Only for systems whose durations are a few microseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import TypeAlias

import attrs

from outlast.plan import Plan
from outlast.proofs.timed.search import Search
from outlast.proofs.timed.successors import Said, Successors
from outlast.run import Snapshot, System, Terms

State: TypeAlias = tuple[Snapshot, ...]
"""All instances, with times counted from now."""
Point: TypeAlias = tuple[object, ...]

SHORT = Terms(cascade=60, microsteps=60)
"""A system that goes on longer than this at one instant is not compared."""


class _Ticks(System):
    def put(self, state: State) -> None:
        for snapshot in state:
            self._population.put(snapshot)

    def next_one(self) -> bool:
        """Whether something was due now; if so, the first of it has happened."""
        due = self._population.next_due
        if due is None or due.at > self.now:
            return False
        tuple(self._bounded(self._happen(due)))
        return True


Graph: TypeAlias = dict[State, tuple[State, ...]]


def graph(plan: Plan, given: State, said: Iterable[Said], most: int) -> Graph | None:
    """Every state that can be reached, times included, with those that follow; None if there are more than `most`."""
    said = tuple(said)
    waiting = list(_guessed(plan, given))
    found: Graph = {}
    while waiting:
        state = waiting.pop()
        if state in found:
            continue
        found[state] = tuple(_following(plan, state, said))
        waiting += found[state]
        if len(found) > most or any(len(snapshot.delayed) > 4 for snapshot in state):
            return None
    return found


def points(found: Graph) -> set[Point]:
    """What the explorer by zones must come to as well."""
    return {_point(state) for state in found}


def longest(found: Graph, holds: Callable[[State], bool], most: int) -> int | None:
    """For how many ticks something can hold without a break; None: for more than `most`."""
    seen = {(state, 0) for state in found if holds(state)}
    waiting, longest = list(seen), -1
    while waiting:
        state, ticks = waiting.pop()
        longest = max(longest, ticks)
        if longest > most:
            return None
        for following in found[state]:
            item = (following, ticks + (following == _passed(state)))
            if holds(following) and item not in seen:
                seen.add(item)
                waiting.append(item)
    return longest


def hopeless(found: Graph, goal: Callable[[State], bool]) -> set[Point]:
    """The states in which nothing is due now and from which no state of the goal can be reached."""
    before: dict[State, list[State]] = {}
    for state, following in found.items():
        for other in following:
            before.setdefault(other, []).append(state)
    good = {state for state in found if goal(state)}
    waiting = list(good)
    while waiting:
        for state in before.get(waiting.pop(), ()):
            if state not in good:
                good.add(state)
                waiting.append(state)
    due = {state for state in found for snapshot in state if snapshot.next_due is not None and snapshot.next_due <= 0}
    return {_point(state) for state in found.keys() - good - due}


def _passed(state: State) -> State:
    return tuple(_later(snapshot) for snapshot in state)


def _following(plan: Plan, state: State, said: Sequence[Said]) -> Iterator[State]:
    system = _Ticks(plan, terms=SHORT)
    system.put(state)
    if system.next_one():
        yield from _guessed(plan, _told(system))
        return
    there = {snapshot.id: snapshot for snapshot in state}
    by_first_name = {_first_name(snapshot, there): snapshot.id for snapshot in state}
    for saying in said:
        receiver = by_first_name.get(saying.to)
        if receiver is not None:
            system = _Ticks(plan, terms=SHORT)
            system.put(state)
            system.send(receiver, saying.event.name, dict(saying.event.payload), by=saying.event.by)
            yield from _guessed(plan, _told(system))
    yield _passed(state)


def _first_name(snapshot: Snapshot, there: Mapping[str, Snapshot]) -> str:
    """What a child is called without the number that tells it from those before it."""
    if snapshot.parent is None:
        return snapshot.id
    parent, ref = snapshot.parent
    return f"{_first_name(there[parent], there)}.{ref}"


def _later(snapshot: Snapshot) -> Snapshot:
    """One microsecond on. Nothing counts times that are long past, or children that were."""
    return attrs.evolve(
        snapshot,
        timers=tuple(
            attrs.evolve(timer, armed=timer.armed - 1, due=timer.due - 1, latest=timer.latest - 1)
            for timer in snapshot.timers
        ),
        delayed=tuple(attrs.evolve(item, due=item.due - 1) for item in snapshot.delayed),
    )


def _told(system: System) -> State:
    """The state of a system, with turns counted from 0 and children numbered from 1 or 2, so that there are finitely many."""
    found = []
    there = {instance.id: instance.snapshot for instance in system.instances}
    names = {id_: _first_name(snapshot, there) for id_, snapshot in there.items()}
    for snapshot in there.values():
        delayed = tuple(
            attrs.evolve(
                item,
                turn=turn,
                to=names.get(item.to, "nobody"),
                event=attrs.evolve(item.event, sender=names.get(item.event.sender or "", "nobody")),
            )
            for turn, item in enumerate(snapshot.delayed)
        )
        found.append(
            attrs.evolve(
                snapshot,
                id=names[snapshot.id],
                refs=tuple(names.get(other, "nobody") if other else None for other in snapshot.refs),
                delayed=delayed,
                turn=len(delayed),
                children=tuple((ref, names[child]) for ref, child in snapshot.children),
                spawned=tuple((ref, 1) for ref, _ in snapshot.children),
                parent=(names[snapshot.parent[0]], snapshot.parent[1]) if snapshot.parent else None,
            )
        )
    return tuple(found)


def _guessed(plan: Plan, state: State) -> Iterator[State]:
    """The state with every moment the `within` timers armed just now may stand for."""
    choices = []
    for snapshot in state:
        arrows = plan.machines[snapshot.machine].arrows
        moments = [
            range(timer.latest + 1)
            if timer.armed == 0 and arrows[timer.key].kind == "within" and timer.due == timer.latest
            else (timer.due,)
            for timer in snapshot.timers
        ]
        choices.append(list(product(*moments)))
    for chosen in product(*choices):
        yield tuple(
            attrs.evolve(
                snapshot,
                timers=tuple(attrs.evolve(timer, due=due) for timer, due in zip(snapshot.timers, dues, strict=True)),
            )
            for snapshot, dues in zip(state, chosen, strict=True)
        )


def _point(state: State) -> Point:
    """What the two explorers compare."""
    return tuple(
        (
            *_timeless(snapshot),
            tuple((timer.key, -timer.armed, timer.latest - timer.armed) for timer in snapshot.timers),
            tuple((item.to, item.event, item.due) for item in snapshot.delayed),
        )
        for snapshot in state
    )


def _timeless(snapshot: Snapshot) -> tuple[object, ...]:
    return (snapshot.id, snapshot.machine, snapshot.configuration, snapshot.values, snapshot.history, snapshot.done)


def zone_points(system: Successors) -> set[Point]:
    """Every integer point of every zone."""
    search = Search(system)
    for _ in search:
        pass
    found: set[Point] = set()
    for nodes in search.passed.values():
        for node in nodes:
            caps = [clock.cap for clock in system.places.clocks(node.location)]
            for times in product(*(range(cap + 1) for cap in caps)):
                if is_inside(node.zone, (0, *times)):
                    found.add(as_point(node.location, times))
    return found


def is_inside(zone: Sequence[int], times: Sequence[int]) -> bool:
    """Whether a zone has this point; the first time is that of no clock."""
    n = len(times)
    return all(times[i] - times[j] <= zone[i * n + j] for i in range(n) for j in range(n))


def as_point(location: State, times: Sequence[int]) -> Point:
    """A location with a time for each of its clocks."""
    elapsed = iter(times)
    return tuple(
        (
            *_timeless(snapshot),
            tuple((timer.key, next(elapsed), timer.latest) for timer in snapshot.timers),
            tuple((item.to, item.event, item.due - next(elapsed)) for item in snapshot.delayed),
        )
        for snapshot in location
    )
