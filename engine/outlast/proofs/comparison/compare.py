"""Whether two specifications behave alike: in each composition both can have, for everything that can be said to both, at every moment.

What happens `within` a time happens at its end, as it does where a story is told. The search is breadth first, so that the first difference it
comes to takes the fewest events; it is told at the earliest moments.
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
from outlast.proofs.comparison.both import Both, Pair
from outlast.proofs.comparison.looking import Contrast, contrasts
from outlast.proofs.recording import Recording, name_now
from outlast.proofs.timed.composed import Composed, compose
from outlast.proofs.timed.search import Node, Search
from outlast.proofs.timed.successors import Successors
from outlast.proofs.timed.traces import Path, schedule
from outlast.proofs.timed.zones import Zone
from outlast.run import Step, System

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
    """The story after which they differ; what it expects is what the old one does."""
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
    if composition.source.constants:
        return Comparison(composition.name, "undetermined", "it changes constants, which a story cannot say")
    try:
        before, after = compose(old, composition), compose(new, composition)
    except OutlastError as error:
        return Comparison(composition.name, "undetermined", f"it does not fit both: {error}")
    unpaired = (*_only(before, after, "old"), *_only(after, before, "new"))
    found = Comparison(composition.name, "same", unpaired=unpaired)
    for one, two in _parts(before, after):
        part = _Part(old, one, two, budget).compared()
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

    def __init__(self, old: Plan, before: Composed, after: Composed, budget: int) -> None:
        self.old, self.before, self.after, self.budget = old, before, after, budget
        said = [one for one in before.said if one in after.said]
        self.both = Both(Recording(before), Recording(after), said)
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
        at, story = self._told(node)
        return attrs.evolve(found, outcome="differ", contrasts=self._contrasts(node), at=at, scenario=story)

    def _nearest(self) -> tuple[Node | None, str]:
        """Of the nearest moments at which they differ, the one that comes first; or why it was not looked for to the end."""
        rivals: list[Node] = []
        for count, node in enumerate(self.search, start=1):
            if rivals and node.depth > rivals[0].depth:
                break
            if self._contrasts(node) and self._settled(node) is not None:
                rivals.append(node)
            if count >= self.budget or len(rivals) >= RIVALS:
                break
        if rivals:
            return min(rivals, key=lambda node: self._times(node)[-1]), ""
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

    def _told(self, node: Node) -> tuple[int, model.Scenario]:
        """When they differ, and the story of it; it expects what the old one does."""
        path, times = Path.to(node), self._times(node)
        system = System(self.before.plan)
        self.before.begin(system)
        steps: list[model.Say] = []
        happened: list[Step] = []
        for move, at in zip(path.moves, times, strict=False):
            happened += system.advance_to(at)
            if move.said:
                id_, event = name_now(system, move.said.to), move.said.event
                machine = system[id_].machine
                declared = machine.events[event.name].payload
                payload = tuple(
                    (Word(name), tree.Literal(value, declared[name].type))
                    for name, value in event.payload
                    if value is not None
                )
                step = system.send(id_, event.name, dict(event.payload), by=event.by)
                happened += (step, *step.caused)
                by = Word(event.by) if event.by else None
                steps.append(
                    model.Say(
                        at,
                        Word(machine.name),
                        Word(id_),
                        Word(event.name),
                        payload,
                        by,
                        refused=step.refusal is not None,
                    )
                )
        happened += system.advance_to(times[-1])
        names = ", ".join(one.about for one in self._contrasts(node))
        story = model.Scenario(
            Word("differs"),
            f"Where they differ: {names}",
            f"At {format_duration(times[-1])} the two specifications differ in this; it expects what the old one does.",
            Word(self.old.name),
            self.before.given,
            tuple(steps),
            tuple(self._expected(node, system, happened)),
        )
        return times[-1], story

    def _expected(self, node: Node, system: System, happened: Sequence[Step]) -> Iterator[model.Expectation]:
        """What the old one does at the end, of everything that differs."""
        for instance in system.instances:
            plain = next((one for one in _pair(node).old if _same(system, one.id, instance.id)), None)
            about = {one.about for one in self._contrasts(node)}
            if plain is None or not any(name == plain.id or name.startswith(f"{plain.id}.") for name in about):
                continue
            values = tuple(
                (Word(name), tree.Literal(value, instance.machine.fields[name].type))
                for name, value in instance.fields.items()
                if f"{plain.id}.{name}" in about and value is not None
            )
            states = tuple(map(Word, instance.machine.innermost(instance.states)))
            yield model.Expectation(system.now, Word(instance.machine.name), Word(instance.id), states, values)
        if any(one.about == "effects" for one in self._contrasts(node)):
            effects = tuple(Word(effect.name) for step in happened if step.at == system.now for effect in step.effects)
            yield model.Expectation(system.now, effects=effects)


def _same(system: System, plain: str, id_: str) -> bool:
    try:
        return name_now(system, plain) == id_
    except KeyError:  # a child that has ended goes by its own name
        return plain == id_


def _pair(node: Node) -> Pair:
    return cast(Pair, node.location)
