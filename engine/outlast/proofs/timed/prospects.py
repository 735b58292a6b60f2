"""From where something can still be brought about: backwards over the nodes of a finished search.

Whether a point of a node can reach the goal depends on its times, so that what is gathered at each node is a list of zones. A point has good
prospects if it is at the goal, if a move possible there leads to a point that has, or if waiting does. Nothing is lost by the
search's leaving out zones that are part of others: a point's prospects do not depend on how it was come by.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from outlast.proofs.timed.locations import Location, under
from outlast.proofs.timed.search import Edge, Node, Search
from outlast.proofs.timed.zones import Zone, bounded, earlier, size, without


class Goal(Protocol):
    """What is to be brought about for one instance."""

    @property
    def that(self) -> Callable[[Location], bool]:
        """Whether it is so."""

    def since(self, location: Location) -> bool:
        """Whether it must be possible from here on."""


def hopeless(search: Search, goals: Mapping[str, Goal]) -> tuple[Node, Zone] | None:
    """A node, as near as any, and times in it from which the goal of somebody cannot be reached; None if there is none.

    `goals`: those of everybody who can change places in the search, or of one instance. They count only when nothing is due. `search` was run
    to its end, with its edges.
    """
    nodes = [node for known in search.passed.values() for node in known]
    rest: dict[tuple[Node, str], list[Zone]] = {(node, who): [node.zone] for node in nodes for who in goals}
    into: dict[tuple[Node, str], list[tuple[Edge, str]]] = {one: [] for one in rest}
    for edge in search.edges or ():
        for who in goals:
            if (edge.source, who) in rest:
                into[_live(edge.target), under(edge.names, who)].append((edge, who))
    waiting: deque[tuple[tuple[Node, str], Zone]] = deque()
    for (node, who), left in rest.items():
        if goals[who].that(node.location):
            left.clear()
            waiting.append(((node, who), node.zone))
    while waiting:
        target, good = waiting.popleft()
        for edge, who in into[target]:
            source = edge.source
            before = rest[source, who]
            if not before:
                continue
            piece = _before(edge, good, whole=good is target[0].zone)
            if piece is None:
                continue
            left = [part for zone in before for part in without(zone, piece)]
            if _same(left, before):
                continue
            rest[source, who] = left
            waiting.append(((source, who), piece if left else source.zone))
    for node in sorted(nodes, key=lambda node: node.depth):
        for who, goal in goals.items():
            if rest[node, who] and goal.since(node.location):
                for zone in rest[node, who]:
                    if (settled := search.undisturbed(node.location, zone)) is not None:
                        return node, settled
    return None


def _live(node: Node) -> Node:
    """The node that holds all of one that was covered."""
    while node.covered is not None:
        node = node.covered
    return node


def _same(left: Sequence[Zone], right: Sequence[Zone]) -> bool:
    return len(left) == len(right) and all(one == two for one, two in zip(left, right, strict=True))


def _before(edge: Edge, good: Zone, *, whole: bool) -> Zone | None:
    """The points of the edge's source from which, waiting first, it leads into `good`; `whole`: which is all of its target."""
    if edge.move is None:
        return earlier(good, edge.source.zone, least=1)
    found = edge.zone if whole else _leading(edge, good)
    if found is None or edge.source.held:
        return found  # held, there is no waiting: the node that comes of it has the same moves
    return earlier(found, edge.source.zone)


def _leading(edge: Edge, good: Zone) -> Zone | None:
    """The points at which the edge's move leads into `good`."""
    sources = (0, *edge.sources)
    n = size(good)
    found: Zone | None = edge.zone
    for i in range(n):
        for j in range(n):
            if i == j or found is None:
                continue
            one, two, bound = sources[i], sources[j], good[i * n + j]
            if one == two:
                if bound < 0:
                    return None
            else:
                found = bounded(found, one, two, bound)
    return found
