"""Two systems in lock-step, as one: the same is said to both at the same moment, and the timers of each go off in their own time.

A place of the pair is a location of each, with the effects of one that the other has not had yet. Its clocks are those of the old system, then
those of the new one, in one zone: so two timers of the same length that were armed at one moment are known to go off at one moment.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

import attrs

from outlast.expr import Value
from outlast.proofs.recording import Record, Recording
from outlast.proofs.timed.locations import Arrival, Clock, Location
from outlast.proofs.timed.successors import Move, Said

Told: TypeAlias = tuple[str, str, tuple[tuple[str, Value], ...]]
"""(instance, effect, payload)."""


@attrs.frozen(eq=False)
class Pair:
    """Where both are. `ahead` are the effects of this instant that the old system has told and the new one has not, and the reverse."""

    old: Location
    new: Location
    ahead: tuple[tuple[Told, ...], tuple[Told, ...]]
    verdicts: tuple[str | None, str | None] | None
    """If the last thing that was said is accepted by one and refused by the other: the reason of each, None for accepted."""


class Clocks:
    """The clocks of a pair."""

    def __init__(self, old: Recording, new: Recording) -> None:
        self.old, self.new = old, new
        self._known: dict[int, tuple[Clock, ...]] = {}

    def clocks(self, pair: Pair) -> tuple[Clock, ...]:
        """Those of the old system, then those of the new one."""
        found = self._known.get(id(pair))
        if found is None:
            found = self._known[id(pair)] = (*self.old.places.clocks(pair.old), *self.new.places.clocks(pair.new))
        return found


class Both:
    """The moves of a pair of systems, for a `Search`."""

    def __init__(self, old: Recording, new: Recording, said: Sequence[Said]) -> None:
        """`said`: what both know."""
        self.old, self.new, self.said = old, new, frozenset(said)
        self.places = Clocks(old, new)
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
        size = len(self.old.places.clocks(pair.old))
        others = len(self.new.places.clocks(pair.new))
        said: tuple[dict[Said, Move], dict[Said, Move]] = ({}, {})
        for move in self.old.moves(pair.old):
            if move.fired:
                still = tuple(range(size + 1, size + others + 1))
                arrived = self._pair(move.arrival.location, pair.new, self._joined(pair, move, None), pair.verdicts)
                yield self._move(None, move.fired, arrived, (*move.arrival.sources, *still), move.taken)
            elif move.said in self.said:
                said[0][move.said] = move
        for move in self.new.moves(pair.new):
            if move.fired:
                sources = (*range(1, size + 1), *self._shifted(move, size))
                arrived = self._pair(pair.old, move.arrival.location, self._joined(pair, None, move), pair.verdicts)
                yield self._move(None, size + move.fired, arrived, sources, move.taken)
            elif move.said in self.said:
                said[1][move.said] = move
        for one in dict.fromkeys((*said[0], *said[1])):
            yield self._said(pair, size, one, said[0].get(one), said[1].get(one))

    def _said(self, pair: Pair, size: int, said: Said, old: Move | None, new: Move | None) -> Move:
        """Where one of them has nobody left to hear it, nothing happens there."""
        others = len(self.new.places.clocks(pair.new))
        where = (old.arrival.location if old else pair.old, new.arrival.location if new else pair.new)
        before = old.arrival.sources if old else tuple(range(1, size + 1))
        after = self._shifted(new, size) if new else tuple(range(size + 1, size + others + 1))
        verdicts = (_refusal(self.old, old), _refusal(self.new, new))
        differ = (verdicts[0] is None) != (verdicts[1] is None)
        arrived = self._pair(*where, self._joined(pair, old, new), verdicts if differ else pair.verdicts)
        taken = (old.taken if old else frozenset()) | (new.taken if new else frozenset())
        still = arrived is pair and (*before, *after) == tuple(range(1, size + others + 1))
        return Move(said, 0, Arrival(arrived, (*before, *after)), taken, not still)  # type: ignore[arg-type]  # a Pair is as good

    def _move(
        self, said: Said | None, fired: int, arrived: Pair, sources: tuple[int, ...], taken: frozenset[tuple[str, str]]
    ) -> Move:
        return Move(said, fired, Arrival(arrived, sources), taken, changes=True)  # type: ignore[arg-type]  # as above

    def _shifted(self, move: Move, size: int) -> tuple[int, ...]:
        return tuple(source + size if source else 0 for source in move.arrival.sources)

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
    ) -> Pair:
        key = (id(old), id(new), ahead, verdicts)
        found = self._pairs.get(key)
        if found is None:
            found = self._pairs[key] = Pair(old, new, ahead, verdicts)
        return found


def _refusal(system: Recording, move: Move | None) -> str | None:
    return system.record(move).refusal if move else "there is nobody to hear it any more"
