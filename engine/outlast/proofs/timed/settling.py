"""Claims about some instances, settled by as few searches as will do.

All claims that are about single locations and moves share one search; one more goes backwards from where it came, for each `can-always`;
and each bound is watched from where its clock begins to run. What is refuted is searched for once more, nearest first, for the shortest
path.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeAlias

from outlast.errors import LimitExceeded
from outlast.proofs.timed.composed import Composed
from outlast.proofs.timed.conditions import Claim
from outlast.proofs.timed.prospects import hopeless
from outlast.proofs.timed.search import Node, Search, Watch
from outlast.proofs.timed.successors import Move, Successors
from outlast.proofs.timed.traces import Path, schedule
from outlast.proofs.timed.verdicts import Outcome, Statistics
from outlast.proofs.timed.zones import bounded, size
from outlast.values import frozen

UNTIMED = frozenset({"never", "always", "reachable"})
"""The kinds that are about single locations and moves."""

RIVALS = 200
"""Among how many paths of the same length the earliest is looked for."""

Progress: TypeAlias = Callable[[str, int, float], None]
"""Called now and then: what is being searched, how many nodes there are, and the seconds of processor time it took so far."""


@frozen
class Budget:
    """How much one search may take before it gives up and the verdict is undetermined."""

    zones: int = 1_000_000
    seconds: float = 300.0
    """Of processor time."""


@frozen(eq=False)
class Sighting:
    """A path that shows something, with the instant of each move; one instant more is when it can be seen.

    `limit` is the bound that was exceeded, if it was one.
    """

    path: Path
    times: tuple[int, ...]
    limit: int | None = None


@frozen(eq=False)
class Found:
    """What became of one claim."""

    outcome: Outcome
    reason: str = ""
    sighting: Sighting | None = None
    statistics: Statistics = Statistics()


class Part:
    """Some instances of a composition, and what is known of the claims about them."""

    def __init__(self, composed: Composed, budget: Budget, progress: Progress | None) -> None:
        self.composed, self.budget, self.progress = composed, budget, progress
        self.system = Successors(composed.plan, composed.snapshots, composed.said)
        self.claims: list[Claim] = []
        self._found: dict[Claim, Found] = {}
        self._first: _Inquiry | None = None
        self._nearest: _Inquiry | None = None

    def found(self, claim: Claim) -> Found:
        """What is known of a claim; searched for when it is first asked, together with the others."""
        if claim not in self._found:
            if self._first is None:
                self._first = _Inquiry(self, self.claims, shortest=False)
            found = self._first.found(claim)
            if found.outcome == "refuted" and found.sighting:
                if self._nearest is None:
                    refuted = [one for one in self.claims if self._first.is_refuted(one)]
                    self._nearest = _Inquiry(self, refuted, shortest=True)
                nearer = self._nearest.found(claim)
                found = nearer if nearer.sighting else found
            self._found[claim] = found
        return self._found[claim]


class _Inquiry:
    """One first search, and what follows from it."""

    def __init__(self, part: Part, claims: Sequence[Claim], *, shortest: bool) -> None:
        self.part, self.shortest = part, shortest
        self.claims = list(claims)
        self.exhausted = ""
        self._found: dict[Claim, Found] = {}
        self._search: Search | None = None
        self._began = 0.0

    def is_refuted(self, claim: Claim) -> bool:
        """Whether a claim is known to be refuted so far."""
        return claim in self._found and self._found[claim].outcome == "refuted"

    def found(self, claim: Claim) -> Found:
        """What is known of a claim."""
        if claim not in self.claims:
            self.claims.append(claim)
        if claim in self._found:
            return self._found[claim]
        if claim.property.kind in UNTIMED:
            self._look()
            return self._found[claim]
        search = self._whole_search()
        if self.exhausted:
            found = Found("undetermined", self.exhausted, None, self._statistics(search))
        elif claim.property.kind == "can-always":
            found = self._prospects(claim, search)
        else:
            found = self._timed(claim, search)
        self._found[claim] = found
        return found

    # ---- searching

    def _run(self, search: Search, what: str) -> Iterator[Node]:
        """The nodes of a search, as far as the budget goes. Raises _Exhausted."""
        budget, progress = self.part.budget, self.part.progress
        self._began = told = time.process_time()
        for count, node in enumerate(search, start=1):
            now = time.process_time()
            if count > budget.zones:
                raise _Exhausted(f"more than {budget.zones:,} zones")
            if now - self._began > budget.seconds:
                raise _Exhausted(f"more than {budget.seconds:g} s")
            if progress and now - told > 0.2:
                told = now
                progress(what, count, now - self._began)
            yield node

    def _statistics(self, search: Search) -> Statistics:
        seconds = time.process_time() - self._began
        return Statistics(search.locations, search.zones, search.transitions, seconds)

    def _whole_search(self) -> Search:
        """The first search, run to its end."""
        if self._search is None or not self._search.complete:
            self._look(whole=True)
        assert self._search is not None
        return self._search

    def _look(self, *, whole: bool = False) -> None:
        """Run the first search, and settle the claims that are about locations and moves by it; unless `whole`, it may end with them."""
        system = self.part.system
        asked = [claim for claim in self.claims if claim.property.kind in UNTIMED and claim not in self._found]
        whole = whole or (not self.shortest and len(asked) < len(self.claims))
        hits: dict[Claim, list[Path]] = {}
        suspects: dict[int, list[Claim]] = {}

        def crossing(node: Node, move: Move) -> None:
            location = move.arrival.location
            concerned = suspects.get(id(location))
            if concerned is None:
                concerned = suspects[id(location)] = [claim for claim in asked if claim.suspects(location)]
            for claim in concerned:
                there = hits.get(claim)
                if there and not (self.shortest and len(there) < RIVALS and len(there[0].moves) > node.depth):
                    continue
                if claim.shown(location, node.location):
                    hits.setdefault(claim, []).append(Path.to(node, move))

        for claim in asked:
            if claim.suspects(system.first) and claim.shown(system.first, None):
                hits[claim] = [Path.at(system.first)]
        edges = whole and any(claim.property.kind == "can-always" for claim in self.claims)
        search = self._search = Search(system, crossing=crossing, edges=edges, shortest=self.shortest)
        try:
            for node in self._run(search, self.part.composed.name):
                if (
                    len(hits) == len(asked)
                    and not whole
                    and all(len(one[0].moves) <= node.depth for one in hits.values())
                ):
                    break
        except (_Exhausted, LimitExceeded) as limit:
            self.exhausted = str(limit)
        statistics = self._statistics(search)
        for claim in asked:
            self._found[claim] = self._judged(claim, hits.get(claim), statistics)

    def _judged(self, claim: Claim, paths: Sequence[Path] | None, statistics: Statistics) -> Found:
        wanted = claim.property.kind == "reachable"
        if paths:
            seen = _earliest(_sighting(path, schedule(self.part.system, path)) for path in paths)
            return Found("proved" if wanted else "refuted", "", seen, statistics)
        if self.exhausted:
            return Found("undetermined", self.exhausted, None, statistics)
        return Found("refuted", "it is never so", None, statistics) if wanted else Found("proved", "", None, statistics)

    def _prospects(self, claim: Claim, search: Search) -> Found:
        """Settle a claim about what can still be brought about."""
        self._began = time.process_time()
        found = hopeless(search, claim.that, claim.since)
        if found is None:
            return Found("proved", "", None, self._statistics(search))
        path = Path.to(found[0])
        times = schedule(self.part.system, path, found[1])
        return Found("refuted", "", _sighting(path, times), self._statistics(search))

    def _timed(self, claim: Claim, known: Search) -> Found:
        """Settle a claim about a bound."""
        search = Watch(known, claim)
        late: list[Node] = []
        try:
            for node in self._run(search, f"{self.part.composed.name}: {claim.property.id}"):
                if late and (not self.shortest or node.depth > late[0].depth or len(late) >= RIVALS):
                    break
                if node.limit is not None and node.zone[-size(node.zone)] > node.limit:
                    late.append(node)
        except (_Exhausted, LimitExceeded) as limit:
            if not late:
                return Found("undetermined", str(limit), None, self._statistics(search))
        if not late:
            return Found("proved", "", None, self._statistics(search))
        seen = _earliest(self._lateness(node) for node in late)
        return Found("refuted", "", seen, self._statistics(search))

    def _lateness(self, node: Node) -> Sighting:
        """How the clock of a bound comes to show more."""
        assert node.limit is not None
        path = Path.to(node)
        last = bounded(node.zone, 0, size(node.zone) - 1, -node.limit - 1)
        return _sighting(path, schedule(self.part.system, path, last, Path.began(node)), node.limit)


def _earliest(sightings: Iterable[Sighting]) -> Sighting:
    """Of several as short as each other, the one that is over first."""
    return min(sightings, key=lambda one: one.times[-1] if one.times else 0)


def _sighting(path: Path, times: tuple[int, ...] | None, limit: int | None = None) -> Sighting:
    assert times is not None, "a path of the search has no times"
    return Sighting(path, times, limit)


class _Exhausted(Exception):
    """A search came to the end of its budget."""
