"""Whether two specifications behave alike: in each composition both can have, for everything that can be said to both, at every moment.

What happens `within` a time happens at the same moment in both, as it does where a story tells the moment, or, where none is told, at its end. The
search is breadth first, so that the first difference it comes to takes the fewest events; it is told at the earliest moments.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Literal, TypeAlias, cast

import attrs

from outlast import model
from outlast.errors import LimitExceeded, MisuseError, OutlastError, UnknownName
from outlast.expr import tree
from outlast.moments import format_duration
from outlast.place import Word
from outlast.plan import Plan, tables
from outlast.proofs.comparison.both import Both, Entry, Pair, Side
from outlast.proofs.comparison.looking import Contrast, contrasts
from outlast.proofs.recording import Recording
from outlast.proofs.telling import Cue, Telling, name_now, tell
from outlast.proofs.timed.composed import Composed, compose
from outlast.proofs.timed.search import Node, Search
from outlast.proofs.timed.successors import Successors
from outlast.proofs.timed.traces import Path, schedule
from outlast.proofs.timed.zones import Zone
from outlast.run import System
from outlast.run.staging import as_text

Outcome: TypeAlias = Literal["same", "differ", "undetermined"]
BUDGET = 100_000
RIVALS = 50
"""Among how many differences as near as each other the earliest is looked for."""


@attrs.frozen(eq=False)
class Comparison:
    """What was found in one composition."""

    composition: str
    outcome: Outcome
    reason: str = ""
    """Why it is undetermined."""
    contrasts: tuple[Contrast, ...] = ()
    at: int = 0
    """When they differ, in microseconds from the start."""
    scenario: model.Scenario | None = None
    """The story after which they differ; what it expects is what the one does that tells it."""
    teller: Side = "old"
    """Who tells the story: the new one, where a `within` row comes early that only it has."""
    unpaired: tuple[str, ...] = ()
    """Events only one of them knows, which are not said: `job train: pause (new)`."""
    pairs: int = 0
    zones: int = 0
    transitions: int = 0
    seconds: float = 0.0
    """Processor time."""


def compare(old: Plan, new: Plan, *, compositions: Sequence[str] = (), budget: int = BUDGET) -> Iterator[Comparison]:
    """One comparison for each composition of the new plan (of these, if any are named). `budget`: how many zones one may look at.

    Raises UnknownName for a composition the new plan does not have, MisuseError if it has none.
    """
    for name in compositions:
        if name not in new.compositions:
            raise UnknownName("composition", name, new.compositions)
    if not new.compositions:
        raise MisuseError(
            f"`{new.name}` has no composition to compare behaviour in: write `compositions:` in its system.yaml"
        )
    for composition in new.compositions.values():
        if not compositions or composition.name in compositions:
            yield _compared(old, new, composition, budget)


def _compared(old: Plan, new: Plan, composition: tables.Composition, budget: int) -> Comparison:
    began = time.process_time()
    try:
        before, after = compose(old, composition), compose(new, composition)
    except OutlastError as error:
        return Comparison(composition.name, "undetermined", f"it does not fit both: {error}")
    unpaired = (*_only(before, after, "old"), *_only(after, before, "new"))
    found = Comparison(composition.name, "same", unpaired=unpaired)
    for one, two in _parts(before, after):
        part = _Part(one, two, budget).compared()
        found = attrs.evolve(
            part,
            composition=composition.name,
            unpaired=unpaired,
            outcome=part.outcome if part.outcome == "differ" or found.outcome == "same" else found.outcome,
            reason=part.reason or found.reason,
            pairs=found.pairs + part.pairs,
            zones=found.zones + part.zones,
            transitions=found.transitions + part.transitions,
            seconds=time.process_time() - began,
        )
        if found.outcome == "differ":
            break
    return found


def _only(one: Composed, other: Composed, word: str) -> Iterator[str]:
    """What only one of them can be told."""
    known = {(said.to, said.event.name) for said in other.said}
    names = {(said.to, said.event.name) for said in one.said if (said.to, said.event.name) not in known}
    yield from (f"{one.everybody()[to]} {to}: {event} ({word})" for to, event in sorted(names))


def _parts(before: Composed, after: Composed) -> Iterator[tuple[Composed, Composed]]:
    """For each instance what matters to it in either, few instances first; of those that differ in nothing but names, one."""
    found: list[tuple[Composed, Composed]] = []
    shapes = set()
    for given in after.parts:
        kept, grown = set[str](), {given.name}
        while kept != grown:
            kept = grown
            grown = {part.name for whole in (before, after) for part in whole.part_for(kept).parts}
        one, two = before.part_for(kept), after.part_for(kept)
        shape = (one.shape(), two.shape())
        if shape not in shapes:
            shapes.add(shape)
            found.append((one, two))
    return iter(sorted(found, key=lambda pair: len(pair[0].parts)))


class _Part:
    """One search."""

    def __init__(self, before: Composed, after: Composed, budget: int) -> None:
        self.before, self.after, self.budget = before, after, budget
        said = [one for one in before.said if one in after.said]
        self.both = Both(Recording(before), Recording(after), said, (before, after))
        self.search = Search(cast(Successors, self.both), shortest=True)  # all that a search asks of a system
        self._known: dict[int, tuple[Contrast, ...]] = {}

    def compared(self) -> Comparison:
        """What the search came to."""
        try:
            node, reason = self._nearest()
        except LimitExceeded as error:
            node, reason = None, str(error)
        search = self.search
        locations = len({location for location, _, _ in search.passed})
        found = Comparison("", "same", pairs=locations, zones=search.zones, transitions=search.transitions)
        if node is None:
            return attrs.evolve(found, outcome="undetermined", reason=reason) if reason else found
        at, teller, story = self._told(node)
        return attrs.evolve(
            found, outcome="differ", contrasts=self._contrasts(node), at=at, scenario=story, teller=teller
        )

    def _nearest(self) -> tuple[Node | None, str]:
        """Of the nearest moments at which they differ, the one that comes first, if need be without `within` rows that come early; or why it was not looked for to the end."""
        rivals: list[Node] = []
        for count, node in enumerate(self.search, start=1):
            if rivals and node.depth > rivals[0].depth:
                break
            if self._contrasts(node) and self._settled(node) is not None:
                rivals.append(node)
            if count >= self.budget or len(rivals) >= RIVALS:
                break
        if rivals:
            return min(rivals, key=lambda node: (len(self._early(node)), self._times(node)[-1])), ""
        return None, "" if self.search.complete else f"more than {self.budget:,} zones"

    def _contrasts(self, node: Node) -> tuple[Contrast, ...]:
        pair = _pair(node)
        if id(pair) not in self._known:
            self._known[id(pair)] = tuple(contrasts(self.before.plan, self.after.plan, pair))
        return self._known[id(pair)]

    def _settled(self, node: Node) -> Zone | None:
        """The times at which nothing is due in either."""
        return self.search.undisturbed(node.location, node.zone)

    def _times(self, node: Node) -> tuple[int, ...]:
        times = schedule(self.search.system, Path.to(node), self._settled(node))
        assert times is not None, "a path of the search has no times"
        return times

    def _early(self, node: Node) -> list[tuple[int, Entry]]:
        """The `within` rows that come early on the way to a node, each with the number of its move: of both at once as the old system has it."""
        path, found = Path.to(node), []
        for number, (move, location) in enumerate(zip(path.moves, path.locations, strict=False)):
            if move.fired:
                entry = self.both.places.entries(cast(Pair, location))[move.fired - 1]
                if (entry.side, entry.does) in (("old", "early"), ("new", "tell")):
                    found.append((number, entry))
        return found

    def _told(self, node: Node) -> tuple[int, Side, model.Scenario]:
        """When they differ, who tells the story of it, and the story; it expects what the teller does."""
        path, times, early = Path.to(node), self._times(node), dict(self._early(node))
        teller: Side = "new" if any(entry.side == "new" for entry in early.values()) else "old"
        composed = self.after if teller == "new" else self.before
        cues = []
        for number, (move, at) in enumerate(zip(path.moves, times, strict=False)):
            row = self._row(cast(Pair, path.locations[number]), early[number], teller) if number in early else None
            if move.said or row:
                cues.append(Cue(at, move.said, row))
        telling = tell(composed, [*cues, Cue(times[-1])])
        names = ", ".join(one.about for one in self._contrasts(node))
        readings = as_text(composed.plan.readings, composed.plan)
        story = model.Scenario(
            Word("differs"),
            f"Where they differ: {names}",
            f"At {format_duration(times[-1])} the two specifications differ in this; it expects what the {teller} one does"
            + (f", read as {readings}." if readings else "."),
            Word(composed.plan.name),
            composed.constants,
            composed.given,
            tuple(step for step in telling.said if step),
            tuple(self._expected(node, telling, teller)),
        )
        return times[-1], teller, story

    def _row(self, pair: Pair, entry: Entry, teller: Side) -> tuple[str, str]:
        """(instance, id of the row) of what comes early, as the teller has it."""
        assert entry.timer
        id_, key = entry.timer
        machine = (pair.old if entry.side == "old" else pair.new)[entry.clock.position].machine
        if (entry.side, teller) == ("old", "new"):
            key = self.both.twins.get(machine, {}).get(key, key)
        return id_, key.partition("@")[0]

    def _expected(self, node: Node, telling: Telling, teller: Side) -> Iterator[model.Expectation]:
        """What the teller does at the end, of everything that differs."""
        system, there = telling.system, _pair(node).new if teller == "new" else _pair(node).old
        about = {one.about for one in self._contrasts(node)}
        for instance in system.instances:
            plain = next((one for one in there if _same(system, one.id, instance.id)), None)
            if plain is None or not any(name == plain.id or name.startswith(f"{plain.id}.") for name in about):
                continue
            values = tuple(
                (Word(name), tree.Literal(value, instance.machine.fields[name].type))
                for name, value in instance.fields.items()
                if f"{plain.id}.{name}" in about and value is not None
            )
            states = tuple(map(Word, instance.machine.innermost(instance.states)))
            yield model.Expectation(system.now, Word(instance.machine.name), Word(instance.id), states, values)
        if "effects" in about:
            steps = [step for step in telling.steps if step.at == system.now]
            effects = tuple(Word(effect.name) for step in steps for effect in step.effects)
            yield model.Expectation(system.now, effects=effects)


def _same(system: System, plain: str, id_: str) -> bool:
    try:
        return name_now(system, plain) == id_
    except KeyError:  # a child that has ended goes by its own name
        return plain == id_


def _pair(node: Node) -> Pair:
    return cast(Pair, node.location)
