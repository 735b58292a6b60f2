"""The tree of states, flattened in document order, and the questions of legality a tree raises."""

from __future__ import annotations

from itertools import combinations

from outlast import model
from outlast.plan.tables import State


def flatten(machine: model.Machine) -> list[tuple[model.State, model.State | None]]:
    """(state, its parent) for every state, pre-order: document order."""
    found: list[tuple[model.State, model.State | None]] = []

    def visit(states: tuple[model.State, ...], parent: model.State | None) -> None:
        for state in states:
            found.append((state, parent))
            visit(state.children, state)

    visit(machine.states, None)
    return found


def default_child(children: tuple[model.State, ...]) -> model.State | None:
    """The child a composite enters by default: the marked one, or the first that is not a history."""
    real = [child for child in children if "history" not in child.kind]
    marked = [child for child in real if child.initial]
    return next(iter(marked or real), None)


def clash(states: tuple[State, ...], targets: tuple[int, ...]) -> tuple[int, int] | None:
    """Two of the targets that cannot be active together (SCXML 3.11), or None."""
    for one, two in combinations(targets, 2):
        first, second = states[one], states[two]
        if first.holds(two) or second.holds(one):
            continue
        common = next((index for index in first.ancestors if index in second.ancestors), None)
        if common is None or states[common].kind != "parallel":
            return one, two
    return None
