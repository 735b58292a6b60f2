"""From where something can still be brought about: backwards over the nodes of a finished search.

Whether a point of a node can reach the goal depends on its times, so that what is gathered at each node is a list of zones. A point has good
prospects if it is at the goal, if a move possible there leads to a point that has, or if waiting does. Nothing is lost by the
search's leaving out zones that are part of others: a point's prospects do not depend on how it was come by.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from outlast.proofs.timed.locations import Location
from outlast.proofs.timed.search import Edge, Node, Search
from outlast.proofs.timed.zones import Zone, bounded, earlier, size, without


def hopeless(
    search: Search, goal: Callable[[Location], bool], concerned: Callable[[Location], bool]
) -> tuple[Node, Zone] | None:
    """A node, as near as any, and times in it from which no location of `goal` can be reached; None if there is none.

    Only locations `concerned` are looked at, and only when nothing is due in them. `search` was run to its end, with its edges.
    """
    nodes = [node for known in search.passed.values() for node in known]
    rest: dict[Node, list[Zone]] = {node: [node.zone] for node in nodes}
    into: dict[Node, list[Edge]] = {node: [] for node in nodes}
    for edge in search.edges or ():
        if edge.source in into:
            into[_live(edge.target)].append(edge)
    waiting: deque[tuple[Node, Zone]] = deque()
    for node in nodes:
        if goal(node.location):
            rest[node] = []
            waiting.append((node, node.zone))
    while waiting:
        target, good = waiting.popleft()
        for edge in into[target]:
            source = edge.source
            if not rest[source]:
                continue
            piece = _before(edge, good)
            if piece is None:
                continue
            left = [part for zone in rest[source] for part in without(zone, piece)]
            if _same(left, rest[source]):
                continue
            rest[source] = left
            waiting.append((source, piece if left else source.zone))
    for node in sorted(nodes, key=lambda node: node.depth):
        if concerned(node.location):
            for zone in rest[node]:
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


def _before(edge: Edge, good: Zone) -> Zone | None:
    """The points of the edge's source from which, waiting first, it leads into `good`."""
    if edge.move is None:
        return earlier(good, edge.source.zone, least=1)
    sources = (0, *edge.move.arrival.sources)
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
    if found is None:
        return None
    if edge.source.held:
        return found  # there is no waiting here: the node that comes of it has the same moves
    return earlier(found, edge.source.zone)
