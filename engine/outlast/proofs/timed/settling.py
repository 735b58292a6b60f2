"""Claims about some instances, settled by as few searches as will do.

All claims that are about single locations and moves share one search; one more goes backwards from where it came, for each `can-always`;
and each bound is watched from where its clock begins to run. What is refuted is searched for once more, nearest first, for the shortest
path.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import TypeAlias

import attrs

from outlast.errors import LimitExceeded
from outlast.proofs.timed.composed import Composed
from outlast.proofs.timed.conditions import Claim
from outlast.proofs.timed.keepers import is_kept
from outlast.proofs.timed.orbits import Orbits
from outlast.proofs.timed.prospects import hopeless
from outlast.proofs.timed.search import Node, Search, Watch
from outlast.proofs.timed.standstill import Instants
from outlast.proofs.timed.successors import Move, Successors
from outlast.proofs.timed.symmetry import families
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
    is_shown: bool = False
    """Whether there is a run that shows it; the sighting is one, if the search was one of runs and not of orbits."""


Claims: TypeAlias = tuple[Claim, ...]
"""The same claim of instances that can change places: it is so of all or of none."""


class Part:
    """Some instances of a composition, and what is known of the claims about them."""

    def __init__(
        self, composed: Composed, budget: Budget, progress: Progress | None = None, *, exchanging: bool = True
    ) -> None:
        """`exchanging`: whether equal instances that can change places do."""
        self.composed, self.budget, self.progress = composed, budget, progress
        self.system = Successors(composed.plan, composed.snapshots, composed.said)
        self.families = families(composed) if exchanging else ()
        self.instants = Instants(self.system)
        self.claims: list[Claim] = []
        self._found: dict[Claim, Found] = {}
        self._alike: dict[Claim, tuple[Claim, ...]] = {}
        self._first: _Inquiry | None = None
        self._plain: _Inquiry | None = None
        self._nearest: _Inquiry | None = None

    def found(self, claim: Claim) -> Found:
        """What is known of a claim; searched for when it is first asked, together with the others."""
        if claim not in self._found:
            if self._first is None:
                roots = [part.name for part in self.composed.parts]
                orbits = Orbits(self.system.places, self.families, roots) if self.families else None
                self._first = _Inquiry(self, [self._images(one, orbits) for one in self.claims], orbits)
            found = self._first.found(self._images(claim, self._first.orbits))
            if found.outcome != "undetermined" and self._first.hangs_on_order(self._images(claim, self._first.orbits)):
                found = self._plainly(claim)
            if found.is_shown and (found.outcome == "refuted" or not found.sighting):
                if self._nearest is None:
                    shown = [one for one in self.claims if self._first.shows(self._images(one, self._first.orbits))]
                    self._nearest = _Inquiry(self, [(one,) for one in shown], shortest=True)
                found = self._told(found, self._nearest.found((claim,)))
            self._found[claim] = found
        return self._found[claim]

    @property
    def endless(self) -> str:
        """Why some instant does not end, if one is known."""
        return self._first.endless if self._first else ""

    def _plainly(self, claim: Claim) -> Found:
        """What a search without exchanges finds."""
        if self._plain is None:
            self._plain = _Inquiry(self, [])
        return self._plain.found((claim,))

    def _told(self, found: Found, nearer: Found) -> Found:
        """What is known, with the shortest run that shows it."""
        if nearer.sighting:
            return attrs.evolve(nearer, statistics=found.statistics)
        if found.sighting:
            return found
        return Found("undetermined", f"{nearer.reason} in search of a run that shows it", None, found.statistics)

    def _images(self, claim: Claim, orbits: Orbits | None) -> Claims:
        """The claim, and the same of everybody who can change places with its instance."""
        if orbits is None:
            return (claim,)
        if claim not in self._alike:
            known = {(one.property, one.instance): one for one in (*self.claims, *chain(*self._alike.values()))}
            alike = tuple(
                known.get((claim.property, id_)) or Claim(claim.property, id_, claim.plan)
                for id_ in orbits.images(claim.instance)
            )
            for one in alike:
                self._alike[one] = alike
        return self._alike[claim]


class _Inquiry:
    """One first search, and what follows from it. Claims that are the same of equal instances are settled together."""

    def __init__(
        self, part: Part, asked: Iterable[Claims], orbits: Orbits | None = None, *, shortest: bool = False
    ) -> None:
        self.part, self.orbits, self.shortest = part, orbits, shortest
        self.asked = list(dict.fromkeys(asked))
        self.exhausted = ""
        self.endless = ""
        """Why some instant does not end; then only what is shown by a run is known."""
        self._found: dict[Claims, Found] = {}
        self._restless: set[Claims] = set()
        self._search: Search | None = None
        self._began = 0.0

    def hangs_on_order(self, claims: Claims) -> bool:
        """Whether a claim can be broken by any move at all, be it somebody else's: then it matters who comes first at an instant."""
        return claims in self._restless

    def shows(self, claims: Claims) -> bool:
        """Whether there is known to be a run that shows something of these claims."""
        return claims in self._found and self._found[claims].is_shown

    def found(self, claims: Claims) -> Found:
        """What is known of claims that are the same."""
        if claims not in self.asked:
            self.asked.append(claims)
        if claims not in self._found:
            found = self._settled(claims)
            if self.endless and not found.is_shown:
                found = attrs.evolve(found, outcome="undetermined", reason=self.endless)
            self._found[claims] = found
        return self._found[claims]

    def _settled(self, claims: Claims) -> Found:
        kind = claims[0].property.kind
        if kind in UNTIMED:
            self._look()
            return self._found[claims]
        self._began = time.process_time()
        search = self._whole_search()
        if self.exhausted:
            return Found("undetermined", self.exhausted, None, self._statistics(search))
        return self._prospects(claims, search) if kind == "can-always" else self._timed(claims, search)

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
        return Statistics(search.locations, search.zones, search.transitions, seconds, search.stands_for)

    def _whole_search(self) -> Search:
        """The first search, run to its end."""
        if self._search is None or not (self._search.complete or self.exhausted):
            self._look(whole=True)
        assert self._search is not None
        return self._search

    def _look(self, *, whole: bool = False) -> None:
        """Run the first search, and settle the claims that are about locations and moves by it; unless `whole`, it may end with them."""
        system = self.part.system
        asked = [one for one in self.asked if one[0].property.kind in UNTIMED and one not in self._found]
        whole = whole or (not self.shortest and len(asked) < len(self.asked))
        hits: dict[Claims, list[Path]] = {}
        suspects: dict[int, list[tuple[Claims, Claim]]] = {}

        def crossing(node: Node, move: Move) -> None:
            location = move.arrival.location
            concerned = suspects.get(id(location))
            if concerned is None:
                concerned = [(one, claim) for one in asked for claim in one if claim.suspects(location)]
                suspects[id(location)] = concerned
                if self.orbits:
                    self._restless |= {one for one, claim in concerned if claim.is_restless(location)}
            for one, claim in concerned:
                there = hits.get(one)
                if there and not (self.shortest and len(there) < RIVALS and len(there[0].moves) > node.depth):
                    continue
                if claim.shown(location, node.location):
                    hits.setdefault(one, []).append(Path.to(node, move))

        first = [(one, claim) for one in asked for claim in one if claim.suspects(system.first)]
        self._restless |= {one for one, claim in first if self.orbits and claim.is_restless(system.first)}
        for one in asked:
            if any(claim.suspects(system.first) and claim.shown(system.first, None) for claim in one):
                hits[one] = [Path.at(system.first)]
        edges = whole and any(one[0].property.kind == "can-always" for one in self.asked)
        search = Search(system, crossing=crossing, edges=edges, shortest=self.shortest, orbits=self.orbits)
        self._search = search
        try:
            for node in self._run(search, self.part.composed.name):
                if self._goes_on(node):
                    break
                if (
                    len(hits) == len(asked)
                    and not whole
                    and all(len(one[0].moves) <= node.depth for one in hits.values())
                ):
                    break
        except (_Exhausted, LimitExceeded) as limit:
            self.exhausted = str(limit)
        statistics = self._statistics(search)
        for one in asked:
            self._found[one] = self._judged(one, hits.get(one), statistics)

    def _goes_on(self, node: Node) -> bool:
        """Look for an instant that does not end; whether something grows in it, so that the search would not end either."""
        if self.endless or not (standstill := self.part.instants.standstill(node)):
            return False
        self.endless = str(standstill)
        self.exhausted = "" if standstill.is_round else self.endless
        return not standstill.is_round

    def _judged(self, claims: Claims, paths: Sequence[Path] | None, statistics: Statistics) -> Found:
        wanted = claims[0].property.kind == "reachable"
        if paths:
            seen = None
            if self.orbits is None:
                seen = _earliest(_sighting(path, schedule(self.part.system, path)) for path in paths)
            return Found("proved" if wanted else "refuted", "", seen, statistics, is_shown=True)
        if self.exhausted or self.endless:
            return Found("undetermined", self.exhausted or self.endless, None, statistics)
        return Found("refuted", "it is never so", None, statistics) if wanted else Found("proved", "", None, statistics)

    def _prospects(self, claims: Claims, search: Search) -> Found:
        """Settle a claim about what can still be brought about."""
        found = hopeless(search, {claim.instance: claim for claim in claims})
        if found is None:
            return Found("proved", "", None, self._statistics(search))
        seen = None
        if self.orbits is None:
            path = Path.to(found[0])
            seen = _sighting(path, schedule(self.part.system, path, found[1]))
        return Found("refuted", "", seen, self._statistics(search), is_shown=True)

    def _timed(self, claims: Claims, known: Search) -> Found:
        """Settle a claim about a bound."""
        if is_kept(known, {claim.instance: claim for claim in claims}):
            return Found("proved", "", None, self._statistics(known))
        found = Found("proved", "", None, self._statistics(known))
        for claim in claims:
            found = self._watched(claim, known)
            if found.outcome != "proved":
                break
        return found

    def _watched(self, claim: Claim, known: Search) -> Found:
        search = Watch(known, claim, self.orbits.fixing(claim.instance) if self.orbits else None)
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
        seen = _earliest(self._lateness(node) for node in late) if self.orbits is None else None
        return Found("refuted", "", seen, self._statistics(search), is_shown=True)

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
