"""Zones: sets of times as difference bounds (Dill 1989), over integers.

A zone over clocks 1 … k is a flat tuple of n × n ints, n = k + 1, in canonical form: entry `i * n + j` is the least upper bound of
`x_i - x_j`, where `x_0` is always 0. Time is an integer, so there are no strict bounds; every clock is bounded by its own cap, so
there is no infinity in a zone that is at rest. A zone that is None is empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import add, le
from typing import TypeAlias

Zone: TypeAlias = tuple[int, ...]

ORIGIN: Zone = (0,)
"""The zone over no clock at all."""


def size(zone: Zone) -> int:
    """The number of rows: one more than there are clocks."""
    return int(len(zone) ** 0.5 + 0.5)


def bounded(zone: Zone, i: int, j: int, bound: int) -> Zone | None:
    """The part of a zone in which `x_i - x_j <= bound`."""
    n = size(zone)
    if bound >= zone[i * n + j]:
        return zone
    if zone[j * n + i] + bound < 0:
        return None
    line = zone[j * n : j * n + n]
    found = list(zone)
    for row in range(0, n * n, n):
        above = zone[row + i] + bound
        for k in range(n):
            if above + line[k] < found[row + k]:  # noqa: PLR1730  # the heart of the search: `min` takes thrice as long
                found[row + k] = above + line[k]
    return tuple(found)


def below(zone: Zone, caps: Sequence[tuple[int, int]]) -> Zone | None:
    """The part of a zone in which each clock of `caps` is at most its number."""
    n = size(zone)
    for clock, cap in caps:
        if zone[clock * n] > cap:
            found = bounded(zone, clock, 0, cap)
            if found is None:
                return None
            zone = found
    return zone


def moved(zone: Zone, sources: Sequence[int]) -> Zone:
    """The zone over new clocks: each goes on from the clock in `sources`, or begins at 0 where that is 0."""
    n = size(zone)
    line = (0, *sources)
    rows = [source * n for source in line]
    found = [zone[row + source] for row in rows for source in line]
    m = len(line)
    for i in range(m):
        found[i * m + i] = 0
    return tuple(found)


def delayed(zone: Zone, caps: Sequence[int], least: int = 0) -> Zone | None:
    """Everything that comes of a zone by letting at least `least` pass, no clock beyond its cap (`caps[0]` is clock 1)."""
    n = size(zone)
    if n == 1:
        return zone
    found = list(zone)
    if least:
        for j in range(1, n):
            found[j] -= least
    for i in range(1, n):
        row = i * n
        highest = min(map(add, found[row + 1 : row + n], caps))
        if highest + found[i] < 0:
            return None
        found[row] = highest
        for j in range(1, n):
            if highest + found[j] < found[row + j]:  # noqa: PLR1730  # as above
                found[row + j] = highest + found[j]
    return tuple(found)


def includes(outer: Zone, inner: Zone) -> bool:
    """Whether `inner`, over the same clocks, is part of `outer`."""
    return all(map(le, inner, outer))


def earlier(zone: Zone, within: Zone, least: int = 0) -> Zone | None:
    """The points of `within` from which `zone`, over the same clocks, can be reached by letting at least `least` pass."""
    n = size(zone)
    found = list(zone)
    for i in range(1, n):
        found[i * n] -= least
    for j in range(1, n):
        found[j] = min([0, *(found[i * n + j] for i in range(1, n))])
    joined = _closed(found, n) if least else tuple(found)  # without a least wait nothing else is tightened by it
    return meet(joined, within) if joined is not None else None


def meet(one: Zone, two: Zone) -> Zone | None:
    """What two zones over the same clocks have in common."""
    if includes(two, one):
        return one
    if includes(one, two):
        return two
    return _closed([min(pair) for pair in zip(one, two, strict=True)], size(one))


def without(zone: Zone, hole: Zone) -> list[Zone]:
    """The part of a zone outside another, as zones that do not overlap."""
    n = size(zone)
    found: list[Zone] = []
    rest: Zone | None = zone
    for i in range(n):
        for j in range(n):
            bound = hole[i * n + j]
            if i == j or rest is None or rest[i * n + j] <= bound:
                continue
            outside = bounded(rest, j, i, -bound - 1)
            if outside is not None:
                found.append(outside)
            rest = bounded(rest, i, j, bound)
    return found


def _closed(found: list[int], n: int) -> Zone | None:
    """The canonical form (all shortest paths)."""
    for k in range(n):
        for i in range(n):
            through = found[i * n + k]
            for j in range(n):
                found[i * n + j] = min(found[i * n + j], through + found[k * n + j])
    return None if any(found[i * n + i] < 0 for i in range(n)) else tuple(found)
