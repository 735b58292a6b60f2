"""The search: every location with every time at which a system can be in it, breadth first.

Theory of operation
===================

A node is a location and a zone: all the times its clocks can show, waiting included. A move out of it happens at some of these times:
what the outside says, when no clock is due yet (time at an instant first does what is due); a clock, when it shows its cap and none
that comes before it does. A `within` clock may fire at any moment up to its cap, with one exception. It stands for a moment fixed when
it was armed, so it is due at that moment *before* anything the outside says then: a move that passes it over at an instant says
that its moment is a later one. Until time has moved on it is `held` and cannot fire.

So where a move passes over a `within` clock two nodes arise: one at the very instant, with the clock held and no waiting, and one after
waiting 1 at least. All bounds are exact, and a path through the nodes always has times at which the engine takes it.

A node whose zone is part of an earlier one of the same location is dropped, and an earlier one that is part of a new one is not
gone on with: neither loses a state of the system.

With `orbits`, of all locations that differ by an exchange of equal blocks one is gone on with: a move leads to that one, with its clocks exchanged
likewise. Where blocks that are in the same states can be exchanged in the location itself, a zone is also left out if it is part of
another with the clocks of those blocks exchanged. Moves stay as they are: who asks where a move leads, and who is who there, asks `arrival`.

An observer is one more clock that fires nothing. It runs while its property has something to wait for, and the property is broken where
it can show one more than the bound. Nothing needs to be searched twice for it: where it begins to run is known from a search without
one, and where it stops another begins. Blocks are not exchanged for that of the instance the observer looks at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

import attrs

from outlast.proofs.timed.locations import Clock, Location
from outlast.proofs.timed.orbits import Orbits
from outlast.proofs.timed.successors import Move, Successors
from outlast.proofs.timed.zones import Zone, below, bounded, delayed, includes, moved
from outlast.values import frozen

NOBODY: Mapping[str, str] = {}


class Observer(Protocol):
    """Decides when a clock of a property runs."""

    def bound(self, location: Location, running: int | None) -> int | None:
        """How long may pass from when the clock began, None where it does not run. `running`: the bound it has so far."""


@attrs.define(eq=False)
class Node:
    """A location with a zone, and how the search came there."""

    location: Location
    zone: Zone
    """At rest: with the waiting that is possible. The observer's clock, where it runs, is the last."""
    limit: int | None
    """The bound of the observer's clock; None: it does not run."""
    held: frozenset[int]
    """Numbers of the `within` clocks that cannot fire at this instant; then there is no waiting either."""
    waited: bool
    """Whether 1 at least has passed since the move that led here."""
    parent: Node | None
    move: Move | None
    depth: int
    covered: Node | None = None
    """A later node whose zone holds all of this one's."""


@frozen(eq=False)
class Edge:
    """A move from one node to another, at the times in `zone`; a move None is the waiting of a held node."""

    source: Node
    move: Move | None
    zone: Zone
    target: Node
    sources: tuple[int, ...] = ()
    """For each clock of the target the number it had before, 0 for one that begins."""
    names: Mapping[str, str] = NOBODY
    """Who changed places on the way: the old name -> the new one."""


class Search:
    """One exploration. Iterating gives each new node in order, nearest first; stop whenever enough is known.

    `crossing` is called when a move is found possible, with the node it leaves: the first time, or with `shortest` each time. `edges` keeps every move between nodes.
    `shortest`: what was covered by something further away is gone on with all the same, so that no shortest path is lost.
    """

    def __init__(
        self,
        system: Successors,
        observer: Observer | None = None,
        *,
        crossing: Callable[[Node, Move], None] | None = None,
        edges: bool = False,
        shortest: bool = False,
        orbits: Orbits | None = None,
    ) -> None:
        self.system, self.observer, self.crossing = system, observer, crossing
        self.orbits = orbits
        self.shortest = shortest
        self.complete = False
        """Whether it was run to its end."""
        self.nodes: list[Node] = []
        """Every node, nearest first, those that were covered later included."""
        self.passed: dict[tuple[int, int | None, frozenset[int]], list[Node]] = {}
        self.transitions = 0
        self.stands_for = 0
        """How many locations those stand for that were reached."""
        self._reached: dict[int, Location] = {}
        self.crossed: set[Move] = set()
        """Every move that is possible at some time."""
        self.edges: list[Edge] | None = [] if edges else None
        self._clocks = system.places.clocks

    @property
    def zones(self) -> int:
        """How many zones are kept."""
        return sum(map(len, self.passed.values()))

    @property
    def locations(self) -> int:
        """How many locations were reached."""
        return len(self._reached)

    @property
    def reached(self) -> tuple[Location, ...]:
        """Every location that was reached, nearest first."""
        return tuple(self._reached.values())

    def __iter__(self) -> Iterator[Node]:
        """Every new node, nearest first. Raises LimitExceeded where the engine does."""
        first: list[Node] = []
        location = self.first
        self._arrive(location, (0,) * (len(self._clocks(location)) + 1) ** 2, None, frozenset(), None, None, first)
        yield from self._onward({0: first})

    @property
    def first(self) -> Location:
        """Where everything begins."""
        first = self.system.first
        return self.orbits.canonical(first).location if self.orbits else first

    def arrival(self, move: Move) -> tuple[Location, tuple[int, ...], Mapping[str, str]]:
        """Where a search goes on after a move, the number each clock there had before (0: it begins), and who changed places."""
        location, sources = move.arrival.location, move.arrival.sources
        if self.orbits is None:
            return location, sources, NOBODY
        there = self.orbits.canonical(location)
        return there.location, tuple([sources[number - 1] for number in there.order]), there.names

    def _onward(self, seeds: Mapping[int, Sequence[Node]]) -> Iterator[Node]:
        """What follows from nodes that are known, by their depth."""
        level: list[Node] = []
        depth = min(seeds, default=0)
        while level or depth <= max(seeds, default=-1):
            level += seeds.get(depth, ())
            yield from level
            following: list[Node] = []
            for node in level:
                self.nodes.append(node)
                if node.covered is None or (self.shortest and node.covered.depth > node.depth):
                    following += self._expand(node)
            level, depth = following, depth + 1
        self.complete = True

    # ---- one node

    def _expand(self, node: Node) -> Iterator[Node]:
        clocks = self._clocks(node.location)
        undisturbed = self.undisturbed(node.location, node.zone)
        for move in self.system.moves(node.location):
            zone = self._due(node, clocks, move.fired) if move.fired else undisturbed
            if zone is None:
                continue
            self.transitions += 1
            if self.crossing and (self.shortest or move not in self.crossed):
                self.crossing(node, move)
            self.crossed.add(move)
            if move.changes:
                yield from self._follow(node, clocks, move, zone)

    def undisturbed(self, location: Location, zone: Zone) -> Zone | None:
        """When nothing is due, so that the outside can say something."""
        return below(zone, [(n, clock.cap - 1) for n, clock in enumerate(self._clocks(location), 1)])

    def _due(self, node: Node, clocks: Sequence[Clock], number: int) -> Zone | None:
        """When clock `number` can fire."""
        if number in node.held:
            return None
        zone: Zone | None = node.zone
        if not clocks[number - 1].is_within:
            zone = bounded(node.zone, 0, number, -clocks[number - 1].cap)
        if zone is None:
            return None
        return below(zone, [(n, clock.cap - 1) for n, clock in enumerate(clocks[: number - 1], 1)])

    def _follow(self, node: Node, clocks: Sequence[Clock], move: Move, zone: Zone) -> list[Node]:
        limit = self.observer.bound(move.arrival.location, node.limit) if self.observer else None
        if self.observer and limit is None:
            return []
        location, sources, names = self.arrival(move)
        passed = clocks[: move.fired - 1] if move.fired else clocks
        over = node.held.union([number for number, clock in enumerate(passed, 1) if clock.is_within])
        held = frozenset([number for number, source in enumerate(sources, 1) if source in over]) if over else over
        observed = (len(clocks) + 1 if node.limit is not None else 0,) if self.observer else ()
        found: list[Node] = []
        target = self._arrive(location, moved(zone, (*sources, *observed)), limit, held, node, move, found)
        if self.edges is not None:
            self.edges.append(Edge(node, move, zone, target, sources, names))
        return found

    def _arrive(
        self,
        location: Location,
        zone: Zone,
        limit: int | None,
        held: frozenset[int],
        parent: Node | None,
        move: Move | None,
        found: list[Node],
    ) -> Node:
        """The node that has what arrives there; new nodes are added to `found`."""
        caps = [clock.cap for clock in self._clocks(location)]
        if limit is not None:
            caps.append(limit + 1)
        depth = parent.depth + 1 if parent else 0
        if not held:
            rested = delayed(zone, caps)
            assert rested is not None
            return self._kept(Node(location, rested, limit, held, False, parent, move, depth), found)
        target = self._kept(Node(location, zone, limit, held, False, parent, move, depth), found)
        later = delayed(zone, caps, least=1)
        if later is not None:
            after = self._kept(Node(location, later, limit, frozenset(), True, parent, move, depth), found)
            if self.edges is not None:
                self.edges.append(Edge(target, None, zone, after))
        return target

    def _kept(self, node: Node, found: list[Node]) -> Node:
        """The node, or an earlier one that holds all of it."""
        key = (id(node.location), node.limit, node.held)
        known = self.passed.get(key)
        if known is None:
            self.passed[key] = [node]
            if id(node.location) not in self._reached:
                self._reached[id(node.location)] = node.location
                self.stands_for += self.orbits.size(node.location) if self.orbits else 1
        else:
            for other in known:
                if includes(other.zone, node.zone):
                    return other
            if self.orbits and self.edges is None and (twin := self._twin(node)):
                return twin
            kept = []
            for other in known:
                if includes(node.zone, other.zone):
                    other.covered = node
                else:
                    kept.append(other)
            kept.append(node)
            self.passed[key] = kept
        found.append(node)
        return node

    def _twin(self, node: Node) -> Node | None:
        """An earlier node that holds all of one in which blocks in the same states are exchanged."""
        assert self.orbits
        for order in self.orbits.twins(node.location):
            held = frozenset([number for number, before in enumerate(order, 1) if before in node.held])
            zone = moved(node.zone, order if node.limit is None else (*order, len(order) + 1))
            for other in self.passed.get((id(node.location), node.limit, held), ()):
                if includes(other.zone, zone):
                    return other
        return None


class Watch(Search):
    """The search of one observer: from where its clock begins to run, in a search that was run to its end, to where it stops."""

    def __init__(self, known: Search, observer: Observer, orbits: Orbits | None = None) -> None:
        """`orbits`: those of the search, without the block the observer looks at."""
        super().__init__(known.system, observer, shortest=known.shortest, orbits=orbits)
        self.known = known

    def __iter__(self) -> Iterator[Node]:
        """Every new node in which the clock runs, nearest first."""
        assert self.observer
        seeds: dict[int, list[Node]] = {}
        first = self.first
        limit = self.observer.bound(first, None)
        if limit is not None:
            zone = (0,) * (len(self._clocks(first)) + 2) ** 2
            self._arrive(first, zone, limit, frozenset(), None, None, seeds.setdefault(0, []))
        beginning: dict[int, list[Move]] = {}
        for node in self.known.nodes:
            moves = beginning.get(id(node.location))
            if moves is None:
                moves = beginning[id(node.location)] = list(self._beginning(node.location))
            if moves:
                self._begin(node, moves, seeds)
        yield from self._onward(seeds)

    def _beginning(self, location: Location) -> Iterator[Move]:
        """The moves out of a location that can start the clock."""
        assert self.observer
        if self.observer.bound(location, None) is None:
            for move in self.system.moves(location):
                if move in self.known.crossed and self.observer.bound(move.arrival.location, None) is not None:
                    yield move

    def _begin(self, node: Node, moves: Sequence[Move], seeds: dict[int, list[Node]]) -> None:
        """The nodes in which one of these moves out of `node` starts the clock."""
        clocks = self._clocks(node.location)
        for move in moves:
            zone = self._due(node, clocks, move.fired) if move.fired else self.undisturbed(node.location, node.zone)
            if zone is not None:
                self.transitions += 1
                seeds.setdefault(node.depth + 1, []).extend(self._follow(node, clocks, move, zone))
