"""Bounds that need no search of their own: some timer runs for as long as the clock of the bound does, and ends no later.

A timer that was armed when the clock of a bound began, or earlier, shows no less than that clock for as long as both run. It never shows more than
its own duration. If that is no longer than the bound, the clock does not get beyond it. In each location in which the clock can run, the
timers of which this is known are those of which it is known wherever one can come from.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Protocol

from outlast.proofs.timed.locations import Location, under
from outlast.proofs.timed.search import Search
from outlast.proofs.timed.successors import Move


class Bound(Protocol):
    """A bound for one instance, as an `Observer` has it."""

    def bound(self, location: Location, running: int | None) -> int | None:
        """See `Observer.bound`."""


def is_kept(search: Search, bounds: Mapping[str, Bound]) -> bool:
    """Whether a timer keeps each bound. `bounds`: those of everybody who can change places in `search`, which was run to its end, or of one."""
    clocks = search.system.places.clocks
    known: dict[tuple[int, str], frozenset[int]] = {}
    waiting: deque[tuple[Location, str]] = deque()

    def arrive(location: Location, who: str, timers: frozenset[int]) -> bool:
        key = (id(location), who)
        before = known.get(key)
        now = timers if before is None else before & timers
        if now != before:
            known[key] = now
            waiting.append((location, who))
        return bool(now)

    def beginning(location: Location, limit: int) -> frozenset[int]:
        return frozenset([number for number, clock in enumerate(clocks(location), 1) if clock.cap <= limit])

    for who, one in bounds.items():
        limit = one.bound(search.first, None)
        if limit is not None and not arrive(search.first, who, beginning(search.first, limit)):
            return False
        for location, move in _moves(search):
            limit = one.bound(move.arrival.location, None)
            if limit is not None and one.bound(location, None) is None:
                there, _, names = search.arrival(move)
                if not arrive(there, under(names, who), beginning(there, limit)):
                    return False
    onward: dict[int, list[Move]] = {}
    for location, move in _moves(search):
        onward.setdefault(id(location), []).append(move)
    while waiting:
        location, who = waiting.popleft()
        timers = known[id(location), who]
        for move in onward.get(id(location), ()):
            if bounds[who].bound(move.arrival.location, 0) is not None:
                there, sources, names = search.arrival(move)
                going_on = frozenset([number for number, before in enumerate(sources, 1) if before in timers])
                if not arrive(there, under(names, who), going_on):
                    return False
    return True


def _moves(search: Search) -> Iterator[tuple[Location, Move]]:
    """Every move that is possible at some time, with the location it leaves."""
    for location in search.reached:
        for move in search.system.moves(location):
            if move.changes and move in search.crossed:
                yield location, move
