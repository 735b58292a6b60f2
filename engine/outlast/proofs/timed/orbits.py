"""Locations that differ by an exchange of equal blocks: of each such *orbit* a search goes on from one.

An exchange gives each member of a block the name and the place of its like in the other. Children keep their places behind the instances of the
composition; those of different blocks that were made one after another are put in the order of the blocks, since which came first tells
nothing (see `symmetry`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, groupby, permutations, product
from math import factorial, prod

from outlast.proofs.timed.locations import Location, Places, root, under
from outlast.proofs.timed.symmetry import Family
from outlast.run import Snapshot
from outlast.values import frozen

MOST = 24
"""Of more ways than these to exchange blocks that are in the same states, only those that exchange two are looked at."""


@frozen(eq=False)
class Exchanged:
    """A location after an exchange."""

    location: Location
    order: tuple[int, ...]
    """For each of its clocks the number it had before."""
    names: Mapping[str, str]
    """Of instances of the composition that changed places: the old name -> the new one."""


class Orbits:
    """The exchanges of equal blocks, carried out on locations."""

    def __init__(self, places: Places, families: Sequence[Family], roots: Sequence[str]) -> None:
        """`roots` are all instances of the composition, in the order they were made."""
        self.places, self.families, self.roots = places, tuple(families), tuple(roots)
        self._seats = {
            id_: (number, seat)
            for number, family in enumerate(families)
            for seat, block in enumerate(family)
            for id_ in block
        }
        self._serials: dict[int, int] = {}
        self._renamed: dict[tuple[int, int], Snapshot] = {}
        self._canonical: dict[int, Exchanged] = {}
        self._twins: dict[int, tuple[tuple[int, ...], ...]] = {}

    def fixing(self, id_: str) -> Orbits:
        """The exchanges in which one instance stays where it is."""
        left = [tuple(block for block in family if root(id_) not in block) for family in self.families]
        return Orbits(self.places, [family for family in left if len(family) > 1], self.roots)

    def images(self, id_: str) -> list[str]:
        """Everybody an instance can change places with, itself first."""
        found = [id_]
        for family in self.families:
            for mine in family:
                if root(id_) in mine:
                    found += [under(dict(zip(mine, block, strict=True)), id_) for block in family if block != mine]
        return found

    def canonical(self, location: Location) -> Exchanged:
        """The location of its orbit that a search goes on from."""
        found = self._canonical.get(id(location))
        if found is None:
            seats = [sorted(range(len(line)), key=line.__getitem__) for line in self._lines(location)]
            found = self._canonical[id(location)] = self._exchanged(location, seats)
        return found

    def twins(self, location: Location) -> tuple[tuple[int, ...], ...]:
        """The other orders in which the clocks of a canonical location can stand, for it stays the same when some blocks are exchanged."""
        found = self._twins.get(id(location))
        if found is None:
            turned = (self._exchanged(location, seats) for seats in self._seatings(location))
            plain = tuple(range(1, len(self.places.clocks(location)) + 1))
            orders = dict.fromkeys(one.order for one in turned if one.location is location and one.order != plain)
            found = self._twins[id(location)] = tuple(orders)
        return found

    def size(self, location: Location) -> int:
        """How many locations the orbit of a canonical one has."""
        ways = prod(factorial(len(family)) for family in self.families)
        return ways // prod(factorial(len(group)) for line in self._lines(location) for group in _alike(line))

    # ---- carrying out

    def _lines(self, location: Location) -> list[list[tuple[int, ...]]]:
        """For each family, what its blocks are; equal for blocks that are in the same states."""
        found: list[list[list[int]]] = [[[] for _ in family] for family in self.families]
        for snapshot in location:
            if (where := self._seats.get(root(snapshot.id))) is not None:
                number, seat = where
                alike = self._in_seat(snapshot, number, seat, 0)
                found[number][seat].append(self._serials.setdefault(id(alike), len(self._serials)))
        return [[tuple(block) for block in line] for line in found]

    def _in_seat(self, snapshot: Snapshot, number: int, seat: int, other: int) -> Snapshot:
        """What a snapshot of one block would be in another of its family."""
        if seat == other:
            return snapshot
        found = self._renamed.get((id(snapshot), other))
        if found is None:
            names = dict(zip(self.families[number][seat], self.families[number][other], strict=True))
            found = self.places.renamed(snapshot, lambda id_: under(names, id_))
            self._renamed[id(snapshot), other] = found
        return found

    def _exchanged(self, location: Location, seats: Sequence[Sequence[int]]) -> Exchanged:
        """`seats`: for each family, which block comes to each seat."""
        went = [{old: new for new, old in enumerate(line)} for line in seats]
        names: dict[str, str] = {}
        for family, line in zip(self.families, seats, strict=True):
            for new, old in enumerate(line):
                if new != old:
                    names |= zip(family[old], family[new], strict=True)
        became: dict[str, int] = {}
        later: list[tuple[tuple[int, int] | None, int]] = []
        snapshots: list[Snapshot] = []
        for position, snapshot in enumerate(location):
            where = self._seats.get(root(snapshot.id))
            if where is not None:
                number, seat = where
                where = (number, went[number][seat])
                snapshot = self._in_seat(snapshot, number, seat, where[1])  # noqa: PLW2901  # the same, elsewhere
            snapshots.append(snapshot)
            if position < len(self.roots):
                became[snapshot.id] = position
            else:
                later.append((where, position))
        sources = [became[id_] for id_ in self.roots] + [position for _, position in _put_right(later)]
        starts, start = [], 1
        for snapshot in location:
            starts.append(start)
            start += len(snapshot.timers) + len(snapshot.delayed)
        order = [number for source in sources for number in range(starts[source], [*starts, start][source + 1])]
        return Exchanged(self.places.location([snapshots[source] for source in sources]), tuple(order), names)

    def _seatings(self, location: Location) -> Iterator[list[list[int]]]:
        """The ways to exchange blocks that are in the same states."""
        plain = [list(range(len(family))) for family in self.families]
        groups = [(number, group) for number, line in enumerate(self._lines(location)) for group in _alike(line)]
        if prod(factorial(len(group)) for _, group in groups) <= MOST:
            for ways in product(*(permutations(group) for _, group in groups)):
                seats = [line.copy() for line in plain]
                for (number, group), way in zip(groups, ways, strict=True):
                    for seat, block in zip(group, way, strict=True):
                        seats[number][seat] = block
                yield seats
            return
        for number, group in groups:
            for one, two in combinations(group, 2):
                seats = [line.copy() for line in plain]
                seats[number][one], seats[number][two] = two, one
                yield seats


def _alike(line: Sequence[tuple[int, ...]]) -> list[list[int]]:
    """The seats of blocks in the same states, two at least of each."""
    seats = sorted(range(len(line)), key=line.__getitem__)
    groups = [list(group) for _, group in groupby(seats, key=line.__getitem__)]
    return [group for group in groups if len(group) > 1]


def _put_right(later: Sequence[tuple[tuple[int, int] | None, int]]) -> Iterator[tuple[tuple[int, int] | None, int]]:
    """Children of different blocks in the order of the blocks, up to the next child of somebody outside."""
    for _, run in groupby(later, key=lambda item: item[0] is not None):
        yield from sorted(run, key=lambda item: item[0] or (0, 0))
