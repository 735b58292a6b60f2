"""Whole numbers under linear constraints: a solution, or the proof that there is none.

Fourier-Motzkin elimination with the rounding that whole numbers allow. "No solution" is always right; a solution is a solution. Between
the two lies a gap, met only when a constraint weighs its variables unevenly: then `Undecided` is raised.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import gcd

from outlast.values import frozen

MOST_CONSTRAINTS = 400


class Undecided(Exception):
    """Neither an example nor the proof that there is none was found within the limits."""


@frozen
class Linear:
    """A sum of weighted variables and a constant; weights are never zero, variables stand in order."""

    weights: tuple[tuple[str, int], ...] = ()
    constant: int = 0

    @classmethod
    def of(cls, weights: Mapping[str, int], constant: int = 0) -> Linear:
        """The sum with these weights, zeros left out."""
        return cls(tuple(sorted((name, weight) for name, weight in weights.items() if weight)), constant)

    def plus(self, other: Linear, times: int = 1) -> Linear:
        """`self + times * other`."""
        weights = dict(self.weights)
        for name, weight in other.weights:
            weights[name] = weights.get(name, 0) + times * weight
        return Linear.of(weights, self.constant + times * other.constant)

    def weight(self, name: str) -> int:
        """How much one variable weighs."""
        return next((weight for variable, weight in self.weights if variable == name), 0)

    def at(self, values: Mapping[str, int]) -> int:
        """The sum for these values; a variable without one counts as nothing."""
        return self.constant + sum(weight * values.get(name, 0) for name, weight in self.weights)

    def tight(self) -> Linear:
        """The same constraint `self <= 0` on whole numbers, with weights that have no common divisor."""
        divisor = gcd(*(weight for _, weight in self.weights))
        if divisor <= 1:
            return self
        return Linear(tuple((name, weight // divisor) for name, weight in self.weights), -(-self.constant // divisor))


def solve(constraints: Iterable[Linear]) -> dict[str, int] | None:
    """Whole numbers that make every constraint at most zero, or None if there are none. Raises Undecided."""
    kept = _strongest(constraints)
    if kept is None:
        return None
    if not kept:
        return {}
    name = _cheapest(kept)
    above = [row for row in kept if row.weight(name) > 0]
    below = [row for row in kept if row.weight(name) < 0]
    others = [row for row in kept if not row.weight(name)]
    if len(others) + len(above) * len(below) > MOST_CONSTRAINTS:
        raise Undecided
    pairs = (
        Linear().plus(upper, -lower.weight(name)).plus(lower, upper.weight(name)) for upper in above for lower in below
    )
    rest = solve([*others, *pairs])
    if rest is None:
        return None
    ceiling = min((-_without(row, name).at(rest) // row.weight(name) for row in above), default=None)
    floor = max((-(_without(row, name).at(rest) // row.weight(name)) for row in below), default=None)
    if floor is not None and ceiling is not None and floor > ceiling:
        raise Undecided
    nearest = max(0, floor) if floor is not None else 0
    return {**rest, name: min(nearest, ceiling) if ceiling is not None else nearest}


def _strongest(constraints: Iterable[Linear]) -> list[Linear] | None:
    """Of constraints with the same weights the strongest; None if one cannot be met at all."""
    kept: dict[tuple[tuple[str, int], ...], int] = {}
    for row in map(Linear.tight, constraints):
        if row.weights:
            kept[row.weights] = max(row.constant, kept.get(row.weights, row.constant))
        elif row.constant > 0:
            return None
    return [Linear(weights, constant) for weights, constant in kept.items()]


def _cheapest(constraints: list[Linear]) -> str:
    """The variable whose elimination leaves the fewest constraints."""
    rises: dict[str, int] = {}
    falls: dict[str, int] = {}
    for row in constraints:
        for name, weight in row.weights:
            counts = rises if weight > 0 else falls
            counts[name] = counts.get(name, 0) + 1
    names = sorted({*rises, *falls})
    return min(names, key=lambda name: rises.get(name, 0) * falls.get(name, 0))


def _without(row: Linear, name: str) -> Linear:
    return Linear(tuple(pair for pair in row.weights if pair[0] != name), row.constant)
