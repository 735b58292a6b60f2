"""Two systems in lock-step, as one: the same is said to both at the same moment, and the timers of each go off in their own time.

A place of the pair is a location of each, with the effects of one that the other has not had yet. Its clocks are those of the old system, then
those of the new one, in one zone: so two timers of the same length that were armed at one moment are known to go off at one moment.

A `within` row goes off at its bound in each, unless it is told to come early: then both take it at that moment, as both would be told by a story.
So each timer of such a row has two entries among the clocks of the old system, one that is due at its bound, and one behind it that can go off at any
moment before. Where it does, the new system *owes* the same row: no time passes until it has taken it, in its turn, or cannot. A row for which nothing
waits in the old system is owed from when it is told: that is the entry that stands in front of all, so that it is told before anything else happens at
that instant. Between a row of the old system and the same row of the new one neither comes early once more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, TypeAlias

import attrs

from outlast.expr import Value
from outlast.plan import Machine, Plan
from outlast.proofs.recording import Record, Recording
from outlast.proofs.timed.composed import Composed
from outlast.proofs.timed.locations import Arrival, Clock, Location
from outlast.proofs.timed.successors import Move, Said

Told: TypeAlias = tuple[str, str, tuple[tuple[str, Value], ...]]
"""(instance, effect, payload)."""
Timer: TypeAlias = tuple[str, str]
"""(instance, key of its row)."""
Side: TypeAlias = Literal["old", "new"]


@attrs.frozen(eq=False)
class Pair:
    """Where both are. `ahead` are the effects of this instant that the old system has told and the new one has not, and the reverse."""

    old: Location
    new: Location
    ahead: tuple[tuple[Told, ...], tuple[Told, ...]]
    verdicts: tuple[str | None, str | None] | None
    """If the last thing that was said is accepted by one and refused by the other: the reason of each, None for accepted."""
    owed: frozenset[Timer] = frozenset()
    """Rows that the new system has still to take at this instant, since they are told to come early."""
    taken: frozenset[Timer] = frozenset()
    """Rows that the old system has taken at this instant at their bounds, and the new one not yet."""


@attrs.frozen
class Entry:
    """One of the clocks of a pair: number `number` of its system, and what it is to do."""

    side: Side | Literal["owed"]
    number: int
    does: Literal["due", "early", "tell"]
    clock: Clock
    timer: Timer | None = None
    """Of a `within` row."""


NO_TIME = Entry("owed", 0, "due", Clock(0, False, -1, 0))
"""What keeps time from passing until the new system has had its turn."""


class Clocks:
    """The clocks of a pair."""

    def __init__(self, old: Recording, new: Recording, bounded: tuple[Composed, Composed]) -> None:
        """`bounded`: the same systems, with their `within` rows."""
        self.systems = {"old": old, "new": new}
        self._rows = {side: _bounded(one.plan) for side, one in zip(self.systems, bounded, strict=True)}
        self._entries: dict[int, tuple[Entry, ...]] = {}
        self._clocks: dict[int, tuple[Clock, ...]] = {}

    def clocks(self, pair: Pair) -> tuple[Clock, ...]:
        """Those of the old system, then those of the new one."""
        found = self._clocks.get(id(pair))
        if found is None:
            found = self._clocks[id(pair)] = tuple(entry.clock for entry in self.entries(pair))
        return found

    def entries(self, pair: Pair) -> tuple[Entry, ...]:
        """What the clocks are."""
        found = self._entries.get(id(pair))
        if found is None:
            found = self._entries[id(pair)] = tuple(self._all(pair))
        return found

    def _all(self, pair: Pair) -> Iterator[Entry]:
        news = [*self._of("new", pair.new)]
        for entry in news:
            if entry.timer:
                clock = attrs.evolve(
                    entry.clock, is_within=True, cap=entry.clock.cap + 1
                )  # in nobody's way when it is due
                yield attrs.evolve(entry, does="tell", clock=clock)
        for entry in self._of("old", pair.old):
            yield entry
            if entry.timer:
                yield _early(entry)
        for entry in news:
            yield entry
            if entry.timer in pair.owed:
                yield _early(entry)
        if pair.owed or pair.taken:
            yield NO_TIME

    def _of(self, side: Side, location: Location) -> Iterator[Entry]:
        for number, clock in enumerate(self.systems[side].places.clocks(location), start=1):
            owner = location[clock.position]
            key = None if clock.is_send else self._rows[side][owner.machine].get(clock.number)
            yield Entry(side, number, "due", clock, (owner.id, key) if key is not None else None)


def _early(entry: Entry) -> Entry:
    return attrs.evolve(entry, does="early", clock=attrs.evolve(entry.clock, is_within=True))


class Both:
    """The moves of a pair of systems, for a `Search`."""

    def __init__(
        self, old: Recording, new: Recording, said: Sequence[Said], bounded: tuple[Composed, Composed]
    ) -> None:
        """`said`: what both know; `bounded`: the same systems, with their `within` rows."""
        self.old, self.new, self.said = old, new, frozenset(said)
        self.places = Clocks(old, new, bounded)
        self.twins = {
            name: dict(_twins(machine, bounded[1].plan.machines[name]))
            for name, machine in bounded[0].plan.machines.items()
            if name in bounded[1].plan.machines
        }
        """Machine -> key of a `within` row of the old system -> key of the same row in the new one."""
        self._pairs: dict[tuple[object, ...], Pair] = {}
        self._moves: dict[int, tuple[Move, ...]] = {}
        self.first = self._pair(old.first, new.first, ((), ()), None)

    def moves(self, pair: Pair) -> tuple[Move, ...]:
        """Everything that can happen, what is due first."""
        found = self._moves.get(id(pair))
        if found is None:
            found = self._moves[id(pair)] = tuple(self._all(pair))
        return found

    def _all(self, pair: Pair) -> Iterator[Move]:
        """A clock of the old system, or of the new one; or something that is said to both."""
        olds, news = (
            {move.fired or move.said: move for move in system.moves(location)} for system, location in self._of(pair)
        )
        entries = self.places.entries(pair)
        owed = [number for number, entry in enumerate(entries) if entry.side == "new" and entry.does == "early"]
        told = pair.owed | pair.taken
        waiting = {self._twin(pair, entry) for entry in entries if entry.side == "old" and entry.timer}
        for number, entry in enumerate(entries):
            if entry.does == "tell":
                assert entry.timer
                if entry.timer not in waiting and entry.timer not in told:
                    yield self._owing(pair, number, pair.owed | {entry.timer}, pair.taken)
            elif entry.side == "old":
                twin = self._twin(pair, entry) if entry.timer else None
                also = frozenset([twin] if twin else [])
                if entry.does == "due":
                    yield self._fired(pair, number, olds[entry.number], None, pair.owed, pair.taken | also)
                elif twin not in told:
                    yield self._fired(pair, number, olds[entry.number], None, pair.owed | also, pair.taken)
            elif entry.side == "new" and not (owed and number > owed[0]):  # what is owed has its turn among what is due
                done = frozenset([entry.timer] if entry.timer else [])
                yield self._fired(pair, number, None, news[entry.number], pair.owed - done, pair.taken - done)
            elif entry.side == "owed" and not owed:
                yield self._owing(pair, number, frozenset(), frozenset())
        for one in () if told else dict.fromkeys((*olds, *news)):
            if isinstance(one, Said) and one in self.said:
                yield self._said(pair, one, olds.get(one), news.get(one))

    def _of(self, pair: Pair) -> tuple[tuple[Recording, Location], tuple[Recording, Location]]:
        return (self.old, pair.old), (self.new, pair.new)

    def _twin(self, pair: Pair, entry: Entry) -> Timer | None:
        """The timer of the new system that goes off early together with this one of the old system."""
        assert entry.timer
        machine = pair.old[entry.clock.position].machine
        key = self.twins.get(machine, {}).get(entry.timer[1])
        return (entry.timer[0], key) if key else None

    def _fired(self, pair: Pair, number: int, old: Move | None, new: Move | None, *still: frozenset[Timer]) -> Move:
        """A timer or delayed send of one of them."""
        move = old or new
        assert move
        where = (old.arrival.location if old else pair.old, new.arrival.location if new else pair.new)
        arrived = self._pair(*where, self._joined(pair, old, new), pair.verdicts, *still)
        return self._move(None, number + 1, arrived, self._sources(pair, arrived, old, new), move.taken)

    def _owing(self, pair: Pair, number: int, *still: frozenset[Timer]) -> Move:
        """Nothing moves but what is owed."""
        arrived = self._pair(pair.old, pair.new, pair.ahead, pair.verdicts, *still)
        return self._move(None, number + 1, arrived, self._sources(pair, arrived, None, None), frozenset())

    def _said(self, pair: Pair, said: Said, old: Move | None, new: Move | None) -> Move:
        """Where one of them has nobody left to hear it, nothing happens there."""
        where = (old.arrival.location if old else pair.old, new.arrival.location if new else pair.new)
        verdicts = (_refusal(self.old, old), _refusal(self.new, new))
        differ = (verdicts[0] is None) != (verdicts[1] is None)
        arrived = self._pair(*where, self._joined(pair, old, new), verdicts if differ else pair.verdicts)
        sources = self._sources(pair, arrived, old, new)
        taken = (old.taken if old else frozenset()) | (new.taken if new else frozenset())
        still = arrived is pair and sources == tuple(range(1, len(sources) + 1))
        return Move(said, 0, Arrival(arrived, sources), taken, not still)  # type: ignore[arg-type]  # a Pair is as good

    def _move(
        self, said: Said | None, fired: int, arrived: Pair, sources: tuple[int, ...], taken: frozenset[tuple[str, str]]
    ) -> Move:
        return Move(said, fired, Arrival(arrived, sources), taken, changes=True)  # type: ignore[arg-type]  # as above

    def _sources(self, pair: Pair, arrived: Pair, old: Move | None, new: Move | None) -> tuple[int, ...]:
        """For each clock of `arrived` its number in `pair`; 0 for one that begins."""
        moved = {"old": old, "new": new, "owed": None}
        numbers = {
            (entry.side, entry.number, entry.does): number
            for number, entry in enumerate(self.places.entries(pair), start=1)
        }
        found = []
        for entry in self.places.entries(arrived):
            move = moved[entry.side]
            before = move.arrival.sources[entry.number - 1] if move else entry.number
            found.append(numbers.get((entry.side, before, entry.does)) or numbers.get((entry.side, before, "due"), 0))
        return tuple(found)

    def _joined(self, pair: Pair, old: Move | None, new: Move | None) -> tuple[tuple[Told, ...], tuple[Told, ...]]:
        """The effects of this instant, without those both have told."""
        one = (*pair.ahead[0], *(self.old.record(old) if old else Record()).effects)
        two = (*pair.ahead[1], *(self.new.record(new) if new else Record()).effects)
        common = 0
        while common < min(len(one), len(two)) and one[common] == two[common]:
            common += 1
        return one[common:], two[common:]

    def _pair(
        self,
        old: Location,
        new: Location,
        ahead: tuple[tuple[Told, ...], tuple[Told, ...]],
        verdicts: tuple[str | None, str | None] | None,
        owed: frozenset[Timer] = frozenset(),
        taken: frozenset[Timer] = frozenset(),
    ) -> Pair:
        key = (id(old), id(new), ahead, verdicts, owed, taken)
        found = self._pairs.get(key)
        if found is None:
            found = self._pairs[key] = Pair(old, new, ahead, verdicts, owed, taken)
        return found


def _refusal(system: Recording, move: Move | None) -> str | None:
    return system.record(move).refusal if move else "there is nobody to hear it any more"


def _bounded(plan: Plan) -> dict[str, dict[int, str]]:
    """Machine -> number -> key of its `within` rows."""
    return {
        machine.name: {row.index: row.key for row in machine.transitions if row.kind == "within"}
        for machine in plan.machines.values()
    }


def _twins(old: Machine, new: Machine) -> Iterator[tuple[str, str]]:
    """The `within` rows of two versions of a machine that are the same row: by key; of those whose key the other does not have, by source and target."""
    ours, theirs = ({row.key: row for row in machine.transitions if row.kind == "within"} for machine in (old, new))
    yield from ((key, key) for key in ours if key in theirs)
    left = {key: row for key, row in theirs.items() if key not in ours}
    for key, row in ours.items():
        if key in theirs:
            continue
        face = [old.states[index].name for index in (row.source, *row.targets)]
        for other, candidate in left.items():
            if face == [new.states[index].name for index in (candidate.source, *candidate.targets)]:
                del left[other]
                yield key, other
                break
