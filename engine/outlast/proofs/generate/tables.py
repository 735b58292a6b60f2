"""The table: cases for everything that can be reached, and what cannot be, with the reason."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

import attrs

from outlast.errors import MisuseError, UnknownName
from outlast.moments import SECOND, format_duration
from outlast.place import Word
from outlast.plan import Plan, under
from outlast.proofs.conformance.cases import Case, Suite
from outlast.proofs.generate.cases import Author, followed, moments
from outlast.proofs.generate.goals import Cover, Goal, Kind, asks, declared
from outlast.proofs.generate.parts import places
from outlast.proofs.generate.walks import Explorer, Way
from outlast.proofs.telling import Cue
from outlast.proofs.timed.locations import Clock
from outlast.proofs.timed.successors import Move, Said

BUDGET = 20_000


@attrs.frozen
class Missing:
    """A goal no case covers, and why."""

    goal: Goal
    reason: str


@attrs.frozen(eq=False)
class Generated:
    """A table, what it covers, and what nothing can cover."""

    suite: Suite
    cover: Cover
    covered: tuple[Goal, ...]
    missing: tuple[Missing, ...]

    @property
    def refusals(self) -> int:
        """How many steps must be refused."""
        return sum(step.refused for case in self.suite.cases for step in case.steps)

    @property
    def steps(self) -> int:
        """How many steps there are."""
        return sum(len(case.steps) for case in self.suite.cases)

    def count(self, kind: Kind) -> tuple[int, int]:
        """How many goals of a kind are covered, and how many there are."""
        done = sum(goal.kind == kind for goal in self.covered)
        return done, done + sum(item.goal.kind == kind for item in self.missing)


def generate(
    plan: Plan, cover: Cover, *, compositions: Sequence[str] = (), system: str | None = None, budget: int = BUDGET
) -> Generated:
    """A table that covers what can be reached in these compositions (all, unless said), under each reading where a row asks for it.

    `system` is what the table says it is about; nothing, where it stands in the system's own `conformance` folder. `budget`: how many zones one
    search may look at. Raises UnknownName, MisuseError if there is no composition, SpecError, RefusedInstance.
    """
    for name in compositions:
        if name not in plan.compositions:
            raise UnknownName("composition", name, plan.compositions)
    if not plan.compositions:
        raise MisuseError(f"`{plan.name}` has no composition to walk in: write `compositions:` in its system.yaml")
    chosen = [name for name in plan.compositions if not compositions or name in compositions]
    table = _Table(plan, cover, chosen, budget)
    cases = tuple(table.cases())
    readings = "".join(
        f" --reading {name}={reading}"
        for name, reading in plan.readings.items()
        if reading != plan.assumptions[name].default
    )
    about = (
        f"Made from the specification, to cover its {cover}: `outlast generate {plan.name} --cover {cover}{readings}`."
    )
    suite = Suite(
        Word(f"generated-{cover}"),
        Word(system) if system else None,
        f"{plan.title or plan.name}: {cover}",
        about,
        cases,
    )
    return Generated(suite, cover, tuple(table.covered), tuple(table.missing()))


class _Table:
    def __init__(self, plan: Plan, cover: Cover, compositions: list[str], budget: int) -> None:
        self.plan, self.cover, self.compositions, self.budget = plan, cover, compositions, budget
        self.goals = {goal: None for machine in plan.machines.values() for goal in declared(machine, cover)}
        self.covered: dict[Goal, None] = {}
        self.author = Author(plan, cover)
        self.ids: set[str] = set()
        self.machines: set[str] = set()
        self.exhausted: dict[str, str] = {}
        """Machine -> why not all was looked at."""
        self.explorers: list[Explorer] = []

    def cases(self) -> Iterator[Case]:
        """Under the readings in force; then, where a row that is left asks for another, under that; then where a `within` row comes early."""
        bounded = any(row.kind == "within" for machine in self.plan.machines.values() for row in machine.transitions)
        for early in (False, True) if bounded else (False,):
            yield from self._under({}, early=early)
            for assumption, reading in self.plan.alternatives:
                if any(self._asks(goal, assumption) for goal in self._left()):
                    yield from self._under({assumption: reading}, early=early)

    def _left(self) -> list[Goal]:
        return [goal for goal in self.goals if goal not in self.covered]

    def _asks(self, goal: Goal, assumption: str) -> bool:
        machine = self.plan.machines[goal.machine]
        return goal.kind in ("transition", "timer") and asks(machine.arrows[goal.name], assumption)

    def _under(self, readings: dict[str, str], *, early: bool) -> Iterator[Case]:
        plan = under(self.plan, readings) if readings else self.plan
        (assumption,) = readings or ("",)
        for place in places(plan, self.compositions):
            self.machines |= place.machines

            def wanted(goal: Goal, machines: frozenset[str] = place.machines) -> bool:
                if goal.machine not in machines or goal in self.covered:
                    return False
                return not readings or self._of_reading(goal, assumption)

            known = readings or early or self.cover in ("states", "transitions")  # others are found on the way
            if known and not any(wanted(goal) for goal in self._left()):
                continue
            explorer = Explorer(place, self.cover, wanted, self.budget, early=early)
            self.explorers.append(explorer)
            for way in explorer.ways():
                self.covered |= dict.fromkeys(way.goals)
                yield from self._written(way)
                if known and not any(wanted(goal) for goal in self._left()):
                    break
            if explorer.exhausted:
                self.exhausted |= dict.fromkeys(place.machines, explorer.exhausted)

    def _of_reading(self, goal: Goal, assumption: str) -> bool:
        """Whether a goal is worth a case under another reading: a row, or a pair of rows, that asks for it."""
        rows = goal.words if goal.kind in ("transition", "timer", "pair") else ()
        arrows = self.plan.machines[goal.machine].arrows
        return any(asks(arrows[row], assumption) for row in rows)

    # ---- cases

    def _written(self, way: Way) -> Iterator[Case]:
        times = moments(way)
        goal = way.goals[0]
        name = ".".join((goal.kind, goal.machine, *goal.words)).replace("@", ".").replace(":", "")
        if goal.kind != "timer":
            yield self._case(way, self.author.cues(way, times), name, self._title(way))
            return
        early = self.author.earliest(way, times)
        for word, title, cues in (*_around(way, times), *([early] if early else [])):
            yield self._case(way, cues, f"{name}.{word}", f"{goal.machine}: {goal.name}, {title}")

    def _case(self, way: Way, cues: Sequence[Cue], id_: str, title: str) -> Case:
        number = 1
        unique = id_
        while unique in self.ids:
            number += 1
            unique = f"{id_}.{number}"
        self.ids.add(unique)
        return self.author.case(way, cues or [Cue(0)], unique, title, _watched(way))

    def _title(self, way: Way) -> str:
        """The rows of the machines that are covered here, in order."""
        rows = [
            way.system.plan.machines[machine].arrows[key].id
            for move in way.path.moves
            for instance, machine, key in way.system.record(move).taken
            if machine in way.place.machines and instance.partition(".")[0] == way.place.instance
        ]
        machine = way.place.composed.everybody()[way.place.instance]
        said = "; ".join(rows) or "as it begins"
        readings = ", ".join(
            f"{name} {value}" for name, value in way.system.plan.readings.items() if value != self.plan.readings[name]
        )
        return f"{machine}: {said}" + (f" ({readings})" if readings else "")

    # ---- what is missing

    def missing(self) -> Iterator[Missing]:
        """Every goal that is left, and why."""
        for goal in self._left():
            yield Missing(goal, self._reason(goal))

    def _reason(self, goal: Goal) -> str:
        if goal.machine not in self.machines:
            return f"no composition has a {goal.machine}"
        if goal.machine in self.exhausted:
            return f"not come to: {self.exhausted[goal.machine]}"
        if goal in self._untimed:
            return "comes too late: only with other durations"
        return f"cannot be reached in {', '.join(self.compositions)}"

    @cached_property
    def _untimed(self) -> frozenset[Goal]:
        """What is left and could be reached if any timer could go off at any time."""
        left, found = set(self._left()), set[Goal]()
        for explorer in self.explorers:
            if explorer.exhausted or not any(goal.machine in explorer.place.machines for goal in left):
                continue
            for goal in explorer.untimed():
                if goal in left:
                    left.remove(goal)
                    found.add(goal)
                if not left:
                    return frozenset(found)
        return frozenset(found)


def _watched(way: Way) -> str:
    """Whose timer goes off at the end of a path, if one does; otherwise the instance that is covered."""
    move = way.path.moves[-1] if way.path.moves else None
    if move is None or not move.fired:
        return way.place.instance
    location = way.path.locations[-2]
    return location[way.system.places.clocks(location)[move.fired - 1].position].id


def _around(way: Way, times: Sequence[int]) -> Iterator[tuple[str, str, list[Cue]]]:
    """The moment of the last move from both sides; and where something else can end the wait, that just before and at the moment."""
    at, before = times[-1], times[-2] if len(times) > 1 else 0
    location, move = way.path.locations[-2], way.path.moves[-1]
    clock = way.system.places.clocks(location)[move.fired - 1]
    unit = SECOND if clock.cap > SECOND else max(clock.cap // 10, 1)
    earlier = followed(way, times, len(times) - 1)
    early = [Cue(at - unit)] if at - unit > before else []
    end = [Cue(at), Cue(at + unit)]
    words = f"{format_duration(unit)} before its time, then, and {format_duration(unit)} after"
    yield "time", words, [*earlier, *early, *end]
    other = _other(way, clock, move)
    if other is not None:
        if early:
            title = f"not after {other.event.name} {format_duration(unit)} before its time"
            yield "before", title, [*earlier, Cue(at - unit, other), *end]
        yield "tie", f"before {other.event.name} of the same moment", [*earlier, Cue(at, other), Cue(at + unit)]


def _other(way: Way, clock: Clock, fired: Move) -> Said | None:
    """Something that can be said instead, after which the timer does not run any more; to the instance itself, if there is a choice."""
    location = way.path.locations[-2]
    found = [
        move.said
        for move in way.system.moves(location)
        if move.said and way.system.record(move).refusal is None and fired.fired not in move.arrival.sources
    ]
    own = location[clock.position].id
    return min(found, key=lambda said: said.to != own, default=None)
