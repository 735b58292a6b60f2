"""Paths to goals: from where one stands to the nearest goal that is left, and when nothing is near, from the beginning again.

Every step is made with the exact set of times at which it is possible, so that no path needs to be tried: it can be walked. The search from the
beginning is one, gone on with as goals are asked of it; when it ends, what is left cannot be reached.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping

import attrs

from outlast.errors import LimitExceeded
from outlast.proofs.generate.goals import Cover, Goal, followed, of_location, of_move
from outlast.proofs.generate.parts import Place
from outlast.proofs.recording import Recording, Tag, Walk
from outlast.proofs.timed.search import Node
from outlast.proofs.timed.successors import Move
from outlast.proofs.timed.traces import Path

GLANCE = 1_000
"""How many locations are looked at to tell what comes too late from what cannot be."""
NEAR, LONG = 3, 8
"""How many moves away a goal may be to be gone on to, and how many moves a case may have to be gone on with."""


@attrs.frozen(eq=False)
class Way:
    """A path, and what it was walked for: the goals that nothing covered before, in the order in which they are come to."""

    place: Place
    system: Recording
    path: Path
    goals: tuple[Goal, ...]


class Explorer:
    """Walks in one part of a composition until nothing wanted is left there, or the budget is."""

    def __init__(
        self, place: Place, cover: Cover, wanted: Callable[[Goal], bool], budget: int, *, early: bool = False
    ) -> None:
        """`early`: what happens `within` a time may happen at any moment of it, not at its end only."""
        self.place, self.cover, self.wanted, self.budget = place, cover, wanted, budget
        self.system = Recording(place.composed, place.said, steps_count=cover == "pairs", early=early)
        self.exhausted = ""
        """Why not everything was looked at, if so."""

    def ways(self) -> Iterator[Way]:
        """One path after another; each covers something wanted when it is given, and must be marked as covered by whoever takes it."""
        if here := tuple(filter(self.wanted, of_location(self.system.first, self.cover))):
            yield Way(self.place, self.system, Path.at(self.system.first), here)
        walk = self._walk(None, {})
        try:
            for node, move in walk.crossings(nodes=self.budget):
                if any(map(self.wanted, self._goals(walk, node, move))):
                    yield self._way(walk, node, move)
        except LimitExceeded as error:
            self.exhausted = str(error)
        if not walk.complete and not self.exhausted:
            self.exhausted = f"more than {self.budget:,} zones"

    def untimed(self) -> Iterator[Goal]:
        """What could be reached if any timer could go off at any time, as far as a short look shows."""
        waiting, seen = deque([self.system.first]), {id(self.system.first)}
        while waiting and len(seen) <= min(self.budget, GLANCE):
            location = waiting.popleft()
            for move in self.system.moves(location):
                yield from of_move(self.system, location, move, {}, self.cover)
                if id(move.arrival.location) not in seen:
                    seen.add(id(move.arrival.location))
                    waiting.append(move.arrival.location)

    def _walk(self, start: Node | None, known: Mapping[Node, Tag]) -> Walk:
        return Walk(self.system, start, tag=self._last if self.cover == "pairs" else None, known=known)

    def _last(self, before: Tag, move: Move) -> Tag:
        """The row each instance that is to be covered has taken last."""
        last = dict(before) if isinstance(before, tuple) else {}
        mine = {id_: key for id_, key in followed(self.system.record(move), last).items() if self._is_mine(id_)}
        return tuple(sorted(mine.items()))

    def _is_mine(self, id_: str) -> bool:
        return id_.partition(".")[0] == self.place.instance

    def _goals(self, walk: Walk, node: Node, move: Move) -> list[Goal]:
        tag = walk.tags.get(node)
        return list(of_move(self.system, node.location, move, dict(tag) if isinstance(tag, tuple) else {}, self.cover))

    def _way(self, walk: Walk, node: Node, move: Move) -> Way:
        """To the goal, and on to others as long as they are near."""
        found: dict[Goal, None] = {}
        while True:
            found |= dict.fromkeys(filter(self.wanted, self._goals(walk, node, move)))
            node = walk.after(node, move)
            if node.depth >= LONG or self.cover == "boundaries":
                break
            following = self._walk(node, walk.tags)
            near = following.crossings(NEAR, self.budget)
            ahead = next(((there, step) for there, step in near if self._is_new(following, there, step, found)), None)
            if ahead is None:
                break
            walk, (node, move) = following, ahead
        path = Path.to(node)
        return Way(self.place, self.system, path, tuple(found))

    def _is_new(self, walk: Walk, node: Node, move: Move, found: Mapping[Goal, None]) -> bool:
        return any(self.wanted(goal) and goal not in found for goal in self._goals(walk, node, move))
