"""Where a machine can get to, judged by its rows alone: what lint asks about reachability, traps and cycles.

Everything errs towards "can happen": guards count as possible unless they are known never to hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from outlast.plan.tables import Machine, State, Transition
from outlast.values import frozen


@frozen
class Moves:
    """The moves of one machine. `fires`: whether a row can fire at all; `always`: whether its guard cannot stand in its way."""

    machine: Machine
    fires: Callable[[Transition], bool]
    always: Callable[[Transition], bool]

    def rows(self, state: State) -> Iterator[Transition]:
        """Every row leaving one state."""
        for index in (*state.transitions, *state.timers):
            yield self.machine.transitions[index]

    def upwards(self, state: State) -> Iterator[State]:
        """A state and its ancestors, innermost first."""
        yield state
        yield from (self.machine.states[index] for index in state.ancestors)

    # ---- what is entered

    def entered(self, targets: Iterable[int]) -> set[int]:
        """Every state that entering these targets may make active, as far as defaults say."""
        found: set[int] = set()
        waiting = list(targets)
        while waiting:
            state = self.machine.states[waiting.pop()]
            if state.index in found:
                continue
            found.add(state.index)
            if state.default:
                waiting += state.default.targets
            if state.kind == "parallel":
                waiting += state.children
            child = state.index
            for above in state.ancestors:
                ancestor = self.machine.states[above]
                found.add(above)
                if ancestor.kind == "parallel" and child in ancestor.children:
                    waiting += (index for index in ancestor.children if index != child and index not in found)
                child = above
        return found

    def reachable(self) -> set[int]:
        """Every state that some run may enter, histories included."""
        found = self.entered(self.machine.default.targets)
        waiting = list(found)
        while waiting:
            state = self.machine.states[waiting.pop()]
            for row in self.rows(state):
                if self.fires(row):
                    new = self.entered(row.targets) - found
                    found |= new
                    waiting += new
        return found

    # ---- what is never left

    def traps(self, reachable: set[int]) -> Iterator[State]:
        """Atomic states that no row ever leaves."""
        for state in self.machine.states:
            if state.kind == "atomic" and state.index in reachable:
                rows = (row for level in self.upwards(state) for row in self.rows(level))
                if not any(self.fires(row) and self.leads_on(row, state) for row in rows):
                    yield state

    def leads_on(self, row: Transition, state: State) -> bool:
        """Whether a row leads from an atomic state to another."""
        others = (self.machine.states[index] for index in self.entered(row.targets) - {state.index})
        return any(other.is_leaf or other.is_history for other in others)

    # ---- what never rests

    def cycles(self, reachable: set[int]) -> Iterator[tuple[Transition, ...]]:
        """Eventless rows that lead back to where they started whatever the guards say, each cycle once."""
        told: set[frozenset[int]] = set()
        for state in self.machine.states:
            if not (state.is_leaf and state.index in reachable):
                continue
            path: list[Transition] = []
            seen: list[int] = []
            at: State | None = state
            while at is not None and at.index not in seen and (row := self.sure(at)):
                seen.append(at.index)
                path.append(row)
                at = self.next(row, at)
            if at is not None and at.index in seen:
                cycle = tuple(path[seen.index(at.index) :])
                rows = frozenset(row.index for row in cycle)
                if rows not in told:
                    told.add(rows)
                    yield cycle

    def sure(self, state: State) -> Transition | None:
        """The eventless row that is surely taken while an atomic state is active, if there is one and nothing can come before it."""
        row = next((row for level in self.upwards(state) for row in self.eventless(level)), None)
        if row is None or not self.always(row):
            return None
        for index in state.ancestors:
            ancestor = self.machine.states[index]
            if ancestor.kind == "parallel":
                inside = self.machine.states[ancestor.index + 1 : ancestor.end]
                others = [row for other in inside if not _along(other, state) for row in self.eventless(other)]
                if others:
                    return None
        return row

    def eventless(self, state: State) -> Iterator[Transition]:
        """The eventless rows of a state that can fire."""
        return (row for row in self.rows(state) if row.kind == "eventless" and self.fires(row))

    def next(self, row: Transition, state: State) -> State | None:
        """The one atomic state a row leads to; None if there are several or it depends."""
        if not row.targets:
            return state
        states = [self.machine.states[index] for index in self.entered(row.targets)]
        leaves = [other for other in states if other.is_leaf]
        if any(other.is_history for other in states) or len(leaves) != 1:
            return None
        return leaves[0]


def _along(one: State, other: State) -> bool:
    """Whether one of two states is the other, or inside it."""
    return one is other or one.holds(other.index) or other.holds(one.index)
