"""What a composition never comes to: rows that are never taken, those that only its durations keep from it, and states nobody leaves.

An instance is stuck in states, none of them final, if nothing that the outside can say, no time and nothing anybody else does makes any
instance take a row there, at whatever moment the composition is in them. Waiting for somebody outside is not being stuck.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import attrs

from outlast.moments import format_duration
from outlast.plan import Plan
from outlast.proofs.timed.composed import Composed, compose
from outlast.proofs.timed.locations import Location
from outlast.proofs.timed.search import Node, Search
from outlast.proofs.timed.successors import Move, Said, Successors
from outlast.proofs.timed.traces import Path, schedule, told
from outlast.proofs.timed.verdicts import Trace
from outlast.run import Step

Standing: TypeAlias = tuple[str, tuple[str, ...]]
"""A machine and its innermost active states."""


@attrs.frozen
class Stuck:
    """States that are not final, reached, and left by nobody."""

    machine: str
    states: tuple[str, ...]
    trace: Trace
    """How an instance comes there: a shortest run."""


@attrs.frozen
class Reach:
    """Rows of the machines in a composition, as (machine, id)."""

    composition: str
    rows: int
    """How many there are."""
    never: tuple[tuple[str, str], ...]
    """Never taken, whatever the durations are."""
    too_late: tuple[tuple[str, str], ...]
    """Never taken, and would be if the timers went off in another order."""
    unsaid: tuple[str, ...]
    """Events nobody gave values for, so that they are not said."""
    stuck: tuple[Stuck, ...] = ()


def reach(plan: Plan, composition: str) -> Reach:
    """What is never taken in a composition, each instance in the part that matters to it. Raises SpecError, LimitExceeded."""
    composed = compose(plan, plan.compositions[composition])
    parts: dict[object, Composed] = {}
    for part in (composed.part_for([given.name]) for given in composed.parts):
        parts.setdefault(part.shape(), part)
    looks = [_Look(part) for part in parts.values()]
    timed = {row for look in looks for row in look.timed()}
    untimed = {row for look in looks for row in look.untimed()}
    machines = dict.fromkeys(composed.everybody().values())
    rows = [(name, row.key) for name in machines for row in composed.plan.machines[name].transitions]
    alive = {standing for look in looks for standing in look.alive}
    stuck: dict[Standing, Stuck] = {}
    for look in looks:
        for standing in look.reached:
            if standing not in alive and standing not in stuck:
                stuck[standing] = look.stuck(standing)
    return Reach(
        composition,
        len(rows),
        tuple(row for row in rows if row not in untimed),
        tuple(row for row in rows if row in untimed and row not in timed),
        composed.unsaid,
        tuple(stuck.values()),
    )


class _Moving(Successors):
    """Moves, and who takes a row in each."""

    def __init__(self, composed: Composed) -> None:
        super().__init__(composed.plan, composed.snapshots, composed.said)
        self.movers: dict[Move, frozenset[str]] = {}

    def _move(self, location: Location, said: Said | None, fired: int, steps: Iterator[Step]) -> Move:
        movers: set[str] = set()
        move = super()._move(location, said, fired, _noting(steps, movers))
        self.movers[move] = frozenset(movers)
        return move


def _noting(steps: Iterator[Step], movers: set[str]) -> Iterator[Step]:
    for step in steps:
        if any(micro.transitions for micro in step.microsteps):
            movers.add(step.before.id)
        yield step


class _Look:
    """One search of a part."""

    def __init__(self, part: Composed) -> None:
        self.part, self.system = part, _Moving(part)
        self.alive: set[Standing] = set()
        """In which somebody has taken a row."""
        self.reached: dict[Standing, tuple[Node, str]] = {}
        """The nearest node in which somebody who is not done stands there, and who."""
        self.search = Search(self.system, crossing=self._crossing)
        for node in self.search:
            for snapshot in node.location:
                if not snapshot.done:
                    self.reached.setdefault(self._standing(node.location, snapshot.id), (node, snapshot.id))

    def _standing(self, location: Location, id_: str) -> Standing:
        snapshot = next(snapshot for snapshot in location if snapshot.id == id_)
        return snapshot.machine, self.part.plan.machines[snapshot.machine].innermost(snapshot.configuration)

    def _crossing(self, node: Node, move: Move) -> None:
        there = {snapshot.id for snapshot in node.location}
        movers = self.system.movers.get(move, frozenset())
        self.alive |= {self._standing(node.location, id_) for id_ in movers & there}

    def timed(self) -> set[tuple[str, str]]:
        """The rows that are taken."""
        return {row for move in self.search.crossed for row in move.taken}

    def untimed(self) -> set[tuple[str, str]]:
        """The rows that would be taken if any timer could go off at any time."""
        found: set[tuple[str, str]] = set()
        waiting, seen = [self.system.first], {id(self.system.first)}
        while waiting:
            for move in self.system.moves(waiting.pop()):
                found |= move.taken
                location = move.arrival.location
                if id(location) not in seen:
                    seen.add(id(location))
                    waiting.append(location)
        return found

    def stuck(self, standing: Standing) -> Stuck:
        """How somebody comes to stand there."""
        machine, states = standing
        node, id_ = self.reached[standing]
        path = Path.to(node)
        times = schedule(self.system, path)
        assert times is not None, "a path of the search has no times"
        shown = (
            f"from {format_duration(times[-1] if times else 0)} on nothing moves `{id_}`, which is {' + '.join(states)}"
        )
        name, words = f"stuck-in-{'-'.join(states)}", f"A {machine} that is {' + '.join(states)} stays so for ever."
        return Stuck(machine, states, told(self.part, self.system, path, times, name, words, shown))
