"""Zones against their points, one by one."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from random import Random

import pytest

from outlast.proofs.timed.zones import Zone, bounded, delayed, earlier, includes, meet, moved, size, without

MOST = 4
"""The cap of every clock here."""
SEEDS = range(60)


def points(zone: Zone) -> set[tuple[int, ...]]:
    """Every integer point of a zone."""
    n = size(zone)
    found = set()
    for times in product(range(MOST + 1), repeat=n - 1):
        x = (0, *times)
        if all(x[i] - x[j] <= zone[i * n + j] for i in range(n) for j in range(n)):
            found.add(times)
    return found


def made(random: Random, clocks: int) -> Zone:
    """A zone that a search could come upon: the origin, let grow, cut, clocks begun anew."""
    caps = [MOST] * clocks
    zone = delayed((0,) * (clocks + 1) ** 2, caps)
    assert zone
    for _ in range(random.randint(0, 3)):
        i, j = random.sample(range(clocks + 1), 2)
        zone = bounded(zone, i, j, random.randint(-2, 3)) or zone
        zone = moved(zone, [random.choice([0, number, number]) for number in range(1, clocks + 1)])
        zone = delayed(zone, caps) or zone
    return zone


def pair(seed: int) -> tuple[Random, Zone, Zone]:
    """Two zones over the same clocks."""
    random = Random(seed)
    clocks = random.randint(1, 3)
    return random, made(random, clocks), made(random, clocks)


@pytest.mark.parametrize("seed", SEEDS)
def test_zones_are_canonical(seed: int) -> None:
    """No bound is looser than the points allow."""
    _, zone, _ = pair(seed)
    n = size(zone)
    found = [(0, *point) for point in points(zone)]

    assert zone == tuple(max(x[i] - x[j] for x in found) for i in range(n) for j in range(n))


@pytest.mark.parametrize("seed", SEEDS)
def test_bounded(seed: int) -> None:
    """A bound keeps the points that obey it, and tells if there are none."""
    random, zone, _ = pair(seed)
    i, j = random.sample(range(size(zone)), 2)
    most = random.randint(-4, 4)
    found = bounded(zone, i, j, most)

    assert (points(found) if found else set()) == {x for x in points(zone) if (0, *x)[i] - (0, *x)[j] <= most}


@pytest.mark.parametrize("least", [0, 1])
@pytest.mark.parametrize("seed", SEEDS)
def test_delayed(seed: int, least: int) -> None:
    """Waiting moves all clocks together, none beyond its cap."""
    random, zone, _ = pair(seed)
    caps = [random.randint(1, MOST) for _ in range(size(zone) - 1)]
    capped = delayed(zone, caps, least)
    wanted = {
        later
        for x in points(zone)
        for wait in range(least, MOST + 1)
        for later in [tuple(one + wait for one in x)]
        if all(one <= cap for one, cap in zip(later, caps, strict=True))
    }

    assert (points(capped) if capped else set()) == wanted


@pytest.mark.parametrize("least", [0, 1])
@pytest.mark.parametrize("seed", SEEDS)
def test_earlier(seed: int, least: int) -> None:
    """The points from which waiting leads into a zone."""
    _, one, two = pair(seed)
    goal = meet(one, two)
    if goal is None:
        return
    found = earlier(goal, one, least)
    good = points(goal)
    wanted = {x for x in points(one) if any(tuple(t + wait for t in x) in good for wait in range(least, MOST + 1))}

    assert (points(found) if found else set()) == wanted


@pytest.mark.parametrize(
    ("make", "wanted"),
    [
        (lambda one, two: [found] if (found := meet(one, two)) else [], lambda one, two: one & two),
        (without, lambda one, two: one - two),
    ],
    ids=["meet", "without"],
)
@pytest.mark.parametrize("seed", SEEDS)
def test_meet_and_without(
    seed: int,
    make: Callable[[Zone, Zone], list[Zone]],
    wanted: Callable[[set[tuple[int, ...]], set[tuple[int, ...]]], set[tuple[int, ...]]],
) -> None:
    """What two zones share, and what one has alone, in parts that do not overlap."""
    _, one, two = pair(seed)
    found = [points(zone) for zone in make(one, two)]

    assert set[tuple[int, ...]]().union(*found) == wanted(points(one), points(two))
    assert sum(map(len, found)) == len(set[tuple[int, ...]]().union(*found))


@pytest.mark.parametrize("seed", SEEDS)
def test_includes(seed: int) -> None:
    """Inclusion of zones is inclusion of points."""
    _, one, two = pair(seed)

    assert includes(one, two) == (points(two) <= points(one))
