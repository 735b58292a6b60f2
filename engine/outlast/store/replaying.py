"""The journal told again: every input given to the engine anew, and what it decides held against what was decided.

Each decision is made under the specification it was made under. From one version to the next leads only a move, which is made again as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import TypeAlias

from outlast.errors import OutlastError, StoreError
from outlast.plan import Plan
from outlast.run import Snapshot, System
from outlast.run.population import Due, Population
from outlast.run.terms import DEFAULT_TERMS
from outlast.store.journal import decode_snapshot, event_from_json
from outlast.store.moving import moves
from outlast.store.records import Decision, JsonObject
from outlast.store.versions import SHORT, Versions
from outlast.store.world import Scribe, Turns

MOST = DEFAULT_TERMS.instances
"""So many instances are told of."""


class Replay:
    """A system in memory that is led through a journal.

    Decisions under a version the store has no text of are passed over; the move that ends them is taken as it is written.
    """

    def __init__(self, versions: Versions) -> None:
        self.versions = versions
        self.passed = 0
        """How many decisions were not made again."""
        self._lost: int | None = None
        """The number of the specification under which decisions are passed over at present."""
        self._left: tuple[Plan, Mapping[str, Snapshot]] | None = None
        """Before the last turn, if that was a move: the plan, and everybody."""
        self._begun: _Course | None = None

    @property
    def system(self) -> System:
        """The system as it is now. Raises StoreError where it is not known, or nothing was told."""
        if self._lost is not None:
            self.versions.plan(self._lost)  # says what is missing
        if self._begun is None:
            plan = self.versions.plan(self.versions.present)
            return Turns(plan, terms=self.versions.terms(self.versions.present), population=Population(plan, MOST))
        return self._begun.system

    def follow(self, decisions: Iterable[Decision]) -> Iterator[tuple[list[Decision], list[Decision]]]:
        """For each turn what was decided, and what is decided now. Raises StoreError where a turn cannot be repeated."""
        for _, turn in groupby(decisions, key=lambda decision: decision.turn):
            stored = list(turn)
            number = stored[0].spec
            if not self.versions.has(number):
                self.passed += len(stored)
                self._lost, self._begun, self._left = number, None, None
                continue
            try:
                again = self._again(stored)
            except (OutlastError, LookupError, TypeError, ValueError, StopIteration) as error:
                raise StoreError(
                    f"turn {stored[0].turn} of `{stored[0].instance}` cannot be repeated: {error}"
                ) from error
            yield stored, again

    def _again(self, stored: list[Decision]) -> list[Decision]:
        """What the input of a turn leads to now."""
        first = stored[0]
        if first.cause == "migrated":
            return self._moved(stored)
        self._left = None
        self._begun = course = self._course(first.spec)
        course.repeat(first)
        return course.told()

    def _course(self, number: int) -> _Course:
        """What goes on under that number: only readings and terms may differ from one turn to the next."""
        course = self._begun
        if course is not None and course.spec == number:
            return course
        plan = self.versions.plan(number)
        if course is None:
            if self._lost is not None:
                raise StoreError("it is under another version, though nothing was moved there")
            return _Course(self.versions, number, Population(plan, MOST))
        if course.plan.hash != plan.hash:
            raise StoreError(f"it is under specification {plan.hash[:SHORT]}, though nothing was moved there")
        return course.under(number)

    def _moved(self, stored: list[Decision]) -> list[Decision]:
        """Everybody from one version to another, or back; taken as it is written where nobody knows what was before."""
        before, left, first = self._begun, self._left, stored[0]
        self._begun = course = _Course(self.versions, first.spec, Population(self.versions.plan(first.spec), MOST))
        self._lost = self._left = None
        course.system.now, course.turn = first.at, first.turn
        if before is None:
            for decision in stored:
                course.know(decision)
            return stored
        if "undone" in first.said:
            then = _back(left, before, course.plan)
        else:
            then = _forth(before, course)
            self._left = (before.plan, dict(before.system.world))
        if {*then} != {row.instance for row in stored}:
            raise StoreError("it moves others than those who were there")
        course.scribe.heads = before.scribe.heads
        for place, row in enumerate(stored):
            after, body = then[row.instance]
            course.population.put(after)
            course.scribe.migrated(row.turn, place, first.at, after, body)
        return course.told()


Then: TypeAlias = dict[str, tuple[Snapshot, JsonObject]]
"""Instance -> what it is after a move, and what its decision says."""


def _forth(before: _Course, course: _Course) -> Then:
    found = moves(before.plan, course.plan, before.system.world.values(), course.system.now, course.system.terms)
    then: Then = {}
    for move in found:
        if move.after is None:
            raise StoreError(f"`{move.before.id}` cannot be moved: {move.why}")
        then[move.before.id] = move.after, {"migrated": {"from": before.plan.hash, "notes": move.notes}}
    return then


def _back(left: tuple[Plan, Mapping[str, Snapshot]] | None, before: _Course, plan: Plan) -> Then:
    if left is None or left[0].hash != plan.hash:
        raise StoreError("it puts back what was not moved from there just before")
    return {id_: (snapshot, {"undone": before.turn}) for id_, snapshot in left[1].items()}


class _Course:
    """A system under one specification, and who writes down what it decides."""

    def __init__(self, versions: Versions, number: int, population: Population) -> None:
        self.versions, self.spec, self.population = versions, number, population
        self.plan = versions.plan(number)
        self.system: Turns[Population] = Turns(self.plan, terms=versions.terms(number), population=population)
        self.scribe = Scribe(self.plan, number)
        self.turn = 0

    def under(self, number: int) -> _Course:
        """The same under other readings or terms."""
        other = _Course(self.versions, number, self.population)
        other.system.now, other.turn = self.system.now, self.turn
        other.scribe.heads, other.scribe.seen = self.scribe.heads, self.scribe.seen
        return other

    def know(self, decision: Decision) -> None:
        """Take an instance as the journal has it."""
        snapshot = decode_snapshot(self.plan, decision.snapshot)
        self.population.put(snapshot)
        self.scribe.know(decision.instance, decision.version, decision.hash, snapshot)

    def told(self) -> list[Decision]:
        """What was written down since this was last asked."""
        decisions, self.scribe.decisions = self.scribe.decisions, []
        return decisions

    def repeat(self, stored: Decision) -> None:
        """Give the system an input once more."""
        system, said = self.system, stored.said
        system.now = stored.at
        about: JsonObject = {"source": stored.source, "id": stored.id} | (
            {"stamp": said["stamp"]} if "stamp" in said else {}
        )
        match stored.cause:
            case "start" if "begun" in said:
                begun = said["begun"]
                given = {
                    id_: (made["machine"], made["fields"] | made["refs"], made["state"]) for id_, made in begun.items()
                }
                self.scribe.steps(stored.turn, system.begin(given), begun=begun, **about)
            case "start":
                made = said["made"]
                steps = system.make(
                    stored.machine, stored.instance, made["fields"] | made["refs"], state=made["state"]
                ).began
                self.scribe.steps(stored.turn, steps, made=made, **about)
            case "event":
                event = event_from_json(said["event"])
                steps = system.say(stored.instance, event.name, dict(event.payload), event.by)
                self.scribe.steps(stored.turn, steps, **about)
            case "timer":
                machine = self.plan.machines[stored.machine]
                due = Due(stored.at, 0, False, machine.arrows[said["timer"]].index, stored.instance)
                self.scribe.steps(stored.turn, system.happen(due))
            case "sent":
                number, before = said["number"], system.look(stored.instance)
                item = next(item for item in before.delayed if item.turn == number)
                steps = system.happen(Due(stored.at, 0, True, number, stored.instance))
                self.scribe.sent(stored.turn, stored.at, system.without(before, item), item, steps)
            case cause:
                raise StoreError(f"`{cause}` is no input")


def replayed(versions: Versions, decisions: Iterable[Decision]) -> System:
    """The system after these decisions. Raises StoreError at the first that comes out otherwise."""
    replay = Replay(versions)
    for stored, again in replay.follow(decisions):
        if [row.hash for row in stored] != [row.hash for row in again]:
            raise StoreError(f"turn {stored[0].turn} of `{stored[0].instance}` comes out otherwise")
    return replay.system
