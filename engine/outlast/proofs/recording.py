"""Moves of a composition with all that they did: for those who compare what is said and done, not only where it leads."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import TypeAlias

import attrs

from outlast.expr import Value
from outlast.plan import Machine, Plan
from outlast.proofs.timed.composed import Composed
from outlast.proofs.timed.locations import Location
from outlast.proofs.timed.search import Node, Search
from outlast.proofs.timed.successors import Move, Said, Successors
from outlast.run import Delivery, Step


@attrs.frozen(eq=False)
class Record:
    """What one move did, in the order in which it happened; instances go by the names they have in locations."""

    taken: tuple[tuple[str, str, str], ...] = ()
    """(instance, machine, key) of each row."""
    entered: tuple[tuple[str, str], ...] = ()
    """(machine, state)."""
    effects: tuple[tuple[str, str, tuple[tuple[str, Value], ...]], ...] = ()
    """(instance, effect, payload)."""
    refusal: str | None = None
    """Why what was said is refused, if it is."""


class Recording(Successors):
    """The moves of a part of a composition, and what each did."""

    def __init__(
        self, composed: Composed, said: Sequence[Said] = (), *, steps_count: bool = False, early: bool = False
    ) -> None:
        """`said`: what the outside may say besides; `steps_count`: a move that takes a row changes something, be it only that.

        Whatever happens `within` a time happens at its end; with `early` at any moment up to it.
        """
        plan = composed.plan if early else at_latest(composed.plan)
        super().__init__(plan, composed.snapshots, (*composed.said, *said))
        self.steps_count = steps_count
        self._records: dict[Move, Record] = {}

    def record(self, move: Move) -> Record:
        """What a move of this system did."""
        return self._records[move]

    def _move(self, location: Location, said: Said | None, fired: int, steps: Iterator[Step]) -> Move:
        seen: list[Step] = []
        move = super()._move(location, said, fired, _noting(steps, seen))
        if self.steps_count and move.taken and not move.changes:
            move = attrs.evolve(move, changes=True)
        self._records[move] = Record(
            tuple((one.before.id, one.after.machine, key) for one in seen for micro in one.microsteps for key in micro.transitions),
            tuple((one.after.machine, state) for one in seen for state in one.entered),
            tuple((one.before.id, effect.name, effect.payload) for one in seen for effect in one.effects),
            seen[0].refusal if said is not None and seen else None,
        )  # fmt: skip
        return move

    def _unheard(self, location: Location, said: Said) -> Move:
        """The step is taken all the same: it says why it is refused."""
        self._stage.become(location)
        self._queue.append(Delivery(said.to, said.event))
        return self._move(location, said, 0, self._bounded(self._drain()))


def _noting(steps: Iterator[Step], seen: list[Step]) -> Iterator[Step]:
    for step in steps:
        seen.append(step)
        yield step


def at_latest(plan: Plan) -> Plan:
    """The plan with each `within` row an `after` row: the bound is the moment."""
    return attrs.evolve(plan, machines={name: _at_latest(machine) for name, machine in plan.machines.items()})


def _at_latest(machine: Machine) -> Machine:
    rows = tuple(attrs.evolve(row, kind="after") if row.kind == "within" else row for row in machine.transitions)
    return attrs.evolve(machine, transitions=rows)


Tag: TypeAlias = Hashable


class Walk(Search):
    """A search that may begin at a node of another, and tells every move that is possible on its way, nearest first.

    With a `tag`, computed from the tag so far and the next move, nodes of different tags are different.
    """

    def __init__(
        self,
        system: Recording,
        start: Node | None = None,
        *,
        tag: Callable[[Tag, Move], Tag] | None = None,
        known: Mapping[Node, Tag] | None = None,
    ) -> None:
        super().__init__(system, shortest=tag is not None)
        self.start, self.tag = start, tag
        self.tags: dict[Node, Tag] = dict(known or {})
        self._apart: dict[Tag, dict[tuple[int, int | None, frozenset[int]], list[Node]]] = {}

    def __iter__(self) -> Iterator[Node]:
        """Every new node, nearest first. Raises LimitExceeded."""
        if self.start is None:
            yield from super().__iter__()
        else:
            yield from self._onward({self.start.depth: [self.start]})

    def crossings(self, most: int | None = None, nodes: int | None = None) -> Iterator[tuple[Node, Move]]:
        """Each move with a node from which it is possible; `most` moves from the start, or as far as so many `nodes` lead."""
        found: deque[tuple[Node, Move]] = deque()
        self.crossing = lambda node, move: found.append((node, move))
        end = (self.start.depth if self.start else 0) + most if most is not None else None
        count = 0
        for count, node in enumerate(self, start=1):
            while found:
                yield found.popleft()
            if (end is not None and node.depth >= end) or (nodes is not None and count >= nodes):
                return
        yield from found

    def after(self, node: Node, move: Move) -> Node:
        """The node to which a move that is possible in `node` leads, whatever was found besides."""
        zone = (
            self._due(node, self._clocks(node.location), move.fired)
            if move.fired
            else self.undisturbed(node.location, node.zone)
        )
        assert zone is not None
        kept, self.passed = self.passed, {}
        apart, self._apart = self._apart, {}
        *_, found = self._follow(node, self._clocks(node.location), move, zone)  # of two the one with time to wait
        self.passed, self._apart = kept, apart
        return found

    def _kept(self, node: Node, found: list[Node]) -> Node:
        if self.tag is not None:
            before = self.tags.get(node.parent) if node.parent else None
            tag = self.tags[node] = self.tag(before, node.move) if node.move else before
            self.passed = self._apart.setdefault(tag, {})
        return super()._kept(node, found)
