"""Instants that do not end: timers and sends without duration that arm each other for ever."""

from __future__ import annotations

from outlast.proofs.timed.locations import Location
from outlast.proofs.timed.search import Node
from outlast.proofs.timed.successors import Move, Successors
from outlast.proofs.timed.zones import below
from outlast.values import frozen

LONGEST = 200
"""So many things that happen one after another at one instant are taken to have no end."""


@frozen
class Standstill:
    """What happens at one instant without an end."""

    path: tuple[str, ...]
    """`lamp blink`: who, and the row or the event."""
    is_round: bool
    """Whether it comes back to where it was; else something grows."""

    def __str__(self) -> str:
        how = "round" if self.is_round else "on and on"
        return f"time stands still: what has no duration goes {how}: {' -> '.join(self.path)}"


class Instants:
    """Which locations of a system are left in the end, when all that is due at once has happened."""

    def __init__(self, system: Successors) -> None:
        self.system = system
        self._ends: set[int] = set()

    def standstill(self, node: Node) -> Standstill | None:
        """How an instant that a node is in does not end; None if it does, or there is nothing that has no duration."""
        clocks = self.system.places.clocks(node.location)
        if all(clock.cap for clock in clocks) or id(node.location) in self._ends:
            return None
        if below(node.zone, [(number, clock.cap - 1) for number, clock in enumerate(clocks, 1) if clock.cap]) is None:
            return None  # something else is due as well, whenever one is here
        seen: dict[int, int] = {}
        path: list[str] = []
        location = node.location
        while (move := self._at_once(location)) is not None and id(location) not in self._ends:
            if id(location) in seen or len(path) > LONGEST:
                is_round = id(location) in seen
                return Standstill(tuple(path[seen[id(location)] :] if is_round else path[-4:])[:8], is_round)
            seen[id(location)] = len(path)
            path.append(self._words(location, move))
            location = move.arrival.location
        self._ends |= seen.keys()
        return None

    def _at_once(self, location: Location) -> Move | None:
        """What happens first of all that is due as soon as it is armed."""
        for number, clock in enumerate(self.system.places.clocks(location)):
            if clock.cap == 0:
                return self.system.moves(location)[number]
        return None

    def _words(self, location: Location, move: Move) -> str:
        clock = self.system.places.clocks(location)[move.fired - 1]
        snapshot = location[clock.position]
        if clock.is_send:
            return f"{snapshot.id} {snapshot.delayed[clock.number].event.name}"
        return f"{snapshot.id} {self.system.plan.machines[snapshot.machine].transitions[clock.number].id}"
