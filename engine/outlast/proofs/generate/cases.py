"""A path as a case: the moments of its moves, what is refused on the way, and everything that can be seen at each step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import attrs

from outlast import model
from outlast.expr import Type, Value, tree
from outlast.moments import HOUR, MINUTE, SECOND, format_duration
from outlast.place import Word
from outlast.plan import Machine, Plan, State, Transition
from outlast.proofs.conformance.cases import Case, CaseStep, Claim, Then, Why
from outlast.proofs.conformance.protocol import Observation, Seen
from outlast.proofs.conformance.reading import FittedCase
from outlast.proofs.conformance.runners import SystemRunner, seen
from outlast.proofs.generate.goals import Cover
from outlast.proofs.generate.parts import outside
from outlast.proofs.generate.walks import Way
from outlast.proofs.telling import Cue, tell
from outlast.proofs.timed.composed import Composed
from outlast.proofs.timed.locations import Clock, Location
from outlast.proofs.timed.successors import Said
from outlast.proofs.timed.traces import schedule
from outlast.run import System
from outlast.run.staging import staged

PACES = (HOUR, MINUTE, SECOND, SECOND // 1000)
"""How long is waited before something is said, if there is time."""
REFUSALS = 4
"""How many refusals are tried at one moment."""


VALUE = 4
"""The length of the key of a value outside its bounds."""


def moments(way: Way) -> tuple[int, ...]:
    """An instant for each move, with time between them where there is time."""
    times = schedule(way.system, way.path)
    assert times is not None, "a path of the search has no times"
    path = way.path
    for number, move in enumerate(path.moves):
        for pace in PACES if move.said and not path.still[number] else ():
            waits = (*path.waits[:number], max(pace, path.waits[number]), *path.waits[number + 1 :])
            slower = attrs.evolve(path, waits=waits)
            found = schedule(way.system, slower)
            if found is not None:
                path, times = slower, found
                break
    return times


class Author:
    """Writes cases about one system; remembers which refusals and which reasons were told already."""

    def __init__(self, plan: Plan, cover: Cover) -> None:
        """What is refused on the way is tried where rows are to be covered; values outside their bounds also where bounds are."""
        self.plan, self.cover = plan, cover
        self.told: set[tuple[str, ...]] = set()

    def cues(self, way: Way, times: Sequence[int]) -> list[Cue]:
        """What is done on the way, refusals included."""
        found = list(self._refused(way, 0, 0)) if not times or times[0] > 0 else []
        for number, (cue, at) in enumerate(zip(followed(way, times), times, strict=True), start=1):
            found.append(cue)
            if number == len(times) or times[number] > at:
                found += self._refused(way, number, at)
        return found

    def _refused(self, way: Way, number: int, at: int) -> Iterator[Cue]:
        """What can be said in a location of the path and is refused: nothing follows from it."""
        location = way.path.locations[number]
        following = way.path.moves[number].said if number < len(way.path.moves) else None
        tried = 0
        for move in way.system.moves(location) if self.cover != "states" else ():
            if move.said is None or move.said == following or tried == REFUSALS:
                continue
            there = next(snapshot for snapshot in location if snapshot.id == move.said.to)
            if there.machine not in way.place.machines:
                continue
            if way.system.record(move).refusal is None:
                options = self._unfit(way.system.plan.machines[there.machine], move.said)
            else:
                options = iter([((there.machine, "+".join(there.configuration), move.said.event.name), move.said)])
            for key, said in options:
                wanted = self.cover != "boundaries" or len(key) == VALUE
                if wanted and key not in self.told and tried < REFUSALS:
                    self.told.add(key)
                    tried += 1
                    yield Cue(at, said)

    def _unfit(self, machine: Machine, said: Said) -> Iterator[tuple[tuple[str, ...], Said]]:
        """An event that would be accepted, from somebody who may not say it, and with values outside their bounds."""
        event = machine.events[said.event.name]
        stranger = next((actor for actor in self.plan.actors if event.by and actor not in event.by), None)
        if stranger:
            yield (machine.name, event.name), attrs.evolve(said, event=attrs.evolve(said.event, by=stranger))
        for name, field in event.payload.items():
            for word, value in outside(field):
                payload = tuple((key, value if key == name else old) for key, old in said.event.payload)
                yield (
                    (machine.name, event.name, name, word),
                    attrs.evolve(said, event=attrs.evolve(said.event, payload=payload)),
                )

    def earliest(self, way: Way, times: Sequence[int]) -> tuple[str, str, list[Cue]] | None:
        """Where a way ends with the timer of a `within` row: the same row as early as it can come."""
        location, fired = way.path.locations[-2], way.path.moves[-1].fired
        clock = way.system.places.clocks(location)[fired - 1]
        owner = location[clock.position]
        if way.place.composed.plan.machines[owner.machine].transitions[clock.number].kind != "within":
            return None
        row, armed, last = _row(way, location, clock), _armed(way), len(times) - 1
        for count, wait in ((armed, 0), (last, 0), (last, 1)):
            at = (times[count - 1] if count else 0) + wait
            cues = [*followed(way, times, count), Cue(at, row=row)]
            if at < times[-1] and self._comes(way.place.composed, cues):
                return (
                    "early",
                    f"{format_duration(times[-1] - at)} before its time, which is as early as it can come",
                    cues,
                )
        return None

    def _comes(self, composed: Composed, cues: Sequence[Cue]) -> bool:
        """Whether the row of the last cue is taken then."""
        told = tell(composed, cues)
        row = told.said[-1]
        assert isinstance(row, model.Happen)
        return any((step.at, step.instance) == (row.at, row.name) and row.row in step.taken for step in told.steps)

    # ---- one case

    def case(self, way: Way, cues: Sequence[Cue], id_: str, title: str, watched: str) -> Case:
        """The case, with everything claimed that is seen; where nothing happens, that `watched` is as it was."""
        composed = way.place.composed
        plan, steps = composed.plan, tuple(_merged([*_steps(composed, cues)]))
        case = Case(
            Word(id_),
            title,
            constants=composed.constants,
            bounds="latest",
            level="must",
            given=composed.given,
            steps=steps,
        )
        observations = SystemRunner().run(_unclaimed(plan, case), "latest")
        before: Mapping[str, Seen] = _at_first(composed)
        told: list[CaseStep] = []
        because: dict[str, None] = {}
        for step, now in zip(steps, observations, strict=True):
            refused = now.accepted is False
            assert not (refused and isinstance(step.cue, model.Happen)), "a row does not happen when the search says so"
            claims = tuple(self._claims(plan, step, before, now, watched))
            gone = tuple(Word(name) for name in before if name not in now.instances)
            told.append(attrs.evolve(step, refused=refused, then=Then(claims, tuple(_effects(plan, now)), gone)))
            because |= dict.fromkeys(clause for item in now.happened for clause in item.clauses)
            before = now.instances
        if not because:
            here = composed.everybody()[watched]
            states = now.instances[watched].states if watched in now.instances else ()
            because = dict.fromkeys(_about(plan, plan.machines[here], states))
        default = {name: item.default for name, item in plan.assumptions.items()}
        under = tuple(
            (Word(name), Word(reading)) for name, reading in plan.readings.items() if reading != default[name]
        )
        return attrs.evolve(case, steps=tuple(told), under=under, because=tuple(map(Word, because)))

    def _claims(
        self, plan: Plan, step: CaseStep, before: Mapping[str, Seen], now: Observation, watched: str
    ) -> Iterator[Claim]:
        """Of everybody who is not as before, or has taken a row, all that can be seen; of whoever refuses, that nothing changed."""
        receiver = str(step.cue.name) if isinstance(step.cue, model.Say) else None if now.happened else watched
        for name, here in now.instances.items():
            machine, was = plan.machines[here.machine], before.get(name)
            rows = [row for item in now.happened if item.instance == name for row in item.transitions]
            if not (was != here or rows or name == receiver):
                continue
            fresh = [row for row in rows if (machine.name, "why", row) not in self.told]
            row = (fresh or rows)[-1] if rows else None
            if row is not None:
                self.told.add((machine.name, "why", row))
            changed = {key: value for key, value in here.fields.items() if was is None or was.fields.get(key) != value}
            unbound = [key for key, value in here.refs.items() if value is None and was and was.refs.get(key)]
            yield Claim(
                Word(machine.name),
                Word(name),
                tuple(map(Word, machine.innermost(here.states))),
                values=tuple((Word(key), _literal(value, machine.fields[key].type)) for key, value in changed.items() if value is not None),
                absent=tuple(Word(key) for key in (*unbound, *(key for key, value in changed.items() if value is None and was))),
                deadlines=tuple((Word(key), at) for key, at in here.deadlines.items()),
                unarmed=tuple(Word(key) for key in (was.deadlines if was else ()) if key not in here.deadlines),
                why=Why(Word(row)) if row else None,
            )  # fmt: skip


def _about(plan: Plan, machine: Machine, states: Sequence[str]) -> tuple[str, ...]:
    """Clauses for a case in which no row is taken that cites one: the nearest there are."""
    active = [machine.state(name) for name in states]
    leaving = [machine.transitions[index] for state in active for index in (*state.transitions, *state.timers)]
    nearest: tuple[Sequence[State | Transition], ...] = (active, leaving, machine.transitions)
    found = next((cited for parts in nearest if (cited := [clause for part in parts for clause in part.because])), None)
    return tuple(dict.fromkeys(found or plan.clauses))


def followed(way: Way, times: Sequence[int], count: int | None = None) -> list[Cue]:
    """The first `count` moves of a way as cues: what is said, `within` rows that come early, and moments to look."""
    found = []
    for move, location, at in zip(way.path.moves[:count], way.path.locations, times, strict=False):
        clock = way.system.places.clocks(location)[move.fired - 1] if move.fired else None
        row = _row(way, location, clock) if clock and clock.is_within else None
        found.append(Cue(at, move.said, row))
    return found


def _armed(way: Way) -> int:
    """The number of the move that armed the timer with which a way ends; 0: it ran from the first."""
    clock = way.path.moves[-1].fired
    for number in range(len(way.path.moves) - 1, 0, -1):
        clock = way.path.moves[number - 1].arrival.sources[clock - 1]
        if not clock:
            return number
    return 0


def _row(way: Way, location: Location, clock: Clock) -> tuple[str, str]:
    """(instance, id of the row) of a timer."""
    owner = location[clock.position]
    return owner.id, way.system.plan.machines[owner.machine].transitions[clock.number].id


def _steps(composed: Composed, cues: Sequence[Cue]) -> Iterator[CaseStep]:
    """The cues as a run of the system makes them."""
    for cue, said in zip(cues, tell(composed, cues).said, strict=True):
        yield CaseStep(cue.at, attrs.evolve(said, refused=False) if isinstance(said, model.Say) else said)


def _merged(steps: Sequence[CaseStep]) -> Iterator[CaseStep]:
    """Without the moments to look that another step of the same instant follows, or that follow one where nothing was said."""
    for number, step in enumerate(steps):
        before = steps[number - 1] if number else None
        if step.cue is None and before is not None and before.at == step.at:
            continue
        yield step


def _unclaimed(plan: Plan, case: Case) -> FittedCase:
    cues = tuple(step.cue for step in case.steps if step.cue)
    stage = staged(plan, model.Scenario(case.id, given=case.given, steps=cues))
    return FittedCase(plan, case, stage, (), ())


def _at_first(composed: Composed) -> Mapping[str, Seen]:
    system = System(composed.plan)
    composed.begin(system)
    return seen(composed.plan, system.world.values())


def _effects(plan: Plan, now: Observation) -> Iterator[tuple[Word, model.Assignments]]:
    effects = {name: effect for machine in plan.machines.values() for name, effect in machine.effects.items()}
    for item in now.happened:
        for name, payload in item.effects:
            declared = effects[name].payload
            yield (
                Word(name),
                tuple(
                    (Word(key), _literal(value, declared[key].type))
                    for key, value in payload.items()
                    if value is not None
                ),
            )


def _literal(value: Value, type_: Type) -> tree.Expr:
    return tree.Literal(value, type_)
